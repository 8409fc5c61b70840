package extract

import (
	"bytes"
	"fmt"
	"strings"

	"codeberg.org/readeck/go-readability"
	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	tag "golang.org/x/net/html/atom"
)

// How large a page may be to be read as a tree, in bytes and in nodes, of which there are several copies in memory for a while. A
// larger one, or one nested too deep for a tree, is read in one pass (readPage).
const (
	maxTree  = 1 << 20
	maxNodes = 60_000
)

// How much of a page must be in what readability takes for its article: below that it is more likely to have lost
// something than to have found it.
const (
	minArticle = 250 // characters
	minShare   = 0.3
)

// readHTML takes the article out of a page, or all of it but navigation if there is none, as Markdown.
func readHTML(reserve, page []byte) (Text, error) {
	flat := readPage(reserve, page)
	if len(page) > maxTree || nodes(page) > maxNodes {
		return flat, nil
	}
	t, err := readTree(page, flat)
	if err != nil {
		return flat, nil
	}
	return t, nil
}

func readTree(page []byte, flat Text) (t Text, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		return Text{}, err
	}
	t = Text{ContentType: markdown, Title: flat.Title}
	if main := article(root, len(flat.Body)); main != nil {
		if t.Body, err = toMarkdown(main); err != nil {
			return Text{}, err
		}
		if t.Body = underTitle(t.Body, root); len(t.Body) > 0 {
			return t, nil
		}
	}
	main := find(root, tag.Main)
	if main == nil {
		main = root
	}
	if t.Body, err = toMarkdown(main); err != nil || len(t.Body) == 0 {
		return Text{}, fmt.Errorf("nothing was found: %w", err)
	}
	return t, nil
}

// nodes is how many nodes the tree of a page has at most, as far as more than maxNodes. Elements such as <b> that are not closed are
// opened again in each paragraph, with their attributes, so a page of a megabyte may have gigabytes of them.
func nodes(page []byte) int {
	z := html.NewTokenizer(bytes.NewReader(page))
	var open []int // what each formatting element that is open takes
	sum, again := 0, 0
	for sum <= maxNodes {
		switch z.Next() {
		case html.ErrorToken:
			return sum
		case html.StartTagToken, html.SelfClosingTagToken:
			n, attributes := z.TagName()
			name, size := tag.Lookup(n), 1
			for attributes {
				_, _, attributes = z.TagAttr()
				size++
			}
			if sum += size + again; formatting(name) {
				open = append(open, size)
				again += size
			}
		case html.EndTagToken:
			n, _ := z.TagName()
			if k := len(open); formatting(tag.Lookup(n)) && k > 0 {
				sum += min(k, 8)
				again -= open[k-1]
				open = open[:k-1]
			}
		default:
			sum++
		}
	}
	return sum
}

// formatting reports whether an element is opened again after it was interrupted:
// https://html.spec.whatwg.org/multipage/parsing.html#formatting.
func formatting(a tag.Atom) bool {
	switch a {
	case tag.A, tag.B, tag.Big, tag.Code, tag.Em, tag.Font, tag.I, tag.Nobr, tag.S, tag.Small, tag.Strike, tag.Strong, tag.Tt, tag.U:
		return true
	}
	return false
}

// article is what readability takes for the main content, if that is enough of a page with so much text.
func article(root *html.Node, all int) *html.Node {
	parser := readability.NewParser()
	parser.DisableJSONLD = true
	parser.KeepClasses = true // the language of code is in its class
	a, err := parser.ParseDocument(root, nil)
	if err != nil || a.Node == nil || a.Length < minArticle || float64(len(a.TextContent)) < minShare*float64(all) {
		return nil
	}
	return a.Node
}

// underTitle puts the page's only heading of the first rank above its article, which readability leaves without it.
func underTitle(body []byte, root *html.Node) []byte {
	h := find(root, tag.H1)
	if h == nil || len(body) == 0 || bytes.HasPrefix(body, []byte("# ")) {
		return body
	}
	title := oneLine(textOf(h), maxTitle)
	if title == "" || bytes.Contains(body, []byte("# "+title)) {
		return body
	}
	return append([]byte("# "+title+"\n\n"), body...)
}

// toMarkdown writes what is in a node, with headings, lists, tables and code. Links are their texts and pictures their
// descriptions: nobody searches for an address. Nothing is escaped, for the same reason.
func toMarkdown(n *html.Node) ([]byte, error) {
	tidy(n)
	c := converter.NewConverter(converter.WithEscapeMode(converter.EscapeModeDisabled), converter.WithPlugins(
		base.NewBasePlugin(), commonmark.NewCommonmarkPlugin(),
		table.NewTablePlugin(table.WithCellPaddingBehavior(table.CellPaddingBehaviorMinimal), table.WithNewlineBehavior(table.NewlineBehaviorPreserve)),
	))
	return c.ConvertNode(n)
}

// tidy removes what nobody reads, and makes text of links and pictures.
func tidy(n *html.Node) {
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		switch {
		case c.Type == html.CommentNode || c.Type == html.ElementNode && unread(c):
			n.RemoveChild(c)
		case c.DataAtom == tag.Img:
			if alt := strings.TrimSpace(attribute(c, "alt")); alt != "" {
				n.InsertBefore(&html.Node{Type: html.TextNode, Data: alt}, c)
			}
			n.RemoveChild(c)
		case c.DataAtom == tag.A:
			c.Data, c.DataAtom, c.Attr = "span", tag.Span, nil
			tidy(c)
		default:
			tidy(c)
		}
		c = next
	}
}

func unread(n *html.Node) bool {
	switch n.DataAtom {
	case tag.Script, tag.Style, tag.Noscript, tag.Template, tag.Svg, tag.Iframe, tag.Canvas, tag.Noembed, tag.Noframes,
		tag.Nav, tag.Title, tag.Head, tag.Object, tag.Video, tag.Audio, tag.Button, tag.Select, tag.Input:
		return true
	}
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "role" && a.Val == "navigation" {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// find is the first element of a name.
func find(root *html.Node, name tag.Atom) *html.Node {
	for n := range root.Descendants() {
		if n.DataAtom == name && n.Type == html.ElementNode {
			return n
		}
	}
	return nil
}

func textOf(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
	}
	return b.String()
}
