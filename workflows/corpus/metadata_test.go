package corpus_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

func TestFitMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		m           corpus.Metadata
		cut, headed bool
	}{
		"small":             {corpus.Metadata{DocID: "a", Text: "x", Heading: "H"}, false, true},
		"the largest chunk": {corpus.Metadata{DocID: "a", Text: strings.Repeat("water runs ", 400), Heading: "H"}, false, true},
		"long":              {corpus.Metadata{DocID: "a", Text: strings.Repeat("water runs ", 2000), Heading: "H"}, true, true},
		"one word":          {corpus.Metadata{DocID: "a", Text: strings.Repeat("水", 9000), Heading: "H"}, true, true},
		"escapes":           {corpus.Metadata{DocID: "a", Text: strings.Repeat("<\"\n\\\u2028\x01>", 5000), Heading: "H"}, true, true},
		"little room":       {corpus.Metadata{DocID: "a", Text: strings.Repeat("x y ", 3000), Heading: strings.Repeat("<", 1000), Source: strings.Repeat("<", 500)}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := corpus.FitMetadata(c.m)
			require.NoError(t, err)
			b, err := json.Marshal(got)
			require.NoError(t, err)
			assert.LessOrEqual(t, len(b), corpus.MaxMetadata)
			assert.Equal(t, c.cut, got.Cut)
			assert.Equal(t, c.headed, got.Heading != "")
			assert.True(t, strings.HasPrefix(c.m.Text, got.Text))
			assert.True(t, utf8.ValidString(got.Text))
			assert.NotEmpty(t, got.Text)
			if c.cut {
				assert.Greater(t, len(b), corpus.MaxMetadata*7/10, "most of the room is used")
			}
		})
	}
	_, err := corpus.FitMetadata(corpus.Metadata{Text: "x", Source: strings.Repeat("x", corpus.MaxMetadata)})
	assert.Equal(t, "metadata_too_large", fault.As(err).Code)
}

func TestEncodedLen(t *testing.T) {
	for _, s := range []string{"", "água", "<>&\"\\\n\r\t\b\f\x01\x1f\x7f", "\u2028\u2029\u2027", "👩‍👩‍👧‍👦"} {
		b, err := json.Marshal(s)
		require.NoError(t, err)
		assert.Equal(t, len(b)-2, corpus.EncodedLen(s), "%q", s)
	}
}
