package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/job"
)

// short is an act without what differs from run to run.
func short(acts []events.Act) (all []string) {
	for _, a := range acts {
		all = append(all, strings.Join([]string{string(a.Kind), a.Name, a.Actor, a.UserID, a.Target, string(a.Outcome), a.Code}, "|"))
	}
	return all
}

// Every route that deletes, that only an administrator may ask to change something, or that changes what the tenant is told of, is on record.
func TestWhatIsAnAct(t *testing.T) {
	for _, route := range api.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		scope, act := api.ActOf(method, pattern)
		changes := method == http.MethodDelete || scope == tenants.ScopeAdmin && method != http.MethodGet && method != http.MethodHead || route == "POST /metrics/alerts"
		assert.Equal(t, changes, act != "", route)
	}
}

func TestAnActIsOnRecordBeforeAndAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		for _, tenant := range []string{"acme", "globex"} {
			require.Equal(t, 202, w.do(tenant, "POST", "/ingest", `{"docId": "guide.md", "text": "Water."}`).Code)
		}
		w.finish("acme", "id-1", job.Succeeded)
		for _, x := range []struct{ as, method, target, body string }{
			{"acme", "DELETE", "/documents/guide.md", ""}, {"acme", "DELETE", "/sessions/none", ""}, {"acme", "DELETE", "/tenant?confirm=globex", ""},
			{"acme", "POST", "/events/replay", `{"dryRun": true}`}, {"acme", "POST", "/tenant/transfer", `{"state": "asleep"}`},
			{"globex", "DELETE", "/documents/none.md", ""}, {"demo", "DELETE", "/jobs/none", ""},
		} {
			w.do(x.as, x.method, x.target, x.body, "x-user-id", "ada")
			synctest.Wait() // how it ended is told beside the answer
		}
		assert.Equal(t, []string{
			"deletion|documents.delete|acme|ada|documents/guide.md|begun|", "deletion|documents.delete|acme|ada|documents/guide.md|succeeded|",
			"deletion|sessions.delete|acme|ada|sessions/none|begun|", "deletion|sessions.delete|acme|ada|sessions/none|refused|session_not_found",
			"deletion|tenant.erase|acme|ada|tenant|begun|", "deletion|tenant.erase|acme|ada|tenant|refused|confirmation_required",
			"replay|events.replay|acme|ada|letters|begun|", "replay|events.replay|acme|ada|letters|succeeded|",
			"admin|tenant.transfer.set|acme|ada|tenant|begun|", "admin|tenant.transfer.set|acme|ada|tenant|refused|invalid_value",
		}, short(w.acts("acme")))
		assert.Equal(t, []string{
			"deletion|documents.delete|globex|ada|documents/none.md|begun|", "deletion|documents.delete|globex|ada|documents/none.md|refused|document_not_found",
		}, short(w.acts("globex")))
		for _, e := range w.entries("acme") {
			assert.Equal(t, e.CausationID, e.Act.RequestID)
		}
	})
}

// What cannot be put on record does not happen, whether the queue has it after all or not.
func TestWhatIsNotOnRecordIsNotDone(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			for i, tenant := range []string{"acme", "globex"} {
				w.do(tenant, "POST", "/ingest", `{"docId": "guide.md", "text": "Water."}`)
				w.finish(tenant, []string{"id-1", "id-2"}[i], job.Succeeded)
			}
			full := fault.Unavailablef(errors.New("boom"), "queue_unavailable", "the queue is full")
			w.record.fail = func(int) (before, after error) {
				if taken {
					return nil, full
				}
				return full, nil
			}
			rec := w.do("acme", "DELETE", "/documents/guide.md", "")
			assert.Equal(t, []any{503, "audit_unavailable"}, []any{rec.Code, failed(t, rec).Code})
			assert.NotEmpty(t, rec.Header().Get("Retry-After"))
			assert.Equal(t, 200, w.do("acme", "GET", "/documents/guide.md", "").Code, "it is still there")
			synctest.Wait()
			w.record.fail = nil
			want := []string(nil)
			if taken { // and then it is not known how it ended
				want = []string{"deletion|documents.delete|acme||documents/guide.md|begun|"}
			}
			assert.Equal(t, want, short(w.acts("acme")))
			assert.Equal(t, 202, w.do("acme", "DELETE", "/documents/guide.md", "").Code)
			assert.Equal(t, 200, w.do("globex", "GET", "/documents/guide.md", "").Code)
			synctest.Wait()
			assert.Len(t, w.acts("acme"), len(want)+2)
		})
	}
}

