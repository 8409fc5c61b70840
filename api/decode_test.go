package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events/fault"
	"levada.dev/events/tally"
)

func TestDecodeAccepts(t *testing.T) {
	for _, body := range []string{
		`{}`,
		" \t\r\n{ } \n",
		`{"text":"a"}`,
		`{"text":"\"\\\/\b\f\n\r\tA\u00e9\ud83d\ude00 😀"}`,
		`{"text":null,"chunking":null,"metadata":null}`,
		`{"chunking":{"maxTokens":-0,"overlapTokens":12}}`,
		`{"metadata":{"a":[{"b":{"a":1}},{"a":[true,false,null,-1.5e-3,0]}]}}`,
		`{"te\u0078t":"escaped names are names"}`,
		`{"metadata":{"a":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}}`,
	} {
		assert.NoError(t, api.Decode([]byte(body)), body)
	}
}

func TestDecodeTellsWhichField(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	many := make([]string, 40)
	for i := range many {
		many[i] = `"` + strings.Repeat("k", i+1) + `":0`
	}
	for _, tc := range []struct{ body, code, field string }{
		{``, "body_empty", ""},
		{" \n", "body_empty", ""},
		{`[]`, "invalid_type", ""},
		{`null`, "invalid_type", ""},
		{`"text"`, "invalid_type", ""},
		{`{"texts":"a"}`, "unknown_field", "texts"},
		{`{"Text":"a"}`, "unknown_field", "Text"},
		{`{"":"a"}`, "unknown_field", ""},
		{`{"chunking":{"max":1}}`, "unknown_field", "chunking.max"},
		{`{"text":5}`, "invalid_type", "text"},
		{`{"text":["a"]}`, "invalid_type", "text"},
		{`{"text":{"a":"b"}}`, "invalid_type", "text"},
		{`{"text":true}`, "invalid_type", "text"},
		{`{"chunking":[]}`, "invalid_type", "chunking"},
		{`{"chunking":{"maxTokens":"64"}}`, "invalid_type", "chunking.maxTokens"},
		{`{"chunking":{"maxTokens":64.0}}`, "invalid_type", "chunking.maxTokens"},
		{`{"chunking":{"maxTokens":1e2}}`, "invalid_type", "chunking.maxTokens"},
		{`{"chunking":{"maxTokens":99999999999999999999}}`, "invalid_type", "chunking.maxTokens"},
		{`{"metadata":"a"}`, "invalid_type", "metadata"},
		{`{"metadata":{"a":1e999}}`, "invalid_type", "metadata.a"},
		{`{"text":"a","text":"b"}`, "duplicate_field", "text"},
		{`{"text":"a","te\u0078t":"b"}`, "duplicate_field", "text"},
		{`{"metadata":{"a":[1,{"b":1,"b":2}]}}`, "duplicate_field", "metadata.a[1].b"},
		{`{"metadata":{` + strings.Join(many, ",") + `,"kkk":1}}`, "duplicate_field", "metadata.kkk"},
		{`{"metadata":{"a":` + deep + `}}`, "json_too_deep", "metadata.a" + strings.Repeat("[0]", 30)},
	} {
		err := api.Decode([]byte(tc.body))
		require.True(t, fault.Is(err, fault.Invalid), "%.80s: %v", tc.body, err)
		f := fault.As(err)
		assert.Equal(t, tc.code, f.Code, "%.80s", tc.body)
		assert.Equal(t, tc.field, f.Field, "%.80s", tc.body)
	}
}

