package localvec

import (
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// TestRefusals is the table of the platform's limits. Each row is one step over.
func TestRefusals(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	c.write("upsert", item{id: "a", values: []float32{1, 0}})
	long := strings.Repeat("x", 65)
	one := func(i item) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return c.tryWrite("upsert", i) }
	}
	ask := func(options map[string]any, vector ...float32) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder { return c.call("query", options, vector) }
	}
	filter := func(f any) func() *httptest.ResponseRecorder {
		return ask(map[string]any{"filter": f}, 1, 0)
	}
	ids := func(operation string, n int) func() *httptest.ResponseRecorder {
		return func() *httptest.ResponseRecorder {
			return c.call(operation, map[string]any{"ids": make([]string, n)})
		}
	}
	values := []float32{1, 0}
	for name, row := range map[string]struct {
		call func() *httptest.ResponseRecorder
		code int
		text string
	}{
		"batch": {func() *httptest.ResponseRecorder { return c.tryWrite("insert", make([]item, 1001)...) },
			40007, "too many vectors in payload; max vector count is 1000, got 1001"},
		"id":            {one(item{id: long, values: values}), 40008, "id too long; max is 64 bytes, got 65 bytes"},
		"id in bytes":   {one(item{id: strings.Repeat("é", 33), values: values}), 40008, "got 66 bytes"},
		"empty id":      {one(item{values: values}), 40008, "id is empty"},
		"namespace":     {one(item{id: "x", namespace: long, values: values}), 40009, "namespace too long; max is 64 bytes, got 65 bytes"},
		"dimensions":    {one(item{id: "x", values: []float32{1}}), 40012, `invalid vector for id="x", expected 2 dimensions, and got 1 dimensions`},
		"NaN":           {one(item{id: "x", values: []float32{1, float32(math.NaN())}}), 40023, `id="x" has a value that is not finite`},
		"infinity":      {one(item{id: "x", values: []float32{float32(math.Inf(-1)), 1}}), 40023, "not finite"},
		"metadata":      {one(item{id: "x", values: values, metadata: map[string]string{"a": strings.Repeat("m", 10<<10-7)}}), 40016, "must not exceed 10240 bytes, got 10241 bytes"},
		"metadata list": {one(item{id: "x", values: values, metadata: []int{1}}), 40016, "is not an object"},
		"metadata dot":  {one(item{id: "x", values: values, metadata: map[string]int{"a.b": 1}}), 40016, "must not be empty, contain ."},
		"metadata $":    {one(item{id: "x", values: values, metadata: map[string]int{"$a": 1}}), 40016, "start with $"},

		"query dimensions":    {ask(nil, 1, 0, 0), 40006, "invalid query vector, expected 2 dimensions, and got 3 dimensions"},
		"query NaN":           {ask(nil, 1, float32(math.NaN())), 40026, "not finite"},
		"topK":                {ask(map[string]any{"topK": 101}, 1, 0), 40025, "max top K is 100, but got 101"},
		"topK zero":           {ask(map[string]any{"topK": 0}, 1, 0), 40025, "from 1"},
		"topK part":           {ask(map[string]any{"topK": 1.5}, 1, 0), 40025, "whole number"},
		"topK with values":    {ask(map[string]any{"topK": 51, "returnValues": true}, 1, 0), 40025, "max top K is 50, but got 51"},
		"topK with metadata":  {ask(map[string]any{"topK": 51, "returnMetadata": "all"}, 1, 0), 40025, "max top K is 50, but got 51"},
		"topK with true":      {ask(map[string]any{"topK": 51, "returnMetadata": true}, 1, 0), 40025, "max top K is 50, but got 51"},
		"metadata level":      {ask(map[string]any{"returnMetadata": "some"}, 1, 0), 40026, `expected "none", "indexed" or "all"`},
		"query namespace":     {ask(map[string]any{"namespace": long}, 1, 0), 40009, "namespace too long"},
		"vector of unknown":   {ask(map[string]any{"vectorId": "none"}), 40028, `id="none" was not found`},
		"vector of a long id": {ask(map[string]any{"vectorId": long}), 40008, "id too long"},

		"filter size":           {filter(map[string]any{"kind": map[string]any{"$eq": strings.Repeat("f", 2048-19)}}), 40027, "less than 2048 bytes, got 2048"},
		"filter operator":       {filter(map[string]any{"kind": map[string]any{"$like": "x"}}), 40027, "unknown operator $like"},
		"filter or":             {filter(map[string]any{"$or": []any{}}), 40027, "AND only"},
		"filter without index":  {filter(map[string]any{"secret": 1}), 40027, "filter.secret has no metadata index"},
		"filter object":         {filter([]any{1}), 40027, "non-empty object"},
		"filter empty":          {filter(map[string]any{}), 40027, "non-empty object"},
		"filter no operator":    {filter(map[string]any{"kind": map[string]any{}}), 40027, "filter.kind has no operator"},
		"filter nested object":  {filter(map[string]any{"kind": map[string]any{"er": "x"}}), 40027, "unknown operator er"},
		"filter in":             {filter(map[string]any{"kind": map[string]any{"$in": "x"}}), 40027, "takes a list"},
		"filter in empty":       {filter(map[string]any{"kind": map[string]any{"$nin": []any{}}}), 40027, "takes a list"},
		"filter in null":        {filter(map[string]any{"kind": map[string]any{"$in": []any{nil}}}), 40027, "strings, numbers and booleans"},
		"filter list":           {filter(map[string]any{"kind": []any{"x"}}), 40027, "strings, numbers and booleans"},
		"filter range of null":  {filter(map[string]any{"n": map[string]any{"$lt": nil}}), 40027, "strings, numbers and booleans"},
		"filter range of false": {filter(map[string]any{"on": map[string]any{"$gte": false}}), 40027, "a string or a number"},

		"get":       {ids("getByIds", 21), 40007, "max id count is 20, got 21"},
		"delete":    {ids("deleteByIds", 101), 40007, "max id count is 100, got 101"},
		"empty get": {ids("getByIds", 1), 40008, "id is empty"},

		"no frame": {func() *httptest.ResponseRecorder { return c.do("POST", "/indexes/docs/query", []byte{1}) }, 40023, "no frame"},
		"torn frame": {func() *httptest.ResponseRecorder {
			return c.do("POST", "/indexes/docs/upsert", []byte{9, 0, 0, 0, '{', '}'})
		}, 40023, "torn"},
		"not JSON": {func() *httptest.ResponseRecorder {
			return c.do("POST", "/indexes/docs/upsert", []byte{4, 0, 0, 0, '{', '}', '}', ' '})
		}, 40023, "failed to parse"},
		"wrong delay": {func() *httptest.ResponseRecorder { return c.do("PUT", "/delay", []byte(`{"ms":-1}`)) }, 40023, "ms"},
	} {
		t.Run(name, func(t *testing.T) {
			w := row.call()
			var refusal struct {
				Code  int
				Error string
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &refusal))
			assert.Equal(t, http.StatusBadRequest, w.Code)
			assert.Equal(t, row.code, refusal.Code)
			assert.Contains(t, refusal.Error, row.text)
		})
	}
	assert.Equal(t, 1, c.describe().VectorCount, "a refused batch leaves nothing behind")
}