// How an act ended is told until it is taken, and the answer does not wait for it.
func TestHowItEndedIsToldAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.record.fail = func(nth int) (before, after error) {
			switch nth {
			case 2:
				return fault.Unavailablef(nil, "queue_unavailable", "busy"), nil
			case 3:
				return nil, fault.Unavailablef(nil, "queue_unavailable", "busy")
			}
			return nil, nil
		}
		began := time.Now()
		assert.Equal(t, 404, w.do("acme", "DELETE", "/jobs/none", "").Code)
		assert.Zero(t, time.Since(began))
		time.Sleep(5 * time.Second)
		assert.Equal(t, []string{"admin|jobs.cancel|acme||jobs/none|begun|", "admin|jobs.cancel|acme||jobs/none|refused|job_not_found"}, short(w.acts("acme")))
		assert.NotContains(t, w.log.String(), "not on record")

		w.record.fail = func(nth int) (before, after error) {
			if nth > 5 {
				return fault.Unavailablef(nil, "queue_unavailable", "busy"), nil
			}
			return nil, nil
		}
		w.do("acme", "DELETE", "/jobs/none", "")
		time.Sleep(5 * time.Second)
		assert.Len(t, w.acts("acme"), 3, "that it was begun")
		assert.Contains(t, w.log.String(), "how an act ended is not on record")
	})
}

// A client chooses the id of its request, and cannot have an act left out by it.
func TestTheIdOfARequestMayComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		for range 3 {
			w.do("acme", "DELETE", "/jobs/none", "", "x-request-id", "6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001", "traceparent", traceOf)
		}
		synctest.Wait()
		assert.Len(t, w.acts("acme"), 6)
	})
}

const traceOf = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// failing is an erasure that does not go well.
type failing struct {
	how func(ctx context.Context) error
}

func (f failing) OpenErasure(ctx context.Context, _ tenants.Scope, _ erasure.Request) (corpus.Receipt, error) {
	return corpus.Receipt{}, f.how(ctx)
}

func TestHowActsEnd(t *testing.T) {
	for want, how := range map[string]func(context.Context) error{
		"failed|panic":                       func(context.Context) error { panic("boom") },
		"failed|internal":                    func(context.Context) error { return errors.New("a secret") },
		"failed|ledger_unavailable":          func(context.Context) error { return fault.Unavailablef(nil, "ledger_unavailable", "busy") },
		"timeout|deadline_exceeded":          func(context.Context) error { return context.DeadlineExceeded },
		"cancelled|client_closed_request":    func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"refused|" + "tenant_erasing":        func(context.Context) error { return fault.New(fault.Conflict, "tenant_erasing", "no", nil) },
		"refused|" + strings.Repeat("x", 64): func(context.Context) error { return fault.New(fault.Conflict, strings.Repeat("x", 99), "no", nil) },
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.deps.Erasures = failing{how} })
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			if strings.HasPrefix(want, "cancelled") {
				time.AfterFunc(time.Second, leave)
			}
			w.Handler.ServeHTTP(nobody{}, w.request("acme", "DELETE", "/tenant?confirm=acme", "").WithContext(ctx))
			synctest.Wait()
			acts := short(w.acts("acme"))
			require.Len(t, acts, 2)
			got := strings.TrimPrefix(acts[1], "deletion|tenant.erase|acme||tenant|")
			if want == "failed|panic" {
				got = strings.Replace(got, "internal", "panic", 1) // as clients are told
			}
			assert.Equal(t, want, got)
			assert.Empty(t, w.acts("globex"))
		})
	}
}

// nobody reads the answer.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) Write(b []byte) (int, error) { return len(b), nil }
func (nobody) WriteHeader(int)             {}
