package chunk

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
)

// check holds the pieces of a text against everything that the package promises.
func check(t *testing.T, text, contentType string, o Options) []events.Chunk {
	t.Helper()
	got, err := Split([]byte(text), contentType, o)
	require.NoError(t, err)
	again, err := Split([]byte(text), contentType, o)
	require.NoError(t, err)
	require.Equal(t, got, again, "the same text gives the same pieces")

	limit := o.MaxTokens
	if limit == 0 {
		limit = DefaultMaxTokens
	}
	last := -1
	for i, c := range got {
		require.Equal(t, i, c.Index)
		require.True(t, 0 <= c.Start && c.Start < c.End && c.End <= len(text), "%d to %d of %d", c.Start, c.End, len(text))
		require.Greater(t, c.Start, last, "pieces are in order")
		last = c.Start
		require.NotEmpty(t, strings.TrimSpace(c.Text))
		require.True(t, utf8.ValidString(c.Text))
		require.LessOrEqual(t, Tokens([]byte(c.Text)), limit, "%q", c.Text)
		require.LessOrEqual(t, len(c.Text), 10*limit, "a piece is small in bytes, too")
		require.Equal(t, text[c.Start:c.End], c.Text)
	}
	cover(t, text, got, o)
	return got
}

// cover checks that every visible character is in a piece, of which two overlap only when that is wanted, and that
// no cluster is cut.
func cover(t *testing.T, text string, got []events.Chunk, o Options) {
	t.Helper()
	at := 0
	for _, c := range got {
		if o.OverlapTokens == 0 {
			require.GreaterOrEqual(t, c.Start, at, "without overlap nothing is said twice")
		}
		if c.Start > at {
			require.Empty(t, strings.TrimFunc(text[at:c.Start], unicode.IsSpace), "lost at %d", at)
		}
		at = max(at, c.End)
	}
	require.Empty(t, strings.TrimFunc(text[at:], unicode.IsSpace), "lost at the end")

	cuts := map[int]bool{}
	for _, c := range got {
		cuts[c.Start], cuts[c.End] = true, true
	}
	state, rest, pos := -1, text, 0
	for rest != "" {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if utf8.RuneCountInString(cluster) <= maxCluster/2 && Tokens([]byte(cluster)) <= MinTokens {
			for i := pos + 1; i < pos+len(cluster); i++ {
				require.False(t, cuts[i], "cluster %q is cut", cluster)
			}
		}
		pos += len(cluster)
	}
}
