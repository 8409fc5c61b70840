package terms_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/corpus/terms"
)

func TestSketchIsTheSameForTheSameWords(t *testing.T) {
	same := func(a, b string) {
		t.Helper()
		assert.Equal(t, terms.Sketch(a), terms.Sketch(b), "%s and %s", a, b)
	}
	same("The Levada, of MADEIRA.", "the levada of madeira")
	same("café", "CAFE\u0301")
	same("terraces", "terrace!")
	same("ＡＢＣ", "abc")
	same("水渠的", "水渠的。")
	assert.Len(t, terms.Sketch("one two three"), 3)
	assert.Len(t, terms.Sketch("水渠的"), 2)
	assert.Len(t, terms.Sketch("a 水"), 2)
	assert.Empty(t, terms.Sketch(" -- "))
	assert.NotEqual(t, terms.Sketch("water"), terms.Sketch("waiter"))
}

func BenchmarkSketch(b *testing.B) {
	text := strings.Repeat("Each levada is a narrow channel that carries water from the wet north of the island. ", 24)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		terms.Sketch(text)
	}
}
