package api_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
)

// told is a tenant's refusals, each with how many there are.
func (w *world) told(tenant string) (all []string) {
	w.t.Helper()
	for _, a := range w.acts(tenant) {
		require.Equal(w.t, []any{events.ActAccess, events.OutcomeRefused}, []any{a.Kind, a.Outcome})
		all = append(all, fmt.Sprintf("%s|%s|%s|%s|%d", a.Code, a.Name, a.Actor, a.Target, a.Count))
	}
	return all
}

func TestRefusedAccessIsOnRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		w.do("acme-search", "GET", "/jobs", "")
		w.do("acme-search", "GET", "/jobs", "")
		w.do("globex-search", "DELETE", "/tenant", "")
		w.do("globex", "GET", "/jobs", "", "x-tenant-id", "acme")
		w.do("", "GET", "/jobs", "", "x-tenant-id", "acme")
		w.do("nobody", "GET", "/usage", "", "x-tenant-id", "acme")
		w.do("", "GET", "/jobs", "", "x-tenant-id", "demo", "origin", "https://evil.example")
		w.do("", "POST", "/ingest/webhooks/cms", `{}`, append([]string{"x-tenant-id", "acme"}, w.signature("globex", "cms-1", `{}`)...)...)

		w.do("operator", "GET", "/usage", "", "x-tenant-id", "globex")
		w.do("operator", "GET", "/jobs", "", "x-tenant-id", "demo")

		w.do("", "GET", "/jobs", "", "x-tenant-id", "initech")  // there is no such tenant
		w.do("nobody", "GET", "/jobs", "")                      // nor is it known whose key that is
		w.do("acme", "GET", "/documents/none", "")              // is let in
		w.do("acme", "GET", "/jobs?limit=none", "")             // and so is this
		w.do("", "GET", "/health", "", "authorization", "junk") // and here anybody is

		synctest.Wait()
		assert.Zero(t, w.record.messages(), "more are waited for")
		time.Sleep(6 * time.Second)
		assert.ElementsMatch(t, []string{
			"scope_denied|GET /jobs|acme-search||2", "tenant_mismatch|GET /jobs|||1", "unauthorized|several routes|||2",
			"signature_invalid|POST /ingest/webhooks/{sourceId}||sources/cms|1",
		}, w.told("acme"))
		assert.ElementsMatch(t, []string{"scope_denied|DELETE /tenant|globex-search||1", "scope_denied|GET /usage|acme/operator||1"}, w.told("globex"))
		assert.ElementsMatch(t, []string{"origin_denied|GET /jobs|||1", "tenant_mismatch|GET /jobs|||1"}, w.told("demo"))
		assert.Equal(t, 3, w.record.messages(), "one for each tenant")
		for _, e := range w.entries("acme") {
			text := fmt.Sprintf("%+v %+v", e, *e.Act)
			for _, secret := range []string{w.keys["globex"], w.keys["nobody"], w.keys["acme-search"], "192.0.2.1", "globex"} {
				assert.NotContains(t, text, secret)
			}
		}
	})
}

// What a key is not let in to is told route by route. That it is shown no more than it may see is no refusal, but what it asks for by name is one.
func TestListsThatAKeyMayNotSeeAreNoRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		for _, tenant := range []string{"acme", "globex"} {
			as := tenant + "-search"
			session := w.session(as)
			for _, method := range []string{"tools/list", "resources/list", "prompts/list"} {
				rec := w.say(as, `{"jsonrpc":"2.0","id":1,"method":"`+method+`"}`, "mcp-session-id", session)
				result, _ := told(t, rec)
				assert.NotNil(t, result, method)
			}
			time.Sleep(6 * time.Second)
			synctest.Wait()
			assert.Empty(t, w.told(tenant))
			w.say(as, `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"levada://documents/a"}}`, "mcp-session-id", session)
			w.do(as, "POST", "/chat", `{"message":"hi"}`)
			w.do(as, "GET", "/jobs", "")
			w.do(as, "GET", "/jobs", "")
			time.Sleep(6 * time.Second)
			synctest.Wait()
			refused := w.told(tenant)
			assert.Contains(t, refused, "scope_denied|POST /chat|"+as+"||1")
			assert.Contains(t, refused, "scope_denied|GET /jobs|"+as+"||2")
			assert.Len(t, refused, 3, "%v", refused)
		}
	})
}

// However often somebody knocks, it is one entry and one message in so many seconds.
func TestStrangersDoNotFloodATrail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		for range 3 {
			for i := range 100 {
				w.do("", "GET", "/documents/"+strings.Repeat("x", i%9+1), "", "x-tenant-id", "acme", "x-request-id", "6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001")
			}
			w.do("", "GET", "/jobs", "", "x-tenant-id", "globex")
			time.Sleep(6 * time.Second)
		}
		assert.Equal(t, slicesOf("unauthorized|GET /documents/{id}|||100", 3), w.told("acme"))
		assert.Equal(t, slicesOf("unauthorized|GET /jobs|||1", 3), w.told("globex"))
		assert.Equal(t, 6, w.record.messages())
	})
}

func slicesOf(s string, n int) (all []string) {
	for range n {
		all = append(all, s)
	}
	return all
}

// When the queue does not take it, it is told again, once; when it never does, the log has it, and callers notice nothing.
func TestRefusedAccessThatCannotBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opts.Now = clock() })
		busy := fault.Unavailablef(nil, "queue_unavailable", "busy")
		w.record.fail = func(nth int) (before, after error) {
			if nth == 1 {
				return nil, busy
			}
			return nil, nil
		}
		assert.Equal(t, 401, w.do("", "GET", "/jobs", "", "x-tenant-id", "acme").Code)
		time.Sleep(10 * time.Second)
		assert.Equal(t, []string{"unauthorized|GET /jobs|||1"}, w.told("acme"))
		w.record.fail = func(int) (before, after error) { return busy, nil }
		assert.Equal(t, 401, w.do("", "GET", "/jobs", "", "x-tenant-id", "acme").Code)
		time.Sleep(10 * time.Second)
		synctest.Wait() // and nobody writes to the log
		assert.Contains(t, w.log.String(), "refused access is not on record")
		w.record.fail = nil
		w.do("", "GET", "/jobs", "", "x-tenant-id", "acme")
		time.Sleep(10 * time.Second)
		assert.Len(t, w.told("acme"), 2)
	})
}
