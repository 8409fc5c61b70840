package corpus_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/workflows/corpus"
)

func TestToEmbed(t *testing.T) {
	for _, tc := range []struct{ title, heading, want string }{
		{"", "", "text"},
		{"Title", "", "Title\ntext"},
		{"", "A > B", "A > B\ntext"},
		{"Title", "A > B", "Title\nA > B\ntext"},
		{"Title", "Title", "Title\ntext"},
	} {
		assert.Equal(t, tc.want, corpus.ToEmbed(tc.title, tc.heading, "text"))
	}
}
