package chunk

import (
	"bytes"
	"regexp"
	"strings"
)

// markdown reads blocks line by line. It knows what divides blocks, not what is in them: emphasis and links stay as
// they are written.
type markdown struct {
	*packer
	start int  // of the block that is open
	kind  kind // of it
	fence fence
	bare  bool // nothing but headings since the last heading: what follows belongs to it
	list  bool // a list goes on until a line that is neither indented nor an item follows a blank one
	gap   bool // the last line was blank
}

type kind uint8

const (
	none kind = iota
	paragraph
	item
	table
	fenced
	indented
)

// fence is what closes a block of code: at least n of c.
type fence struct {
	c byte
	n int
}

func readMarkdown(p *packer, text []byte) {
	m := &markdown{packer: p, start: 0}
	i := m.frontMatter()
	m.start = i
	for i < len(text) {
		next := m.line(i, len(text))
		m.read(i, next)
		i = next
	}
	m.close(len(text))
}

// maxFrontMatter is how far the end of YAML in front of the text is looked for.
const maxFrontMatter = 64 << 10

// frontMatter takes YAML between two lines of dashes at the very beginning as one block.
func (m *markdown) frontMatter() int {
	if !bytes.HasPrefix(m.text, []byte("---\n")) {
		return 0
	}
	head := m.text[:min(len(m.text), maxFrontMatter)]
	end := bytes.Index(head[3:], []byte("\n---\n"))
	if end < 0 {
		return 0
	}
	end += 3 + len("\n---\n")
	m.whole(0, end, levelBlock)
	return end
}

// read takes one line.
func (m *markdown) read(start, end int) {
	line := bytes.TrimRight(m.text[start:end], "\r\n")
	indent, rest := unindent(line)
	if m.kind == fenced {
		if m.fence.closedBy(rest) {
			m.close(end)
		}
		return
	}
	if len(rest) == 0 {
		m.blank(start)
		return
	}
	defer func() { m.gap = false }()
	if m.gap && m.list && indent < 2 && !isItem(rest) {
		m.list = false
	}
	quoted := unquote(rest)
	switch f, isFence := opensFence(quoted); {
	case isFence && (indent < 4 || m.list):
		m.begin(start, fenced)
		m.fence = f
	case indent >= 4 && !m.list && m.kind != paragraph:
		if m.kind != indented {
			m.begin(start, indented)
		}
	case indent < 4 && rest[0] == '#' && headingRank(rest) > 0:
		m.heading(start, end, headingRank(rest), headingText(rest))
	case indent < 4 && m.kind == paragraph && !m.gap && underline(rest) > 0:
		m.heading(m.start, end, underline(rest), m.text[m.start:start])
	case isItem(rest):
		m.begin(start, item)
		m.list = true
	case m.kind == table && bytes.IndexByte(rest, '|') >= 0:
	case m.kind == paragraph && isDelimiterRow(rest):
		m.begin(m.lastLine(start), table)
	case m.kind == none || m.kind == table || m.kind == indented:
		m.begin(start, paragraph)
	}
}

// blank ends a block, but not code that goes on behind it.
func (m *markdown) blank(start int) {
	m.gap = true
	if m.kind != indented && m.kind != none {
		m.close(start)
	}
}

// begin closes the block that is open and opens another.
func (m *markdown) begin(start int, k kind) {
	m.close(start)
	m.start, m.kind = start, k
}

// close takes the block that is open, up to end.
func (m *markdown) close(end int) {
	start, k := m.start, m.kind
	m.start, m.kind = end, none
	if start >= end || blank(m.text[start:end]) {
		return
	}
	l := levelBlock
	if m.list && (k == item || k == paragraph || k == fenced) {
		l = levelItem
	}
	if m.bare {
		l = levelGlued
	}
	m.bare = false
	switch k {
	case fenced, table, indented:
		m.whole(start, end, l)
	default:
		m.sentences(start, end, l)
	}
}

