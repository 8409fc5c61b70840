package corpus_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus"
)

// same asserts that a text is read as json.Unmarshal reads it.
func same(t *testing.T, text string) {
	t.Helper()
	var want corpus.Metadata
	failed := json.Unmarshal([]byte(text), &want)
	got, err := corpus.ReadMetadata([]byte(text))
	assert.Equal(t, failed == nil, err == nil, "%q: %v, %v", text, failed, err)
	if failed == nil {
		assert.Equal(t, want, got, "%q", text)
	}
}

var metadata = []string{
	`{"docId":"a","generation":1,"chunk":0,"start":0,"end":17,"text":"Who cut it?"}`,
	`{"docId":"a/b","generation":12,"chunk":3,"start":100,"end":2000,"text":"One\n\ntwo \"three\" \\ \/ \t\r \u00fc \u003cb\u003e","cut":true,"heading":"A > B","source":"wiki"}`,
	`{"docId":"日本","generation":1,"chunk":0,"start":0,"end":1,"text":"ü 🎉 \ud83c\udf89 \ud83c \u0000","cut":false}`,
	`{"docId":"a","meta":{"year":2020,"tags":["x"],"deep":{"a":null}},"text":""}`,
	`{"meta":{"a":"}\\"{"},"docId":"x"}`, `{"meta":{"a":1},"meta":{"b":2}}`, `{"meta":{"a":1}`, `{"meta":{"a"}}`, `{"meta":[]}`, `{"meta":null}`, `{"meta":{"a":1}}}`, `{"meta":`, `{"meta":{"a":"\\`,
	`{}`, ` {"docId" : "a"} `, `{"docId":"a"}x`, `{"docId":"a",}`, `{,"docId":"a"}`, `{"docId":"a" "text":"b"}`, `{"docId":"a"`, `{"docId":"a`, `{"docId":"a\`, `{"docId":"a\"`,
	`{"DOCID":"a","unknown":[1,2]}`, `{"doc\u0049d":"a"}`, `{"docId":null}`, `{"docId":1}`, `{"text":"` + "\xff" + `"}`, `{"text":"` + "\n" + `"}`, `{"text":"\x"}`, `{"text":"\b\f"}`,
	`{"generation":01}`, `{"generation":-1}`, `{"generation":1.5}`, `{"generation":1e3}`, `{"generation":99999999999}`, `{"generation":999999999}`, `{"generation":}`,
	`{"cut":truex}`, `{"cut":true}`, `{"docId":"a","docId":"b"}`, `null`, `[]`, ``, `"x"`, `{"text":"\u12"}`, `{"text":"\u+123"}`, `{"text":"\u_123"}`,
}

func TestMetadataIsReadAsJSONIs(t *testing.T) {
	for _, text := range metadata {
		same(t, text)
	}
	m := corpus.Metadata{DocID: "<é>", Generation: 3, Chunk: 4, Start: 5, End: 600, Text: strings.Repeat("a & b\n\u2028", 50), Cut: true, Heading: "h", Source: "s"}
	b, err := json.Marshal(m)
	require.NoError(t, err)
	same(t, string(b))
}

func FuzzMetadata(f *testing.F) {
	for _, text := range metadata {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { same(t, text) })
}

func BenchmarkReadMetadata(b *testing.B) {
	m := corpus.Metadata{DocID: "doc-1", Generation: 3, Chunk: 4, Start: 5, End: 600, Text: strings.Repeat("Who cut the channels of Madeira?\n", 40), Heading: "h > i", Source: "s"}
	text, err := json.Marshal(m)
	require.NoError(b, err)
	b.Run("unmarshal", func(b *testing.B) {
		for b.Loop() {
			var m corpus.Metadata
			_ = json.Unmarshal(text, &m)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			_, _ = corpus.ReadMetadata(text)
		}
	})
}
