package prose

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/answer"
)

// Span is a part of a text, in bytes.
type Span struct{ From, To int }

// Of is the part itself.
func (s Span) Of(text string) string { return text[s.From:s.To] }

// Sentences are those of a text in their order, without the white space and the signs of lists and headings around them. A line ends a sentence,
// unless it seems to have been broken to fit a page.
func Sentences(text string) []Span {
	var out []Span
	for _, s := range answer.Sentences(joined(text)) {
		from, to := s.From, s.To
		from += len(text[from:to]) - len(strings.TrimLeftFunc(text[from:to], unicode.IsSpace))
		from += marked(text[from:to])
		to = from + len(strings.TrimRightFunc(text[from:to], unicode.IsSpace))
		if from < to {
			out = append(out, Span{from, to})
		}
	}
	return out
}

// brokenAt is how long a line is that may have been broken to fit a page.
const brokenAt = 40

// joined is a text, byte for byte, in which white space is in place of the line breaks within paragraphs.
func joined(text string) string {
	if !strings.Contains(text, "\n") {
		return text
	}
	b := []byte(text)
	for from := 0; ; {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			return string(b)
		}
		end := from + i
		if goesOn(text[from:end], text[end+1:]) {
			b[end] = ' '
		}
		from = end + 1
	}
}

// goesOn reports whether what follows a line belongs to its sentence.
func goesOn(line, rest string) bool {
	if len(line) < brokenAt || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "|") {
		return false
	}
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	if marked(rest) > 0 || rest == "" || strings.HasPrefix(rest, "|") {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	return !unicode.IsSpace(next)
}

// marked is how long the sign of a list, a quotation or a heading is that a line begins with, with the white space after it.
func marked(line string) int {
	n := 0
	for n < len(line) && n < 6 && (line[n] == '#' || line[n] == '>') {
		n++
	}
	if n == 0 {
		switch {
		case strings.HasPrefix(line, "- "), strings.HasPrefix(line, "* "), strings.HasPrefix(line, "+ "):
			n = 1
		case strings.HasPrefix(line, "• "), strings.HasPrefix(line, "– "):
			n = len("•")
		default:
			for n < len(line) && n < 3 && line[n] >= '0' && line[n] <= '9' {
				n++
			}
			if n == 0 || n >= len(line) || line[n] != '.' && line[n] != ')' {
				return 0
			}
			n++
		}
	}
	space := len(line[n:]) - len(strings.TrimLeft(line[n:], " \t"))
	if space == 0 {
		return 0
	}
	return n + space
}
