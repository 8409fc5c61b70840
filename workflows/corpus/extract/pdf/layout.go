package pdf

import (
	"bytes"
	"math"
	"strings"
	"unicode"
	"unicode/utf8"
)

// layout makes lines of glyphs from where they stand.
type layout struct {
	out   bytes.Buffer
	begun bool
	// Of the last glyph: where its line is and where it ended, along the direction of writing.
	dx, dy   float64 // the direction
	base     float64 // the line's distance from the origin, across the direction
	end      float64
	size     float64
	start    float64 // where the last glyph began
	last     string
	lineFrom int // where in out the line began
}

// put adds a glyph that stands at a place and is width wide, in units of its size.
func (l *layout) put(text string, at matrix, width float64) {
	dx, dy := at[0], at[1]
	across := length(dx, dy)
	size := length(at[2], at[3])
	if across == 0 || size == 0 || math.IsNaN(across+size) || math.IsInf(across+size, 0) {
		return
	}
	dx, dy = dx/across, dy/across
	along, base := at[4]*dx+at[5]*dy, at[5]*dx-at[4]*dy
	if l.begun && !l.follows(text, dx, dy, along, base, size) {
		return
	}
	l.begun = true
	l.dx, l.dy, l.base, l.size = dx, dy, base, size
	l.start, l.end, l.last = along, along+width*across, text
	l.write(text)
}

// follows breaks the line, or puts a space, before a glyph. It reports whether the glyph is new: some programs draw a glyph twice,
// to make it bold.
func (l *layout) follows(text string, dx, dy, along, base, size float64) bool {
	turned := dx*l.dx+dy*l.dy < 0.99
	down, gap := l.base-base, along-l.end
	em := max(size, l.size)
	switch {
	case turned || math.Abs(down) > 0.6*em:
		l.newLine(!turned && math.Abs(down) < 1.7*em)
	case text == l.last && math.Abs(along-l.start) < 0.1*em && math.Abs(down) < 0.1*em:
		return false
	case gap < -1.2*em || gap > 12*em:
		l.newLine(true)
	case gap > 0.17*em:
		l.gap()
	}
	return true
}

// newLine ends a line, and the paragraph when the next line is not close.
func (l *layout) newLine(close bool) {
	l.trim()
	if l.out.Len() == l.lineFrom { // nothing is on it
		return
	}
	l.out.WriteByte('\n')
	if !close {
		l.out.WriteByte('\n')
	}
	l.lineFrom = l.out.Len()
}

func (l *layout) gap() {
	if b := l.out.Bytes(); len(b) > l.lineFrom && b[len(b)-1] != ' ' {
		l.out.WriteByte(' ')
	}
}

func (l *layout) trim() {
	b := l.out.Bytes()
	n := len(b)
	for n > l.lineFrom && b[n-1] == ' ' {
		n--
	}
	l.out.Truncate(n)
}

// write adds what a glyph means: ligatures are their letters, spaces are one space.
func (l *layout) write(text string) {
	for _, r := range text {
		switch {
		case r == '\u00ad':
			l.out.WriteByte('-')
		case unicode.IsSpace(r):
			l.gap()
		case r >= 0xfb00 && r <= 0xfb06:
			l.out.WriteString([]string{"ff", "fi", "fl", "ffi", "ffl", "st", "st"}[r-0xfb00])
		case unicode.IsControl(r) || r == utf8.RuneError || r >= 0xe000 && r < 0xf900:
		default:
			l.out.WriteRune(r)
		}
	}
}

// text is what was laid out. A word that a line's end divided is one word again.
func (l *layout) text() string {
	l.trim()
	var out strings.Builder
	all := l.out.String()
	out.Grow(len(all))
	for more := true; more; {
		var line string
		line, all, more = strings.Cut(all, "\n")
		if more && divided(line, all) {
			out.WriteString(strings.TrimSuffix(line, "-"))
			continue
		}
		out.WriteString(line)
		if more {
			out.WriteByte('\n')
		}
	}
	return strings.TrimSpace(out.String())
}

// divided reports whether a line ends within a word: letters, a hyphen, and a small letter at the beginning of the next.
func divided(line, next string) bool {
	word, ok := strings.CutSuffix(line, "-")
	if !ok {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(word)
	after, _ := utf8.DecodeRuneInString(next)
	return unicode.IsLower(before) && unicode.IsLower(after)
}
