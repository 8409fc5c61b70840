package e2e

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/stack"
)

// bad is a request that is refused.
type bad struct {
	name, body string
	status     int
	code       string
	field      string // the path of what is wrong
}

var badIngests = []bad{
	{"nothing", ``, 400, "body_empty", ""},
	{"no JSON", `hello`, 400, "invalid_json", ""},
	{"half of it", `{"docId":"bad","text":"a"`, 400, "invalid_json", ""},
	{"two of it", `{"docId":"bad","text":"a"}{}`, 400, "invalid_json", ""},
	{"an array", `[]`, 400, "invalid_type", ""},
	{"null", `null`, 400, "invalid_type", ""},
	{"not UTF-8", "{\"docId\":\"bad\",\"text\":\"\xff\"}", 400, "invalid_json", ""},
	{"half a character", `{"docId":"bad","text":"\ud83d"}`, 400, "invalid_json", ""},
	{"deep", `{"docId":"bad","text":"a","metadata":` + strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100) + `}`, 400, "json_too_deep", "metadata" + strings.Repeat(".a", 31)},
	{"an unknown field", `{"docId":"bad","text":"a","chunking":{"maxToken":1}}`, 400, "unknown_field", "chunking.maxToken"},
	{"a field in another case", `{"docid":"bad","text":"a"}`, 400, "unknown_field", "docid"},
	{"a field twice", `{"docId":"bad","text":"a","text":"b"}`, 400, "duplicate_field", "text"},
	{"a number for a text", `{"docId":"bad","text":5}`, 400, "invalid_type", "text"},
	{"a text for a number", `{"docId":"bad","text":"a","chunking":{"maxTokens":"100"}}`, 400, "invalid_type", "chunking.maxTokens"},
	{"a fraction", `{"docId":"bad","text":"a","chunking":{"maxTokens":100.5}}`, 400, "invalid_type", "chunking.maxTokens"},
	{"no text", `{"docId":"bad"}`, 400, "field_required", "text"},
	{"empty text", `{"docId":"bad","text":""}`, 400, "document_empty", "text"},
	{"text twice", `{"docId":"bad","text":"a","base64":"YQ==","contentType":"text/plain"}`, 400, "fields_exclusive", "base64"},
	{"bad base64", `{"docId":"bad","base64":"YQ","contentType":"text/plain"}`, 400, "invalid_value", "base64"},
	{"base64 that is no text", `{"docId":"bad","base64":"/w==","contentType":"text/plain; charset=utf-8"}`, 400, "text_not_utf8", "text"},
	{"a text that is a PDF", `{"docId":"bad","text":"%PDF-1.7","contentType":"application/pdf"}`, 400, "invalid_value", "contentType"},
	{"a picture", `{"docId":"bad","base64":"YQ==","contentType":"image/png"}`, 415, "content_type_unsupported", "contentType"},
	{"a page for those who know", `{"docId":"bad","url":"https://ada:secret@example.com/"}`, 400, "url_invalid", "url"},
	{"a script for an address", `{"docId":"bad","text":"a","url":"javascript:alert(1)"}`, 400, "invalid_value", "url"},
	{"an id with a space", `{"docId":"b a d","text":"a"}`, 400, "doc_id_invalid", "docId"},
	{"a long id", `{"docId":"` + strings.Repeat("b", 257) + `","text":"a"}`, 400, "doc_id_invalid", "docId"},
	{"a long title", `{"docId":"bad","text":"a","title":"` + strings.Repeat("t", 501) + `"}`, 400, "title_too_long", "title"},
	{"a long source", `{"docId":"bad","text":"a","source":"` + strings.Repeat("t", 501) + `"}`, 400, "source_too_long", "source"},
	{"nested metadata", `{"docId":"bad","text":"a","metadata":{"a":{"b":1}}}`, 400, "metadata_value_invalid", "metadata.a"},
	{"metadata with no name", `{"docId":"bad","text":"a","metadata":{"":1}}`, 400, "metadata_key_invalid", "metadata"},
	{"metadata of another type", `{"docId":"bad","text":"a","metadata":{"year":"2026"}}`, 400, "metadata_type", "metadata.year"},
	{"much metadata", `{"docId":"bad","text":"a","metadata":{"a":"` + strings.Repeat("m", 4096) + `"}}`, 400, "metadata_too_large", "metadata"},
	{"small chunks", `{"docId":"bad","text":"a","chunking":{"maxTokens":15}}`, 400, "chunking_invalid", "chunking.maxTokens"},
	{"large chunks", `{"docId":"bad","text":"a","chunking":{"maxTokens":100000}}`, 400, "chunking_invalid", "chunking.maxTokens"},
	{"nothing but overlap", `{"docId":"bad","text":"a","chunking":{"maxTokens":100,"overlapTokens":51}}`, 400, "chunking_invalid", "chunking.overlapTokens"},
}

