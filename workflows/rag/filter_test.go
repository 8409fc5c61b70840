package rag_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/rag"
)

var fields = rag.Fields{"year": tenants.FieldNumber, "lang": tenants.FieldString, "draft": tenants.FieldBoolean}

func TestParseFilter(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{``, ``},
		{`null`, ``},
		{`{}`, ``},
		{`{"docId":"a"}`, `{"docId":{"$eq":"a"}}`},
		{`{"source":{"$ne":"wiki"}}`, `{"source":{"$ne":"wiki"}}`},
		{`{"year":2020}`, `{"meta.year":{"$eq":2020}}`},
		{`{"year":{"$gte":2020,"$lt":2.024e3}}`, `{"meta.year":{"$gte":2020,"$lt":2.024e3}}`},
		{`{"lang":{"$in":["en","de"]},"draft":false}`, `{"meta.draft":{"$eq":false},"meta.lang":{"$in":["en","de"]}}`},
		{`{"lang":{"$gt":"d"}}`, `{"meta.lang":{"$gt":"d"}}`},
		{`{"draft":{"$nin":[true]}}`, `{"meta.draft":{"$nin":[true]}}`},
		{` { "lang" : "a\"b" } `, `{"meta.lang":{"$eq":"a\"b"}}`},
	} {
		got, err := rag.ParseFilter(json.RawMessage(tc.in), fields)
		require.NoError(t, err, tc.in)
		assert.Equal(t, tc.want, string(got), tc.in)
	}
}

func TestParseFilterTellsWhere(t *testing.T) {
	long := strings.Repeat("x", 65)
	many := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("y", 60)+`",`, 40), ",")
	for _, tc := range []struct{ in, code, field string }{
		{`[]`, "invalid_type", "filter"},
		{`"a"`, "invalid_type", "filter"},
		{`{"colour":1}`, "filter_unknown_field", "filter.colour"},
		{`{"meta.year":1}`, "filter_unknown_field", "filter.meta.year"},
		{`{"generation":1}`, "filter_unknown_field", "filter.generation"},
		{`{"$or":[]}`, "filter_unknown_field", "filter.$or"},
		{`{"year":"2020"}`, "invalid_type", "filter.year"},
		{`{"year":null}`, "invalid_type", "filter.year"},
		{`{"year":[1]}`, "invalid_type", "filter.year"},
		{`{"year":{"$gt":"a"}}`, "invalid_type", "filter.year.$gt"},
		{`{"year":{"$in":2020}}`, "invalid_type", "filter.year.$in"},
		{`{"year":{"$in":[]}}`, "value_out_of_range", "filter.year.$in"},
		{`{"year":{"$in":[1,"2"]}}`, "invalid_type", "filter.year.$in[1]"},
		{`{"year":{"$regex":"2"}}`, "filter_unknown_operator", "filter.year.$regex"},
		{`{"year":{}}`, "filter_combination", "filter.year"},
		{`{"year":{"$eq":1,"$ne":2}}`, "filter_combination", "filter.year"},
		{`{"year":{"$gt":1,"$gte":2}}`, "filter_combination", "filter.year"},
		{`{"year":{"$gt":1,"$eq":2}}`, "filter_combination", "filter.year"},
		{`{"draft":{"$gt":false}}`, "filter_operator_type", "filter.draft.$gt"},
		{`{"draft":1}`, "invalid_type", "filter.draft"},
		{`{"docId":5}`, "invalid_type", "filter.docId"},
		{`{"lang":"` + long + `"}`, "filter_value_too_long", "filter.lang"},
		{`{"lang":{"$in":[` + many + `]}}`, "filter_too_long", "filter"},
	} {
		_, err := rag.ParseFilter(json.RawMessage(tc.in), fields)
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", tc.in, err)
		f := fault.As(err)
		assert.Equal(t, tc.code, f.Code, tc.in)
		assert.Equal(t, tc.field, f.Field, tc.in)
		assert.NotEmpty(t, f.Message)
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add([]byte(`{"year":{"$gte":2020,"$lt":2024},"lang":{"$in":["en"]}}`))
	f.Add([]byte(`{"draft":true}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := rag.ParseFilter(raw, fields)
		if err != nil {
			require.True(t, fault.Is(err, fault.Invalid), "%v", err)
			return
		}
		if out != nil {
			require.True(t, json.Valid(out) || !json.Valid(raw), "%q became %q", raw, out)
			require.Less(t, len(out), 2048)
		}
	})
}