// TestAtTheLimit has the largest of everything that is allowed.
func TestAtTheLimit(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	items := make([]item, maxBatch)
	for i := range items {
		items[i] = item{id: strings.Repeat("i", 60) + string(rune('a'+i/26/26)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26)), values: []float32{1, float32(i)}}
	}
	items[0].id = strings.Repeat("x", 64)
	items[0].namespace = strings.Repeat("n", 64)
	items[0].metadata = map[string]string{"a": strings.Repeat("m", 10<<10-8)}
	c.write("insert", items...)
	assert.Equal(t, maxBatch, c.describe().VectorCount)
	assert.Len(t, c.query([]float32{1, 0}, map[string]any{"topK": 100}), 100)
	assert.Len(t, c.query([]float32{1, 0}, map[string]any{"topK": 50, "returnValues": true, "returnMetadata": "all"}), 50)
	assert.Len(t, c.query([]float32{1, 0}, nil), 5)
	assert.Empty(t, c.query([]float32{1, 0}, map[string]any{"filter": map[string]any{"kind": map[string]any{"$eq": strings.Repeat("f", 2047-19)}}}))
}

func TestUnknownIndex(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	w := c.do("GET", "/indexes/none", nil)
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Contains(t, w.Body.String(), "vectorize.index.not_found: none")
}

func TestConfigurationIsChecked(t *testing.T) {
	eleven := map[string]Kind{}
	for i := range 11 {
		eleven[string(rune('a'+i))] = String
	}
	for text, indexes := range map[string]map[string]Index{
		"dimensions must be 1 to 1536, got 1537": {"a": {Dimensions: 1537}},
		"dimensions must be 1 to 1536, got 0":    {"a": {}},
		`metric "manhattan" is unknown`:          {"a": {Dimensions: 1, Metric: "manhattan"}},
		"at most 10 metadata indexes, got 11":    {"a": {Dimensions: 1, Properties: eleven}},
		`unknown type "date"`:                    {"a": {Dimensions: 1, Properties: map[string]Kind{"x": "date"}}},
		`index name "A"`:                         {"A": {Dimensions: 1}},
	} {
		_, err := Open(devtest.Dir(t), Options{Indexes: indexes})
		assert.ErrorContains(t, err, text)
	}
}
