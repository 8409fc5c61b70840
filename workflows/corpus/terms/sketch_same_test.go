package terms

import (
	"math/rand/v2"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// oneByOne is Sketch with every letter taken by itself.
func oneByOne(text string) []uint32 {
	out, s := []uint32{}, sketch{}
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		text = text[n:]
		if r < utf8.RuneSelf {
			switch k := ascii[r]; k {
			case none:
				out = s.end(out)
			case latin:
				out = s.letter(out, k, uint32(r|0x20))
			default:
				out = s.letter(out, k, uint32(r))
			}
			continue
		}
		switch k := scriptOf(r); k {
		case none:
			out = s.end(out)
		case extender:
		default:
			for b := appendFolded(nil, r); len(b) > 0; {
				f, n := utf8.DecodeRune(b)
				out, b = s.letter(out, k, uint32(f)), b[n:]
			}
		}
	}
	return s.end(out)
}

func TestASketchOfRunsIsThatOfLetters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "B", "zebra", "7", "42", " ", ", ", "'", "水", "流れ", "ü", "ẞ", "e\u0301", "น้ำ", "\xff", "ﬁ", "Д", "\n"}
	for range 5000 {
		text := ""
		for range r.IntN(20) {
			text += pieces[r.IntN(len(pieces))]
		}
		require.Equal(t, oneByOne(text), Sketch(text), "%q", text)
	}
}
