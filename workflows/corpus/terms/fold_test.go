package terms_test

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"golang.org/x/text/unicode/norm"

	"levada.dev/workflows/corpus/terms"
)

// TestMarksAreFoldedAsUnicodeDecomposes holds the tables against Unicode's own: each letter with a mark is the one below it, also
// when the mark is a character by itself.
func TestMarksAreFoldedAsUnicodeDecomposes(t *testing.T) {
	one := func(s string) string {
		_, b := terms.Passage("", "", s)
		if len(b) != 1 {
			return ""
		}
		return b[0]
	}
	n := 0
	for _, span := range [][2]rune{{0xC0, 0x24F}, {0x1E00, 0x1EFF}, {0x386, 0x3CE}, {0x1F00, 0x1FFC}} {
		for r := span[0]; r <= span[1]; r++ {
			apart := []rune(norm.NFD.String(string(r)))
			if len(apart) < 2 || !unicode.IsLetter(r) {
				continue
			}
			assert.Equal(t, one(string(apart[0])), one(string(r)), "%c", r)
			assert.Equal(t, one(string(r)), one(string(apart)), "%c, in two", r)
			n++
		}
	}
	assert.Greater(t, n, 700)
}
