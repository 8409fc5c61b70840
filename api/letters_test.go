package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

// resubmitter begins generations of documents whose names do not begin with "gone".
type resubmitter struct {
	mu     sync.Mutex
	asked  []corpus.Resubmission
	broken error
}

func (r *resubmitter) Resubmit(_ context.Context, _ tenants.Scope, re corpus.Resubmission) (corpus.Receipt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.broken != nil:
		return corpus.Receipt{}, r.broken
	case strings.HasPrefix(re.DocID, "gone"):
		return corpus.Receipt{}, fault.Missing("document_not_found", "no document %q", re.DocID)
	}
	r.asked = append(r.asked, re)
	return corpus.Receipt{DocID: re.DocID, JobID: re.JobID, Generation: re.Generation + 1}, nil
}

func (r *resubmitter) Delete(context.Context, tenants.Scope, corpus.Deletion) (corpus.Receipt, error) {
	return corpus.Receipt{}, errors.New("nothing was deleted")
}

// letter has a message of a queue die of a code: one about a document, or about none when its name is "-".
func (w *world) letter(tenant, queue, doc, code string) {
	w.t.Helper()
	s := w.scope(tenant)
	ev, err := events.New(s, "suite", events.Cause{ID: queue + doc + code, TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		w.opts.Now(), events.DocumentIndexed{DocumentRef: events.DocumentRef{DocID: doc, Generation: 2, JobID: "j"}, Chunks: 1, Model: "m"})
	require.NoError(w.t, err)
	body, err := ev.MarshalJSON()
	require.NoError(w.t, err)
	l := letters.Letter{
		ID: letters.NewID(queue, doc+code), Queue: queue, Tenant: s.Tenant(), Handler: queue, EventID: ev.ID, Type: ev.Type, Subject: ev.Subject,
		TraceParent: ev.TraceParent, Code: code, Message: "it did not go", Reason: queue + ": it did not go: because", Attempts: 4,
		At: w.opts.Now(), Body: body,
	}
	if doc != "-" {
		l.Stage, l.DocID, l.Generation = queue, doc, 2
	}
	require.NoError(w.t, w.box.Keep(w.t.Context(), s, []letters.Letter{l}))
}

func (w *world) letters(as, query string) (list struct {
	Letters []letters.Letter
	Next    string
	Count   *letters.Count
}) {
	w.t.Helper()
	rec := w.do(as, "GET", "/events"+query, "")
	require.Equal(w.t, http.StatusOK, rec.Code, rec.Body)
	var e struct{ Data json.RawMessage }
	require.NoError(w.t, json.Unmarshal(rec.Body.Bytes(), &e))
	require.NoError(w.t, json.Unmarshal(e.Data, &list))
	return list
}

func (w *world) replay(as, body string, headers ...string) letters.Replayed {
	w.t.Helper()
	rec := w.do(as, "POST", "/events/replay", body, headers...)
	require.Equal(w.t, http.StatusOK, rec.Code, rec.Body)
	return data[letters.Replayed](w.t, rec)
}

func TestLettersAreFoundByQuery(t *testing.T) {
	w := newWorld(t)
	var moments []time.Time
	now := w.opts.Now()
	for i := range 6 {
		w.opts.Now = func() time.Time { return now.Add(time.Duration(i) * time.Hour) }
		moments = append(moments, w.opts.Now())
		w.letter("acme", []string{"embed", "index"}[i%2], fmt.Sprint("doc", i), []string{"model_busy", "index_refused"}[i%2])
	}
	w.letter("globex", "embed", "doc0", "model_busy")
	found := func(query string) (docs string) {
		for _, l := range w.letters("acme", query).Letters {
			docs += strings.TrimPrefix(l.DocID, "doc")
		}
		return docs
	}
	for query, want := range map[string]string{
		"":                                                "543210",
		"?reason=model_busy":                              "420",
		"?code=model_busy":                                "420",
		"?reason=model_busy&reason=no_such":               "420",
		"?reason=model_busy&code=index_refused":           "543210",
		"?stage=index&reason=model_busy":                  "",
		"?type=" + events.TypeDocumentIndexed:             "543210",
		"?type=" + events.TypeDocumentChunked:             "",
		"?docId=doc3":                                     "3",
		"?from=" + moments[4].Format(time.RFC3339):        "54",
		"?to=" + moments[2].Format(time.RFC3339):          "10",
		"?from=2026-11-23":                                "",
		"?replayed=false":                                 "543210",
		"?replayed=true":                                  "",
		"?id=" + letters.NewID("embed", "doc4model_busy"): "4",
		"?limit=2":                                        "54",
	} {
		assert.Equal(t, want, found(query), query)
	}
	first := w.letters("acme", "?limit=4&count=true&body=true&reason=model_busy&reason=index_refused")
	assert.Len(t, first.Letters, 4)
	assert.NotEmpty(t, first.Letters[0].Body)
	assert.Equal(t, map[string]int{"model_busy": 3, "index_refused": 3}, first.Count.Codes)
	rest := w.letters("acme", "?limit=4&cursor="+first.Next)
	assert.Len(t, rest.Letters, 2)
	assert.Empty(t, rest.Next)
	assert.Len(t, w.letters("globex", "").Letters, 1)

	for query, field := range map[string]string{
		"?from=yesterday": "from", "?to=1": "to", "?replayed=perhaps": "replayed", "?body=2": "body", "?count=x": "count", "?limit=0": "limit",
		"?cursor=%25": "cursor", "?cursor=AAAA": "cursor", "?type=": "type", "?reason=": "reason", "?stage=" + strings.Repeat("a", 300): "stage", "?id=": "id",
		"?docId=" + strings.Repeat("a", 300): "docId", "?from=2026-11-22&to=2026-11-22": "to",
	} {
		rec := w.do("acme", "GET", "/events"+query, "")
		require.Equal(t, http.StatusBadRequest, rec.Code, query)
		f := failed(t, rec)
		assert.Equal(t, []string{"invalid_query", field}, []string{f.Code, f.Details.Field}, query)
	}
}

func TestReplayOfLetters(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "globex"} {
		w.letter(tenant, "embed", "a", "model_busy")
		w.letter(tenant, "embed", "gone", "model_busy")
		w.letter(tenant, "audit", "-", "trail_full")
	}
	count := w.replay("acme", `{"dryRun": true}`)
	assert.Equal(t, []int{3, 0, 3}, []int{count.Matched, count.Replayed, count.Remaining})
	assert.Equal(t, map[string]int{"model_busy": 2, "trail_full": 1}, count.Count.Codes)
	assert.Empty(t, w.again.asked)

	done := w.replay("acme", `{}`)
	assert.Equal(t, []int{3, 2, 1}, []int{done.Matched, done.Replayed, done.Remaining})
	require.Len(t, done.Skipped, 1)
	assert.Equal(t, "document_not_found", done.Skipped[0].Code)
	require.Len(t, w.again.asked, 1)
	assert.Equal(t, []any{"a", 2, "job"}, []any{w.again.asked[0].DocID, w.again.asked[0].Generation, w.again.asked[0].JobID})
	assert.NotEmpty(t, w.again.asked[0].Cause.ID)
	assert.Empty(t, w.again.asked[0].Cause.IdempotencyKey, "it is the request's, not the document's")

	done = w.replay("acme", `{}`)
	assert.Equal(t, []int{1, 0, 1}, []int{done.Matched, done.Replayed, done.Remaining})
	assert.Len(t, w.again.asked, 1, "once")
	assert.Len(t, w.letters("acme", "?replayed=true").Letters, 2)
	assert.Len(t, w.letters("globex", "?replayed=false").Letters, 3, "the other tenant's are as they were")
}

