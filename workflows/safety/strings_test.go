package safety

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stringsOf are the strings of a JSON text as encoding/json reads them.
func stringsOf(t testing.TB, text string) []string {
	all := []string{}
	dec := json.NewDecoder(strings.NewReader(text))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			return all
		}
		require.NoError(t, err)
		if s, ok := token.(string); ok {
			all = append(all, s)
		}
	}
}

func checkLeaves(t testing.TB, text string) {
	found := []string{}
	require.NoError(t, leaves(text, func(l leaf) error {
		var s string
		require.NoError(t, json.Unmarshal([]byte(text[l.from:l.to]), &s))
		found = append(found, string([]rune(l.text)))
		return nil
	}))
	want := stringsOf(t, text)
	for i := range want {
		want[i] = string([]rune(want[i]))
	}
	assert.Equal(t, want, found, "%q", text)
}

func TestLeaves(t *testing.T) {
	for _, text := range []string{
		`{}`, `""`, `"a"`, `{"a":{"b":["c","",1,null,"d:e"]}}`, `{ "a" : "b" , "a\"b" : "\\" }`, `["\u0049\u00e9\u4e16\ud83d\ude00","\ud83d","\ud83dx","\ud83d\u0041","\/\b\f\n\r\t\\n"]`,
		`["ünï","世界","😀"]`,
	} {
		checkLeaves(t, text)
	}
	names := map[string]bool{}
	require.NoError(t, leaves(`{ "a" : "b", "c"
	:["d", {"e":"f:"}]}`, func(l leaf) error { names[l.text] = l.name; return nil }))
	assert.Equal(t, map[string]bool{"a": true, "b": false, "c": true, "d": false, "e": true, "f:": false}, names)
	for text, want := range map[string][]string{`{"a":"b`: {"a", "b"}, `"\`: {`\`}, `"\u12`: {`\u12`}, `"a\"`: {`a"`}, `x`: nil, `"`: {""}} {
		var found []string
		require.NoError(t, leaves(text, func(l leaf) error {
			assert.LessOrEqual(t, l.to, len(text))
			found = append(found, l.text)
			return nil
		}))
		assert.Equal(t, want, found, text)
	}
}

func FuzzLeaves(f *testing.F) {
	f.Add(`{"a":["\ud83d\ude00\\\"",{"b":"\u0000"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if json.Valid([]byte(text)) {
			checkLeaves(t, text)
		}
		_ = leaves(text, func(l leaf) error {
			if l.from < 0 || l.to > len(text) || l.from >= l.to {
				t.Fatal(l)
			}
			return nil
		})
	})
}
