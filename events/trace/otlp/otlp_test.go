package otlp_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"levada.dev/events/trace"
	"levada.dev/events/trace/otlp"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 1, time.UTC)

const (
	id    = "5b8efff798038103d269b633813fc60c"
	first = "eee19b7ec3c1b174"
)

func TestATrace(t *testing.T) {
	b, err := otlp.Marshal("acme", []trace.Span{
		{Trace: id, ID: first, Kind: trace.Request, Name: "/chat", Worker: "api", Start: at, Took: time.Second, Facts: trace.Facts{Outcome: trace.OK, Method: "POST", Status: 200, Use: trace.Use{Prompt: 1 << 60}}},
		{Trace: id, ID: "eee19b7ec3c1b175", Parent: first, Kind: trace.Batch, Name: "embed", Worker: "consumers", Start: at, Took: 2, Facts: trace.Facts{Outcome: trace.Failed, Code: "model_unavailable"}},
		{Trace: id, ID: "eee19b7ec3c1b176", Parent: first, Kind: trace.Search, Name: "vectors", Worker: "api", Start: at, Facts: trace.Facts{Outcome: trace.Refused, Use: trace.Use{Estimated: true}}},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"resourceSpans":[
	{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"levada-api"}},{"key":"service.namespace","value":{"stringValue":"levada"}},{"key":"levada.tenant.id","value":{"stringValue":"acme"}}]},
	 "scopeSpans":[{"scope":{"name":"levada.dev"},"spans":[
	  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"POST /chat","kind":2,"startTimeUnixNano":"1795424400000000001","endTimeUnixNano":"1795424401000000001","attributes":[
	   {"key":"levada.kind","value":{"stringValue":"request"}},{"key":"levada.outcome","value":{"stringValue":"ok"}},{"key":"http.request.method","value":{"stringValue":"POST"}},
	   {"key":"http.response.status_code","value":{"intValue":"200"}},{"key":"http.route","value":{"stringValue":"/chat"}},{"key":"gen_ai.usage.input_tokens","value":{"intValue":"1152921504606846976"}}]},
	  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b176","parentSpanId":"eee19b7ec3c1b174","name":"vectors","kind":1,"startTimeUnixNano":"1795424400000000001","endTimeUnixNano":"1795424400000000001","attributes":[
	   {"key":"levada.kind","value":{"stringValue":"search"}},{"key":"levada.outcome","value":{"stringValue":"refused"}},{"key":"levada.estimated","value":{"boolValue":true}}]}]}]},
	{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"levada-consumers"}},{"key":"service.namespace","value":{"stringValue":"levada"}},{"key":"levada.tenant.id","value":{"stringValue":"acme"}}]},
	 "scopeSpans":[{"scope":{"name":"levada.dev"},"spans":[
	  {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b174","name":"embed","kind":5,"startTimeUnixNano":"1795424400000000001","endTimeUnixNano":"1795424400000000003","attributes":[
	   {"key":"levada.kind","value":{"stringValue":"batch"}},{"key":"levada.outcome","value":{"stringValue":"failed"}},{"key":"error.type","value":{"stringValue":"model_unavailable"}}],"status":{"code":2,"message":"model_unavailable"}}]}]}]}`, string(b))
	none, err := otlp.Marshal("acme", nil)
	require.NoError(t, err)
	assert.Equal(t, `{"resourceSpans":[]}`, string(none))
}

// A collector's own decoder reads it: ids, times, kinds, states, and every fact, by its type.
func TestACollectorReadsIt(t *testing.T) {
	var s trace.Span
	fill(reflect.ValueOf(&s).Elem(), new(int))
	s.Trace, s.ID, s.Parent, s.Kind, s.Start, s.Took, s.Outcome, s.Worker = id, "eee19b7ec3c1b175", first, trace.Model, at, time.Second, trace.Failed, "consumers"
	request := trace.Span{Trace: id, ID: first, Kind: trace.Request, Name: "/chat", Worker: "api", Start: at, Took: 2 * time.Second, Facts: trace.Facts{Outcome: trace.OK, Method: "POST", Status: 200}}
	b, err := otlp.Marshal("acme", []trace.Span{request, s})
	require.NoError(t, err)
	read, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(b)
	require.NoError(t, err)
	require.Equal(t, 2, read.ResourceSpans().Len())
	for i, want := range []trace.Span{request, s} {
		from := read.ResourceSpans().At(i)
		assert.Equal(t, map[string]any{"service.name": "levada-" + want.Worker, "service.namespace": "levada", "levada.tenant.id": "acme"}, from.Resource().Attributes().AsRaw())
		got := from.ScopeSpans().At(0).Spans().At(0)
		assert.Equal(t, []string{want.Trace, want.ID, want.Parent}, []string{got.TraceID().String(), got.SpanID().String(), got.ParentSpanID().String()})
		assert.Equal(t, []time.Time{want.Start, want.Start.Add(want.Took)}, []time.Time{got.StartTimestamp().AsTime(), got.EndTimestamp().AsTime()})
		assert.Equal(t, want.Kind == trace.Request, got.Kind() == ptrace.SpanKindServer)
		assert.Equal(t, want.Outcome == trace.Failed, got.Status().Code() == ptrace.StatusCodeError)
	}
	told := read.ResourceSpans().At(1).ScopeSpans().At(0).Spans().At(0).Attributes()
	assert.Greater(t, told.Len(), reflect.TypeFor[trace.Facts]().NumField(), "each fact is an attribute: %v", told.AsRaw())
	tokens, found := told.Get("gen_ai.usage.input_tokens")
	require.True(t, found)
	assert.Equal(t, s.Prompt, tokens.Int())
}

// Every fact of a span that can be known is told, and in the forms that the protocol has: nothing is left out when facts come to be.
func TestEveryFactIsTold(t *testing.T) {
	var s trace.Span
	fill(reflect.ValueOf(&s).Elem(), new(int))
	s.Trace, s.ID, s.Parent, s.Kind, s.Start, s.Took, s.Outcome = id, first, first, trace.Model, at, 1<<40, trace.Failed
	b, err := otlp.Marshal("globex", []trace.Span{s})
	require.NoError(t, err)
	facts := reflect.ValueOf(s.Facts)
	for i := range facts.NumField() {
		f := facts.Field(i)
		if f.Kind() == reflect.Struct {
			for j := range f.NumField() {
				assert.Contains(t, string(b), told(f.Field(j)), f.Type().Field(j).Name)
			}
			continue
		}
		assert.Contains(t, string(b), told(f), facts.Type().Field(i).Name)
	}
	var any map[string]any
	require.NoError(t, json.Unmarshal(b, &any))
	for _, number := range regexp.MustCompile(`:(-?[0-9][^,}\]]*)`).FindAllStringSubmatch(string(b), -1) {
		assert.Contains(t, []string{"1", "2", "3", "5"}, number[1], "numbers stand bare in enumerations alone")
	}
}

// fill gives every field of a struct a value of its own.
func fill(v reflect.Value, n *int) {
	for i := range v.NumField() {
		*n++
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(fmt.Sprintf("text-%d.", *n))
		case reflect.Int, reflect.Int64:
			f.SetInt(int64(7_000_000 + *n))
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Struct:
			if f.Type() != reflect.TypeFor[time.Time]() {
				fill(f, n)
			}
		}
	}
}

func told(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return fmt.Sprintf(`{"stringValue":%q}`, v.String())
	case reflect.Bool:
		return `{"boolValue":true}`
	}
	return strings.ReplaceAll(fmt.Sprintf(`{"intValue":"%d"}`, v.Int()), " ", "")
}
