package imports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

func TestPartsAreFullAndNotMore(t *testing.T) {
	acme := tenantstest.Scope(t, "acme")
	for _, c := range []struct {
		name    string
		entries int
		bytes   int // of each text
		parts   int
	}{
		{"nothing", 0, 0, 0},
		{"small ones", 1001, 10, 3},
		{"medium ones", 30, 1 << 20, 15}, // two a part, with their base64
		{"larger than a part", 3, 8 << 20, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			parts := &memory.Parts{} // it checks the rule
			w := imports.NewWriter(parts, acme, "i", 5)
			for i := range c.entries {
				require.NoError(t, w.Add(t.Context(), imports.Entry{Line: i + 1, Draft: &corpus.Draft{Text: bytes.Repeat([]byte("x"), c.bytes)}}))
			}
			require.NoError(t, w.Flush(t.Context()))
			require.NoError(t, w.Flush(t.Context()))
			assert.Equal(t, []int{c.entries, 5 + c.parts, c.parts}, []int{w.Entries, w.Parts, parts.Len(acme)})
			lines := 0
			for part := 5; part < w.Parts; part++ {
				body, err := parts.Get(t.Context(), acme, "i", part, math.MaxInt64)
				require.NoError(t, err)
				lines += bytes.Count(body, []byte("\n"))
			}
			assert.Equal(t, c.entries, lines)
		})
	}
}

// What a part has of an entry is the entry as JSON, although its text goes another way.
func TestAPartHasEntriesAsJSON(t *testing.T) {
	acme := tenantstest.Scope(t, "acme")
	var want, got []byte
	parts := &memory.Parts{}
	w := imports.NewWriter(parts, acme, "i", 0)
	w.Limit = 10_000
	for i, d := range []*corpus.Draft{
		nil, {}, {Text: []byte{}}, {DocID: "a", Text: []byte("x")}, {Text: bytes.Repeat([]byte{0, 255, '"'}, 1000)},
		{DocID: `"Text":null`, JobID: `\"Text":null`, Text: []byte("x"), Fetch: `"Text":null`},
		{DocID: `"Text":null`}, {Text: []byte("x"), About: events.About{Title: `"Text":null`, Metadata: map[string]any{"Text": nil}}},
		{Text: bytes.Repeat([]byte{1, 2, 3, 4}, 10_001)}, {Text: []byte("behind what is larger than a part")},
	} {
		e := imports.Entry{Line: i + 1, Draft: d, File: "f"}
		line, err := json.Marshal(e)
		require.NoError(t, err)
		want = append(append(want, line...), '\n')
		before := fmt.Sprint(d)
		require.NoError(t, w.Add(t.Context(), e))
		assert.Equal(t, before, fmt.Sprint(d), "it is the caller's")
	}
	require.NoError(t, w.Flush(t.Context()))
	assert.Equal(t, 3, w.Parts)
	for part := range w.Parts {
		body, err := parts.Get(t.Context(), acme, "i", part, math.MaxInt64)
		require.NoError(t, err)
		got = append(got, body...)
	}
	assert.Equal(t, string(want), string(got))
}

func TestDocIDs(t *testing.T) {
	allowed := regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~:/@+=,-]{0,199}$`)
	for _, same := range []string{"https://a.example/x/y.html", "docs/a.md", "a"} {
		assert.Equal(t, same, imports.DocID(same))
	}
	seen := map[string]string{}
	for _, name := range []string{
		"", "-", "~", "é", "ü", "/docs/a.md", "docs/a.md", "docs/ä.md", "docs/a b.md", "docs/a?b.md", "https://a.example/?q=1", "https://a.example/?q=2",
		"https://a.example/#x", "https://a.example/" + strings.Repeat("x", 300), "https://a.example/" + strings.Repeat("x", 301), "docs/a-b.md", "\x00", "日本",
	} {
		id := imports.DocID(name)
		assert.Regexp(t, allowed, id, "%q", name)
		assert.Empty(t, seen[id], "%q", name)
		assert.Equal(t, id, imports.DocID(name))
		seen[id] = fmt.Sprintf("%q", name)
	}
}