func TestReplayByPieces(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.letter("acme", "embed", fmt.Sprint([]string{"doc", "gone"}[i%2], i), "model_busy")
	}
	replayed, calls, cursor := 0, 0, ""
	for {
		out := w.replay("acme", fmt.Sprintf(`{"limit": 2, "cursor": %q}`, cursor))
		replayed += out.Replayed
		calls++
		if cursor = out.Next; cursor == "" {
			assert.Equal(t, 3, out.Remaining)
			break
		}
	}
	assert.Equal(t, []int{4, 4}, []int{replayed, calls}, "what cannot be sent again is in nobody's way")
}

func TestReplayWithAKey(t *testing.T) {
	w := newWorld(t)
	w.letter("acme", "embed", "a", "model_busy")
	w.letter("acme", "embed", "b", "model_busy")
	key := []string{"Idempotency-Key", "once"}
	dry := w.do("acme", "POST", "/events/replay", `{"limit": 1, "dryRun": true}`, key...)
	require.Equal(t, http.StatusOK, dry.Code, "a dry run needs no key, and takes none")
	first := w.do("acme", "POST", "/events/replay", `{"limit": 1}`, key...)
	require.Equal(t, http.StatusOK, first.Code, first.Body)
	assert.Empty(t, first.Header().Get("Idempotent-Replayed"))
	again := w.do("acme", "POST", "/events/replay", `{"limit": 1}`, key...)
	assert.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
	assert.Equal(t, data[letters.Replayed](t, first), data[letters.Replayed](t, again))
	assert.Len(t, w.again.asked, 1)
	other := w.do("acme", "POST", "/events/replay", `{"limit": 2}`, key...)
	assert.Equal(t, http.StatusConflict, other.Code)
	assert.Equal(t, "idempotency_conflict", failed(t, other).Code)
	assert.Zero(t, w.replay("globex", `{"limit": 2}`, key...).Replayed, "another tenant's key")
}