// heading opens a section with the heading's own lines as its first atom.
func (m *markdown) heading(start, end, rank int, title []byte) {
	if m.start < start {
		m.close(start)
	}
	m.kind, m.start, m.list = none, end, false
	m.open(rank, plainTitle(string(title)))
	l := levelSection
	if m.bare {
		l = levelGlued
	}
	m.add(start, end, l)
	m.bare = true
}

// lastLine is where the line before the one at i begins, within the open block.
func (m *markdown) lastLine(i int) int {
	if k := bytes.LastIndexByte(m.text[m.start:i-1], '\n'); k >= 0 {
		return m.start + k + 1
	}
	return m.start
}

// unindent measures the white space a line begins with, in columns.
func unindent(line []byte) (int, []byte) {
	columns := 0
	for i, c := range line {
		switch c {
		case ' ':
			columns++
		case '\t':
			columns += 4 - columns%4
		default:
			return columns, line[i:]
		}
	}
	return columns, nil
}

// unquote takes block quote marks off.
func unquote(line []byte) []byte {
	for len(line) > 0 && line[0] == '>' {
		line = bytes.TrimLeft(line[1:], " \t")
	}
	return line
}

func opensFence(line []byte) (fence, bool) {
	if len(line) < 3 || line[0] != '`' && line[0] != '~' {
		return fence{}, false
	}
	n := 0
	for n < len(line) && line[n] == line[0] {
		n++
	}
	if n < 3 || line[0] == '`' && bytes.IndexByte(line[n:], '`') >= 0 {
		return fence{}, false
	}
	return fence{line[0], n}, true
}

func (f fence) closedBy(line []byte) bool {
	line = bytes.TrimRight(unquote(line), " \t")
	if len(line) < f.n {
		return false
	}
	for _, c := range line {
		if c != f.c {
			return false
		}
	}
	return true
}

func headingRank(line []byte) int {
	n := 0
	for n < len(line) && line[n] == '#' {
		n++
	}
	if n > 6 || n < len(line) && line[n] != ' ' && line[n] != '\t' {
		return 0
	}
	return n
}

// headingText is a heading's line without the marks that open and, behind a space, close it.
func headingText(line []byte) []byte {
	text := bytes.TrimRight(bytes.TrimLeft(line, "#"), " \t")
	if open := bytes.TrimRight(text, "#"); len(open) == 0 || open[len(open)-1] == ' ' || open[len(open)-1] == '\t' {
		text = open
	}
	return bytes.TrimSpace(text)
}

// underline is the rank that a line of = or - gives to the paragraph above it.
func underline(line []byte) int {
	line = bytes.TrimRight(line, " \t")
	if line[0] != '=' && line[0] != '-' {
		return 0
	}
	for _, c := range line {
		if c != line[0] {
			return 0
		}
	}
	if line[0] == '=' {
		return 1
	}
	return 2
}

func isItem(line []byte) bool {
	n := 0
	for n < len(line) && n < 9 && line[n] >= '0' && line[n] <= '9' {
		n++
	}
	switch {
	case n > 0:
		if n >= len(line) || line[n] != '.' && line[n] != ')' {
			return false
		}
	case line[0] != '-' && line[0] != '+' && line[0] != '*':
		return false
	}
	return n+1 == len(line) || line[n+1] == ' ' || line[n+1] == '\t'
}

// isDelimiterRow reports whether a line makes a table of the line above it: "| --- | :-: |".
func isDelimiterRow(line []byte) bool {
	dashes, bars := false, false
	for _, c := range line {
		switch c {
		case '-':
			dashes = true
		case '|':
			bars = true
		case ':', ' ', '\t':
		default:
			return false
		}
	}
	return dashes && bars
}

var link = regexp.MustCompile(`!?\[([^\[\]]*)\]\([^()]*\)`)

// marks are taken out of titles. It is made once: what it is made of is a hundred times as long as most titles.
var marks = strings.NewReplacer("`", "", "**", "", "__", "")

// plainTitle is a heading's text without the marks around it.
func plainTitle(s string) string {
	if len(s) > 1000 {
		s = s[:1000]
	}
	s = link.ReplaceAllString(strings.ToValidUTF8(s, ""), "$1")
	return marks.Replace(s)
}