func TestDecodeTellsWhereItStopsBeingJSON(t *testing.T) {
	for _, tc := range []struct {
		body   string
		offset int
	}{
		{`{`, 1},
		{`{"text"`, 7},
		{`{"text":`, 8},
		{`{"text":"a"`, 11},
		{`{"text":"a",}`, 12},
		{`{"text":"a" "title":"b"}`, 12},
		{`{"text" "a"}`, 8},
		{`{text:"a"}`, 1},
		{`{'text':"a"}`, 1},
		{`{"text":'a'}`, 8},
		{`{"text":"a"}}`, 12},
		{`{"text":"a"} {}`, 13},
		{`{"text":"a"}//`, 12},
		{"{\"text\":\"a\nb\"}", 10},
		{"{\"text\":\"a\x00\"}", 10},
		{`{"text":"\x"}`, 9},
		{`{"text":"\u12g4"}`, 9},
		{`{"text":"\u+123"}`, 9},
		{`{"text":"\ud800"}`, 9},
		{`{"text":"\ud800\u0041"}`, 9},
		{`{"text":"\udc00"}`, 9},
		{`{"text":"\`, 10},
		{`{"text":"\u12`, 9},
		{"{\"text\":\"\xff\"}", 9},
		{"\xef\xbb\xbf{}", 0},
		{`{"metadata":{"a":01}}`, 18},
		{`{"metadata":{"a":+1}}`, 17},
		{`{"metadata":{"a":.5}}`, 17},
		{`{"metadata":{"a":1.}}`, 19},
		{`{"metadata":{"a":1e}}`, 19},
		{`{"metadata":{"a":-}}`, 18},
		{`{"metadata":{"a":NaN}}`, 17},
		{`{"metadata":{"a":nul}}`, 17},
		{`{"metadata":{"a":True}}`, 17},
		{`{"metadata":{"a":[1,]}}`, 20},
		{`{"metadata":{"a":[1 2]}}`, 20},
		{`{"metadata":{"a":[1}}`, 19},
	} {
		err := api.Decode([]byte(tc.body))
		require.Error(t, err, tc.body)
		assert.Equal(t, "invalid_json", fault.As(err).Code, tc.body)
		assert.Equal(t, tc.offset, api.OffsetOf(err), "%s: %v", tc.body, err)
	}
}

func TestDecodeKeepsFreeJSON(t *testing.T) {
	assert.NoError(t, api.DecodeSearch([]byte(`{"query":"a","topK":3,"answer":false,"filter":{"a":{"$in":[1,"2",null]}}}`)))
	err := api.DecodeSearch([]byte(`{"query":"a","filter":{"a":{"$in":[{"x":1,"x":2}]}}}`))
	assert.Equal(t, "filter.a.$in[0].x", fault.As(err).Field)
}

// FuzzDecode compares with encoding/json: what passes here passes there, and what is no JSON there is none here.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"docId":"a","text":"b","metadata":{"a":[1,{"b":null}]},"chunking":{"maxTokens":64}}`,
		`{"text":"\ud83d\ude00"}`, `{"a":1e999}`, `{"text":"a","text":"a"}`, `{"metadata":{"a":[[[[1]]]]}}`, "{\"\xff\":1}", `{"text":"\`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := api.Decode(body)
		if err == nil {
			var v struct {
				DocID       *string        `json:"docId"`
				Text        *string        `json:"text"`
				Base64      *string        `json:"base64"`
				URL         *string        `json:"url"`
				ContentType *string        `json:"contentType"`
				Title       *string        `json:"title"`
				Source      *string        `json:"source"`
				Metadata    map[string]any `json:"metadata"`
				Chunking    *struct {
					MaxTokens     *int `json:"maxTokens"`
					OverlapTokens *int `json:"overlapTokens"`
				} `json:"chunking"`
			}
			dec := json.NewDecoder(bytes.NewReader(body))
			dec.DisallowUnknownFields()
			require.NoError(t, dec.Decode(&v), "%q", body)
			_, trailing := dec.Token()
			require.True(t, errors.Is(trailing, io.EOF), "%q", body)
			return
		}
		require.True(t, fault.Is(err, fault.Invalid), "%q: %v", body, err)
		if offset := api.OffsetOf(err); offset >= 0 {
			require.LessOrEqual(t, offset, len(body))
			return
		}
		if fault.As(err).Code == "invalid_json" {
			t.Fatalf("%q: no offset: %v", body, err) // the walk passed what encoding/json did not
		}
	})
}

// A body of many values is refused at the first that is too many, and what it holds is not made.
func TestDecodeCountsValues(t *testing.T) {
	list := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }
	assert.NoError(t, api.Decode([]byte(`{"metadata":{"a":`+list(tally.MaxValues-3)+`}}`)))
	var names strings.Builder
	for i := range 800_000 {
		fmt.Fprintf(&names, `,"k%d":1`, i)
	}
	for body, field := range map[string]string{
		`{"metadata":{"a":` + list(tally.MaxValues-2) + `}}`: "metadata.a[49997]",
		`{"metadata":{` + names.String()[1:] + `}}`:          "metadata.k49998",
		`{"text":"a","metadata":` + list(200_000) + `}`:      "metadata", // of the wrong type: not looked into
	} {
		var err error
		taken := testing.Benchmark(func(b *testing.B) {
			for b.Loop() {
				err = api.Decode([]byte(body))
			}
		}).AllocedBytesPerOp()
		f := fault.As(err)
		assert.Equal(t, field, f.Field)
		assert.Contains(t, []string{"json_too_complex", "invalid_type"}, f.Code)
		assert.Less(t, taken, int64(len(body)+8<<20), "bytes")
	}
}