func TestReplayTellsWhoAskedForWhat(t *testing.T) {
	w := newWorld(t)
	w.letter("acme", "audit", "-", "trail_full")
	w.letter("demo", "audit", "-", "trail_full")
	assert.Equal(t, 1, w.replay("acme", `{"codes": ["trail_full"], "from": "2026-11-22"}`).Replayed)
	assert.Equal(t, 1, w.replay("", `{}`, "x-tenant-id", "demo").Replayed)
	for tenant, by := range map[string]string{"acme": "acme", "demo": ""} {
		var told []events.LettersReplayed
		out := &publisher{}
		_, err := w.box.Relay(t.Context(), w.scope(tenant), out)
		require.NoError(t, err)
		require.Len(t, out.all, 2, "the message and the fact")
		for _, ev := range out.all {
			var f events.LettersReplayed
			if ev.Type == events.TypeLettersReplayed {
				require.NoError(t, ev.As(&f))
				told = append(told, f)
			}
		}
		require.Len(t, told, 1)
		assert.Equal(t, []any{by, 1}, []any{told[0].By, told[0].Count})
	}
}

// publisher keeps what is published.
type publisher struct{ all []events.Event }

func (p *publisher) Publish(_ context.Context, _ tenants.Scope, evs ...events.Event) error {
	p.all = append(p.all, evs...)
	return nil
}

func TestReplayThatIsNone(t *testing.T) {
	w := newWorld(t)
	for body, want := range map[string]string{
		`{"limit": 0}`:         "value_out_of_range limit",
		`{"limit": 501}`:       "value_out_of_range limit",
		`{"from": "x"}`:        "invalid_value from",
		`{"to": "22.11.2026"}`: "invalid_value to",
		`{"cursor": "AAAA"}`:   "invalid_value cursor",
		`{"reasons": ["a"]}`:   "unknown_field reasons",
		`{"types": "a"}`:       "invalid_type types",
		`{"codes": [""]}`:      "value_out_of_range codes",
		`{"from": "2026-11-22", "to": "2026-11-21"}`: "value_out_of_range to",
		``: "body_empty ",
	} {
		headers := []string{}
		if body == "" {
			headers = []string{"Content-Type", "application/json"}
		}
		rec := w.do("acme", "POST", "/events/replay", body, headers...)
		f := failed(t, rec)
		assert.Equal(t, want, f.Code+" "+f.Details.Field, body)
		assert.Equal(t, http.StatusBadRequest, rec.Code)
	}
	for _, method := range []string{"GET", "DELETE"} {
		assert.Equal(t, http.StatusMethodNotAllowed, w.do("acme", method, "/events/replay", "").Code)
	}
	assert.Equal(t, "scope_denied", failed(t, w.do("acme-search", "POST", "/events/replay", "{}")).Code)
	assert.Equal(t, "scope_denied", failed(t, w.do("acme-search", "GET", "/events", "")).Code)
	assert.Equal(t, "letter_not_found", failed(t, w.do("globex", "GET", "/events/embed-unknown", "")).Code)
}

func TestReplayWhileTheLedgerIsAway(t *testing.T) {
	w := newWorld(t)
	w.letter("acme", "embed", "a", "model_busy")
	w.again.broken = fault.Unavailablef(errors.New("secret"), "object_unavailable", "the object did not answer")
	rec := w.do("acme", "POST", "/events/replay", "{}")
	assert.Equal(t, http.StatusServiceUnavailable, rec.Code)
	assert.Equal(t, "object_unavailable", failed(t, rec).Code)
	w.again.broken = nil
	assert.Equal(t, 1, w.replay("acme", "{}").Replayed)
}
