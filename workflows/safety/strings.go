package safety

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// leaf is a string of a JSON text, as whoever reads the JSON has it.
type leaf struct {
	from, to int // where it stands, with its quotation marks
	text     string
	name     bool // of a member
}

// leaves finds the strings of a JSON text, names of members too, in the order in which they stand. It keeps none of them. A text that is not JSON,
// or ends in its middle, has what stands between quotation marks.
func leaves(text string, each func(leaf) error) error {
	for i := 0; ; {
		k := strings.IndexByte(text[i:], '"')
		if k < 0 {
			return nil
		}
		from := i + k
		end, escapes := from+1, false
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				escapes = true
				end++
			}
			end++
		}
		end = min(end, len(text))
		l := leaf{from: from, to: min(end+1, len(text)), text: text[from+1 : end]}
		if escapes {
			l.text = unescaped(l.text)
		}
		l.name = first(text[l.to:]) == ':'
		i = l.to
		if err := each(l); err != nil {
			return err
		}
	}
}

// isJSON reports whether a text is JSON that may have strings, and seemsJSON whether one that is none was some before it was cut, or is many.
func isJSON(text string) bool {
	return strings.IndexByte(text, '"') >= 0 && strings.IndexByte(`{["`, first(text)) >= 0 && json.Valid([]byte(text))
}

func seemsJSON(text string) bool {
	begin := strings.TrimLeft(text, blanks)
	if begin == "" || begin[0] != '{' && begin[0] != '[' {
		return false
	}
	next := first(begin[1:])
	return next == '"' || begin[0] == '[' && (next == '{' || next == '[')
}

const blanks = " \t\r\n"

// first is the first byte of a text that is not blank, 0 when there is none.
func first(text string) byte {
	if text = strings.TrimLeft(text, blanks); text != "" {
		return text[0]
	}
	return 0
}

// unescaped is a text with what the escapes of JSON stand for. What is none stays as it is.
func unescaped(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for {
		before, rest, found := strings.Cut(text, `\`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		r, size := escape(rest)
		b.WriteRune(r)
		text = rest[size:]
	}
}

// escape is the rune that an escape stands for, and how much of what follows its backslash is read.
func escape(rest string) (rune, int) {
	if rest == "" {
		return '\\', 0
	}
	switch c := rest[0]; c {
	case '"', '\\', '/':
		return rune(c), 1
	case 'b', 'f', 'n', 'r', 't':
		return rune("\b\f\n\r\t"[strings.IndexByte("bfnrt", c)]), 1
	case 'u':
		r, ok := fourDigits(rest[1:])
		if !ok {
			return '\\', 0
		}
		if utf16.IsSurrogate(r) && strings.HasPrefix(rest[5:], `\u`) {
			low, _ := fourDigits(rest[7:])
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 11
			}
		}
		return r, 5
	}
	return '\\', 0
}

func fourDigits(text string) (rune, bool) {
	if len(text) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(text[:4], 16, 16)
	return rune(n), err == nil
}
