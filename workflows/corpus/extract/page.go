package extract

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	tag "golang.org/x/net/html/atom"
)

// readPage reads a page in one pass, in time and memory that are linear in its size whatever it is: nesting is counted,
// not kept. It knows headings, list items, rows of tables and code. Of a page with a <main> it reads that, of any other all
// but navigation, and a page that is nothing but navigation it reads whole.
func readPage(reserve, page []byte) Text {
	hasMain := bytes.Contains(page, []byte("<main")) || bytes.Contains(page, []byte("<MAIN"))
	r := newReader(reserve, page, hasMain, true).read()
	if r.empty() && r.onlyMain {
		r = newReader(reserve, page, false, true).read()
	}
	if r.empty() {
		r = newReader(reserve, page, false, false).read()
	}
	return Text{Body: bytes.TrimSpace(r.out.Bytes()), ContentType: markdown, Title: r.title.String()}
}

// How blocks begin.
const (
	itemMark = "- "
	fence    = "```\n"
)

// reader walks the tokens of a page.
type reader struct {
	z        *html.Tokenizer
	onlyMain bool
	noNav    bool

	out    *bytes.Buffer
	title  strings.Builder
	prefix string // due before the next word: what the block that it begins is
	gap    bool   // white space is due before the next word
	code   bool   // a block of code has been opened
	main   int    // how many <main> are open
	pre    int
	skip   tag.Atom // what is being left out, with all that is in it
	depth  int      // how many of it are open
}

func newReader(reserve, page []byte, onlyMain, noNav bool) *reader {
	out := bytes.NewBuffer(roomFor(reserve, min(len(page), MaxText)))
	return &reader{z: html.NewTokenizer(bytes.NewReader(page)), out: out, onlyMain: onlyMain, noNav: noNav}
}

func (r *reader) empty() bool { return len(bytes.TrimSpace(r.out.Bytes())) == 0 }

func (r *reader) read() *reader {
	for r.out.Len() <= MaxText {
		switch tt := r.z.Next(); tt {
		case html.ErrorToken:
			r.endCode()
			return r
		case html.TextToken:
			r.text(r.z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := r.z.TagName()
			r.startTag(tag.Lookup(name), tt == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := r.z.TagName()
			r.endTag(tag.Lookup(name))
		}
	}
	return r
}

func (r *reader) skips(a tag.Atom) bool {
	switch a {
	case tag.Script, tag.Style, tag.Noscript, tag.Template, tag.Svg, tag.Iframe, tag.Title, tag.Canvas, tag.Noembed, tag.Noframes:
		return true
	case tag.Nav:
		return r.noNav
	}
	return false
}

// rawText reports whether the tokenizer takes what follows the tag as text, even if it says that it closes itself.
func rawText(a tag.Atom) bool {
	switch a {
	case tag.Script, tag.Style, tag.Noscript, tag.Iframe, tag.Title, tag.Noembed, tag.Noframes:
		return true
	}
	return false
}

func (r *reader) startTag(a tag.Atom, closed bool) {
	if r.skip != 0 {
		if a == r.skip && !closed {
			r.depth++
		}
		return
	}
	if r.skips(a) {
		if !closed || rawText(a) {
			r.skip, r.depth = a, 1
		}
		return
	}
	switch a {
	case tag.Main:
		r.main++
	case tag.Pre:
		r.block(fence)
		r.pre++
		return
	case tag.Br:
		r.gap = true
		return
	case tag.Td, tag.Th:
		if r.prefix == "" {
			r.prefix = " | "
		}
		return
	case tag.H1, tag.H2, tag.H3, tag.H4, tag.H5, tag.H6:
		r.block(strings.Repeat("#", int(a.String()[1]-'0')) + " ")
		return
	case tag.Li, tag.Dt, tag.Dd:
		r.item(itemMark)
		return
	case tag.Tr:
		r.item("")
		return
	}
	if isBlock(a) {
		r.block("")
	}
}

func (r *reader) endTag(a tag.Atom) {
	if r.skip != 0 {
		if a == r.skip {
			if r.depth--; r.depth == 0 {
				r.skip = 0
			}
		}
		return
	}
	switch a {
	case tag.Main:
		r.main = max(0, r.main-1)
	case tag.Pre:
		if r.pre = max(0, r.pre-1); r.pre == 0 {
			r.endCode()
		}
	case tag.Li, tag.Dt, tag.Dd, tag.Tr:
		r.item("")
		return
	case tag.Td, tag.Th:
		return
	}
	if isBlock(a) {
		r.block("")
	}
}

func (r *reader) endCode() {
	if r.code {
		r.code = false
		r.out.WriteString("\n```")
	}
	r.prefix = ""
	r.block("")
}

func isBlock(a tag.Atom) bool {
	switch a {
	case tag.Address, tag.Article, tag.Aside, tag.Blockquote, tag.Body, tag.Caption, tag.Dd, tag.Details, tag.Div, tag.Dl,
		tag.Dt, tag.Fieldset, tag.Figcaption, tag.Figure, tag.Footer, tag.Form, tag.H1, tag.H2, tag.H3, tag.H4, tag.H5,
		tag.H6, tag.Header, tag.Hr, tag.Html, tag.Li, tag.Main, tag.Nav, tag.Ol, tag.Option, tag.P, tag.Pre, tag.Section,
		tag.Select, tag.Summary, tag.Table, tag.Tbody, tag.Textarea, tag.Tfoot, tag.Thead, tag.Tr, tag.Ul:
		return true
	}
	return false
}

// block sets what follows apart with a blank line, item with a new line. One that got no text is taken over by the next.
func (r *reader) block(prefix string) { r.begin("\n\n", prefix) }

func (r *reader) item(prefix string) { r.begin("\n", prefix) }

func (r *reader) begin(apart, prefix string) {
	if r.pre > 0 {
		return
	}
	if strings.HasPrefix(r.prefix, "\n\n") {
		apart = "\n\n"
	}
	if prefix == "" && strings.HasSuffix(r.prefix, itemMark) { // <li><p>: the item's mark is still due
		prefix = itemMark
	}
	r.gap = false
	r.prefix = apart + prefix
}

// text reads what is between tags: white space is collapsed outside <pre>.
func (r *reader) text(text []byte) {
	if r.skip == tag.Title && r.title.Len() < 4*maxTitle {
		r.title.Write(text[:min(len(text), 4*maxTitle)])
	}
	if r.skip != 0 || r.onlyMain && r.main == 0 {
		return
	}
	if r.pre > 0 {
		if len(bytes.TrimSpace(text)) == 0 && !r.code {
			return
		}
		r.flush()
		r.out.Write(text)
		return
	}
	for len(text) > 0 {
		word := bytes.TrimLeft(text, " \t\r\n\f\u00a0")
		if len(word) < len(text) {
			r.gap = true
		}
		end := bytes.IndexAny(word, " \t\r\n\f\u00a0")
		if end < 0 {
			end = len(word)
		}
		if end > 0 {
			r.flush()
			r.out.Write(word[:end])
		}
		text = word[end:]
	}
}

// flush writes what is due before a word.
func (r *reader) flush() {
	switch {
	case r.prefix != "" && r.out.Len() == 0:
		r.prefix = strings.TrimLeft(r.prefix, "\n")
		fallthrough
	case r.prefix != "":
		r.out.WriteString(r.prefix)
		r.code = r.code || strings.HasSuffix(r.prefix, fence)
	case r.gap && r.out.Len() > 0:
		r.out.WriteByte(' ')
	}
	r.prefix, r.gap = "", false
}
