package terms_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus/terms"
)

func TestPlaces(t *testing.T) {
	const text = "The Müllers' pumps cost 1,000 euros; they don't break."
	got := terms.Places(text, terms.LanguageOf("the pumps that were there"))
	var words, all []string
	for _, p := range got {
		words = append(words, text[p.From:p.To])
		all = append(all, p.Terms...)
	}
	assert.Equal(t, []string{"The", "Müllers", "pumps", "cost", "1,000", "euros", "they", "don't", "break"}, words)
	assert.Contains(t, all, "pump")
	assert.Contains(t, all, "1000")
	assert.True(t, got[0].Function)
	assert.False(t, got[2].Function)
	assert.True(t, got[4].Number)
	assert.Equal(t, "de", terms.LanguageOf("Der Hund und die Katze", "sind nicht da").Code())
	assert.False(t, terms.LanguageOf("42").Known())
	assert.Empty(t, terms.Places("?!", terms.Language{}))
}

// The terms of places are those of a passage, and each place is where it says.
func FuzzPlaces(f *testing.F) {
	f.Add("The U.S.A. won 3-1. 東京タワー is 333 m; Straßenbahnhaltestelle’s.")
	f.Add("१२३ हिन्दी में, ไม่มีช่องว่าง, l'été")
	f.Fuzz(func(t *testing.T, text string) {
		_, body := terms.Passage("", "", text)
		var got []string
		last := 0
		for _, p := range terms.Places(text, terms.LanguageOf(text)) {
			require.True(t, last <= p.From && p.From < p.To && p.To <= len(text), "%d %d of %d", p.From, p.To, len(text))
			last = p.To
			got = append(got, p.Terms...)
		}
		if !slices.Equal(body, got) {
			require.Equal(t, body, got)
		}
	})
}
