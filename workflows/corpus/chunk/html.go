package chunk

import (
	"bytes"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	tag "golang.org/x/net/html/atom"

	"levada.dev/events"
)

// splitHTML cuts what a reader sees of a page and says where in the markup each piece stands.
func splitHTML(source []byte, o Options) []events.Chunk {
	pg := readPage(source)
	p := newPacker(pg.text, o)
	bare := false
	for i, b := range pg.blocks {
		end := len(pg.text)
		if i+1 < len(pg.blocks) {
			end = pg.blocks[i+1].start
		}
		if blank(pg.text[b.start:end]) {
			continue
		}
		l := b.level
		if b.rank > 0 {
			p.open(b.rank, string(pg.text[b.start:end]))
			l = levelSection
		}
		if bare {
			l = levelGlued
		}
		bare = b.rank > 0
		if b.pre {
			p.whole(b.start, end, l)
		} else {
			p.sentences(b.start, end, l)
		}
	}
	chunks := p.finish()
	for i := range chunks {
		chunks[i].Start, chunks[i].End = pg.begin(chunks[i].Start), pg.end(chunks[i].End)
	}
	return chunks
}

// page is the readable text of a source, with where it comes from.
type page struct {
	text   []byte
	blocks []block
	runs   []run
}

// block is a part of the text that the markup sets apart; it goes to the next.
type block struct {
	start int
	level level
	rank  int // of a heading
	pre   bool
}

// run is n bytes of text that were read from size bytes of source. Where the two differ the run is one thing, like
// an entity.
type run struct {
	text, source, n, size int
}

// readPage reads the <main> of a page if it has one, and all of it but navigation if not. A page that has nothing
// else is read whole.
func readPage(source []byte) *page {
	if bytes.Contains(bytes.ToLower(source), []byte("<main")) {
		if r := newReader(source, true, true).read(); len(r.runs) > 0 {
			return &r.page
		}
	}
	r := newReader(source, false, true).read()
	if len(r.runs) == 0 {
		r = newReader(source, false, false).read()
	}
	return &r.page
}

// reader walks the tokens of a page. Nesting is counted, not kept.
type reader struct {
	page
	z        *html.Tokenizer
	source   []byte
	onlyMain bool
	noNav    bool

	main  int // how many <main> are open
	pre   int
	skip  tag.Atom // what is being left out, with all that is in it
	depth int      // how many of it are open
	gap   bool     // white space is due before the next word
	at    int      // of the token in the source
}

func newReader(source []byte, onlyMain, noNav bool) *reader {
	return &reader{
		z: html.NewTokenizer(bytes.NewReader(source)), source: source, onlyMain: onlyMain, noNav: noNav,
		page: page{blocks: []block{{level: levelBlock}}},
	}
}

func (r *reader) read() *reader {
	for {
		tt := r.z.Next()
		raw := len(r.z.Raw())
		switch tt {
		case html.ErrorToken:
			return r
		case html.TextToken:
			if r.skip == 0 && (!r.onlyMain || r.main > 0) {
				r.words(r.at, r.at+raw)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := r.z.TagName()
			r.startTag(tag.Lookup(name), tt == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := r.z.TagName()
			r.endTag(tag.Lookup(name))
		}
		r.at += raw
	}
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
		r.pre++
	case tag.Br, tag.Td, tag.Th:
		r.gap = true
		return
	}
	r.open(a)
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
		r.pre = max(0, r.pre-1)
	}
	if isBlock(a) {
		r.block(block{level: levelBlock})
	}
}

func (r *reader) open(a tag.Atom) {
	switch a {
	case tag.H1, tag.H2, tag.H3, tag.H4, tag.H5, tag.H6:
		r.block(block{level: levelSection, rank: int(a.String()[1] - '0')})
	case tag.Li, tag.Dt, tag.Dd, tag.Tr, tag.Option:
		r.block(block{level: levelItem})
	default:
		if isBlock(a) {
			r.block(block{level: levelBlock})
		}
	}
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

// block sets what follows apart. One that got no text is taken over by the next.
func (r *reader) block(b block) {
	last := &r.blocks[len(r.blocks)-1]
	b.pre = r.pre > 0
	if last.start == len(r.text) {
		b.start, b.level = last.start, min(b.level, last.level)
		*last = b
		return
	}
	r.gap = false
	r.text = append(r.text, '\n') // nobody wrote it: it is in no run
	b.start = len(r.text)
	r.blocks = append(r.blocks, b)
}

// words reads source text: entities decoded, white space collapsed outside <pre>.
func (r *reader) words(from, to int) {
	for i := from; i < to; {
		c := r.source[i]
		if c == '&' {
			i += r.entity(i, to)
			continue
		}
		ru, n := rune(c), 1
		if c >= utf8.RuneSelf {
			ru, n = utf8.DecodeRune(r.source[i:to])
		}
		if r.pre == 0 && unicode.IsSpace(ru) {
			r.gap = true
		} else {
			r.put(r.source[i:i+n], i, n)
		}
		i += n
	}
}

// maxEntity is how long a character reference is looked for; the longest name has 32 letters.
const maxEntity = 40

// entity reads a character reference, or the ampersand if it is none, and returns its size.
func (r *reader) entity(i, to int) int {
	end := i + 1
	if end < to && r.source[end] == '#' {
		end++
	}
	for end < min(to, i+maxEntity) && alphanumeric(r.source[end]) {
		end++
	}
	if end < to && r.source[end] == ';' {
		end++
	}
	raw := string(r.source[i:end])
	text := html.UnescapeString(raw)
	if text == raw {
		r.put(r.source[i:i+1], i, 1)
		return 1
	}
	// Some names need no semicolon, and then letters may follow that are not of them: "&ampere".
	for len(text) > 1 && text[len(text)-1] == raw[len(raw)-1] && (alphanumeric(text[len(text)-1]) || text[len(text)-1] == ';') {
		text, raw = text[:len(text)-1], raw[:len(raw)-1]
	}
	if r.pre == 0 && strings.TrimSpace(text) == "" {
		r.gap = true
	} else {
		r.put([]byte(text), i, len(raw))
	}
	return len(raw)
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// put appends text that was read from size bytes of source at i.
func (r *reader) put(text []byte, i, size int) {
	if r.gap {
		r.gap = false
		if start := r.blocks[len(r.blocks)-1].start; len(r.text) > start {
			r.text = append(r.text, ' ')
		}
	}
	at := len(r.text)
	r.text = append(r.text, text...)
	if k := len(r.runs) - 1; k >= 0 && size == len(text) {
		if last := &r.runs[k]; last.n == last.size && last.text+last.n == at && last.source+last.size == i {
			last.n += size
			last.size += size
			return
		}
	}
	r.runs = append(r.runs, run{text: at, source: i, n: len(text), size: size})
}

// begin is where in the source the text at i begins.
func (pg *page) begin(i int) int {
	k := sort.Search(len(pg.runs), func(k int) bool { return pg.runs[k].text+pg.runs[k].n > i })
	if k == len(pg.runs) {
		k--
	}
	r := pg.runs[k]
	if r.n != r.size || i < r.text {
		return r.source
	}
	return r.source + i - r.text
}

// end is where in the source the text before i ends.
func (pg *page) end(i int) int {
	k := sort.Search(len(pg.runs), func(k int) bool { return pg.runs[k].text >= i }) - 1
	r := pg.runs[max(k, 0)]
	if r.n != r.size || i > r.text+r.n {
		return r.source + r.size
	}
	return r.source + i - r.text
}