var badSearches = []bad{
	{"nothing", ``, 400, "body_empty", ""},
	{"no question", `{}`, 400, "field_required", "query"},
	{"an empty question", `{"query":" \n"}`, 400, "field_required", "query"},
	{"a long question", `{"query":"` + strings.Repeat("q", 4001) + `"}`, 400, "value_out_of_range", "query"},
	{"no question at all", `{"query":["a"]}`, 400, "invalid_type", "query"},
	{"no results", `{"query":"a","topK":0}`, 400, "value_out_of_range", "topK"},
	{"too many results", `{"query":"a","topK":51}`, 400, "value_out_of_range", "topK"},
	{"half a result", `{"query":"a","topK":1.5}`, 400, "invalid_type", "topK"},
	{"an unknown mode", `{"query":"a","mode":"psychic"}`, 400, "invalid_value", "mode"},
	{"a stream of nothing", `{"query":"a","answer":false,"stream":true}`, 400, "invalid_value", "stream"},
	{"an unknown field", `{"query":"a","tenant":"globex"}`, 400, "unknown_field", "tenant"},
	{"a filter on nothing known", `{"query":"a","filter":{"nope":1}}`, 400, "filter_unknown_field", "filter.nope"},
	{"another tenant's field", `{"query":"a","filter":{"department":"x"}}`, 400, "filter_unknown_field", "filter.department"},
	{"an unknown operator", `{"query":"a","filter":{"year":{"$near":1}}}`, 400, "filter_unknown_operator", "filter.year.$near"},
	{"a number for a list", `{"query":"a","filter":{"year":{"$in":5}}}`, 400, "invalid_type", "filter.year.$in"},
	{"a text in a list of numbers", `{"query":"a","filter":{"year":{"$in":[2025,"x"]}}}`, 400, "invalid_type", "filter.year.$in[1]"},
	{"a long value", `{"query":"a","filter":{"category":"` + strings.Repeat("c", 65) + `"}}`, 400, "filter_value_too_long", "filter.category"},
}

// What is refused is told by a code and the path of the field, and leaves nothing behind.
func TestBadInput(t *testing.T) {
	u := as(t, "acme")
	u.index(document{DocID: "good", Text: "A document that stays as it is."})
	settled(t, platform)
	before := stored(t, "acme")
	for path, table := range map[string][]bad{"/ingest": badIngests, "/search": badSearches} {
		for _, c := range table {
			t.Run(path+"/"+c.name, func(t *testing.T) {
				u := as(t, "acme")
				a := u.do(http.MethodPost, path, c.body, "idempotency-key", c.name)
				assert.Equal(t, c.status, a.Status, "%s", a.Body)
				assert.Equal(t, c.code, a.Error.Code, "%s", a.Body)
				assert.Equal(t, c.field, a.Error.Details.Field, "%s", a.Body)
				assert.NotEmpty(t, a.Error.Message)
				assert.NotEmpty(t, a.Error.TraceID)
			})
		}
	}
	for name, headers := range map[string][]string{
		"unsupported_media_type": {"content-type", "text/plain"}, "unsupported_encoding": {"content-encoding", "gzip"},
		"idempotency_key_invalid": {"idempotency-key", strings.Repeat("k", 256)},
	} {
		assert.Equal(t, name, u.do(http.MethodPost, "/ingest", `{"docId":"bad","text":"a"}`, headers...).Error.Code)
	}
	for _, wait := range []string{"", "0s", "61s", "soon", "1"} {
		a := u.do(http.MethodPost, "/ingest?wait="+wait, `{"docId":"bad","text":"a"}`)
		assert.Equal(t, []any{400, "invalid_query", "wait"}, []any{a.Status, a.Error.Code, a.Error.Details.Field}, "%s", a.Body)
	}
	assert.Equal(t, http.StatusMethodNotAllowed, u.do(http.MethodPut, "/ingest", nil).Status)
	assert.Equal(t, "document_not_found", u.do(http.MethodGet, "/documents/bad", nil).Error.Code)
	settled(t, platform)
	assert.Equal(t, before, stored(t, "acme"), "nothing is left of what was refused")
}

// kept is everything that the platform keeps of a tenant, but for the account of what was there before: an isolate books that when it has the time.
type kept struct {
	Ledger  map[string]string
	Events  int
	Objects []string
	Vectors int
}

func stored(t *testing.T, tenant string) kept {
	t.Helper()
	keys, err := platform.R2(stack.Consumers, "CORPUS").Keys(t.Context(), "t/"+tenant+"/")
	require.NoError(t, err)
	told := 0
	for _, e := range trail(t, sharedState, tenant) {
		if e.Type != events.TypeUsageRecorded {
			told++
		}
	}
	return kept{ledger(t, sharedState, tenant), told, keys, vectors(t, platform, "bge-m3")}
}

// endless is a body of one letter, as long as somebody reads.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// A body above the tenant's limit is refused, whether it says so or not, and the tenant with the larger limit may send it.
func TestBodiesAboveTheTenantsLimit(t *testing.T) {
	globex := as(t, "globex")
	const limit = 10_000_000
	text := func(n int) []byte {
		return append(append([]byte(`{"docId":"large","text":"`), bytes.Repeat([]byte("a "), n/2)...), `"}`...)
	}
	announced := globex.do(http.MethodPost, "/ingest", string(text(limit)), "expect", "100-continue")
	unannounced := globex.do(http.MethodPost, "/ingest", io.LimitReader(endless{}, limit+1))
	for _, a := range []answer{announced, unannounced} {
		assert.Equal(t, http.StatusRequestEntityTooLarge, a.Status, "%s", a.Body)
		assert.Equal(t, "body_too_large", a.Error.Code)
	}
	a := globex.do(http.MethodPost, "/ingest", string(text(limit*6/10)))
	assert.Equal(t, "document_too_large", a.Error.Code, "the text of one document has a limit of its own: %s", a.Body)
	assert.Equal(t, "text", a.Error.Details.Field)
	assert.Equal(t, "document_not_found", globex.do(http.MethodGet, "/documents/large", nil).Error.Code)
}
