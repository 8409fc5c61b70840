package pdf

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxMapped is how many codes a map may have: all that two bytes can be, and some.
const maxMapped = 100_000

// cmap says what codes mean. A code is looked for by its bytes, which may be one to four.
type cmap struct {
	spaces [5][]codeRange // by length: what codes of it there are
	to     map[string]string
	cids   map[string]int // of an encoding: the glyph
}

type codeRange struct{ low, high string }

// length is how many bytes the code that b begins with has.
func (m *cmap) length(b string) int {
	for n := 1; n <= min(4, len(b)); n++ {
		for _, r := range m.spaces[n] {
			if inRange(b[:n], r) {
				return n
			}
		}
	}
	return 0
}

// inRange compares byte by byte, as codes are.
func inRange(code string, r codeRange) bool {
	for i := range code {
		if code[i] < r.low[i] || code[i] > r.high[i] {
			return false
		}
	}
	return true
}

// readCMap reads the PostScript that maps are written in, as far as it has maps.
func readCMap(b []byte) *cmap {
	m := &cmap{to: map[string]string{}, cids: map[string]int{}}
	l := &lexer{b: b}
	var args array
	for {
		o := l.next()
		k, ok := o.(keyword)
		if !ok {
			if args = append(args, o); len(args) > 3*maxMapped {
				return m
			}
			continue
		}
		switch k {
		case end:
			return m
		case "endcodespacerange":
			m.space(args)
		case "endbfchar":
			m.chars(args)
		case "endbfrange":
			m.ranges(args, m.bf)
		case "endcidchar":
			for i := 0; i+1 < len(args); i += 2 {
				code, ok := args[i].(text)
				if n, isNumber := args[i+1].(float64); ok && isNumber && len(m.cids) < maxMapped {
					m.cids[string(code)] = int(n)
				}
			}
		case "endcidrange":
			m.ranges(args, m.cid)
		}
		args, l.held = args[:0], 0
	}
}

func (m *cmap) space(args array) {
	for i := 0; i+1 < len(args); i += 2 {
		low, ok := args[i].(text)
		high, ok2 := args[i+1].(text)
		if ok && ok2 && len(low) == len(high) && len(low) >= 1 && len(low) <= 4 && len(m.spaces[len(low)]) < 256 {
			m.spaces[len(low)] = append(m.spaces[len(low)], codeRange{string(low), string(high)})
		}
	}
}

func (m *cmap) chars(args array) {
	for i := 0; i+1 < len(args); i += 2 {
		code, ok := args[i].(text)
		means, ok2 := args[i+1].(text)
		if ok && ok2 && len(m.to) < maxMapped {
			m.to[string(code)] = utf16Text(string(means))
		}
	}
}

// ranges hands each code of each range to put, with how far it is into its range.
func (m *cmap) ranges(args array, put func(code string, i int, means any)) {
	for k := 0; k+2 < len(args); k += 3 {
		low, ok := args[k].(text)
		high, ok2 := args[k+1].(text)
		if !ok || !ok2 || len(low) != len(high) || len(low) == 0 || len(low) > 4 {
			continue
		}
		from, to := codeNumber(string(low)), codeNumber(string(high))
		for n := from; n <= to && n-from <= 0xffff && len(m.to)+len(m.cids) < maxMapped; n++ {
			put(codeBytes(n, len(low)), int(n-from), args[k+2])
		}
	}
}

func (m *cmap) bf(code string, i int, means any) {
	switch means := means.(type) {
	case text:
		r := []rune(utf16Text(string(means)))
		if len(r) == 0 {
			return
		}
		r[len(r)-1] += rune(i)
		m.to[code] = string(r)
	case array:
		if i < len(means) {
			if s, ok := means[i].(text); ok {
				m.to[code] = utf16Text(string(s))
			}
		}
	}
}

func (m *cmap) cid(code string, i int, means any) {
	if n, ok := means.(float64); ok {
		m.cids[code] = int(n) + i
	}
}

func codeNumber(s string) (n uint32) {
	for i := range len(s) {
		n = n<<8 | uint32(s[i])
	}
	return n
}

func codeBytes(n uint32, size int) string {
	b := make([]byte, size)
	for i := size - 1; i >= 0; i-- {
		b[i] = byte(n)
		n >>= 8
	}
	return string(b)
}

// utf16Text is the text of big-endian UTF-16. One byte alone stands for itself.
func utf16Text(s string) string {
	if len(s) == 1 {
		return string(rune(s[0]))
	}
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	return string(utf16.Decode(units))
}

// textString is what a string means that people are to read, a title for example.
func textString(s string) string {
	switch {
	case strings.HasPrefix(s, "\xfe\xff"):
		return utf16Text(s[2:])
	case strings.HasPrefix(s, "\xef\xbb\xbf") && utf8.ValidString(s):
		return s[3:]
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(winAnsi[s[i]])
	}
	return b.String()
}
