package transfer_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/app"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/transfer"
)

// stock puts documents of all kinds into the source.
func (m *move) stock() {
	for i := range 5 {
		m.from.put(m.acme, fmt.Sprintf("doc-%d", i), strings.Repeat(fmt.Sprintf("Rain on the field %d. ", i), 1+40*i))
	}
	m.from.put(m.acme, "deleted", "It goes.")
	m.from.put(m.acme, "failed", "%PDF-1.7 not really", func(d *corpus.Draft) { d.ContentType = "application/pdf" })
	m.from.put(m.acme, "page.html", "<html><body><p>"+strings.Repeat("Levadas carry water. ", 20)+"</p></body></html>", func(d *corpus.Draft) { d.ContentType = "text/html" })
	m.goOn()
	m.clock.advance(time.Hour)
	m.from.put(m.acme, "doc-1", "The second version of it.")
	m.from.delete(m.acme, "deleted")
	m.goOn()
}

// arrived asserts that what the source has of acme is in the destination, searchable where it is there, and that globex is as it was in both pools.
func (m *move) arrived(t testing.TB) {
	t.Helper()
	there, here := m.from.cards(m.acme), m.to.cards(m.acme)
	d := transfer.Compare(there, here)
	assert.Empty(t, d.Bring)
	assert.Empty(t, d.Gone)
	assert.Empty(t, d.Taken)
	assert.Empty(t, d.Unsearchable)
	assert.Equal(t, len(there), d.Same)
	for _, c := range here {
		if c.SHA256 == "" {
			continue
		}
		text, err := m.to.texts.Get(t.Context(), m.acme, c.TextKey)
		require.NoError(t, err)
		assert.Equal(t, c.SHA256, corpus.Sum(text), c.DocID)
	}
	require.Len(t, m.to.cards(m.globex), 1)
	assert.Equal(t, "doc-2", m.to.cards(m.globex)[0].DocID)
	require.Len(t, m.from.cards(m.globex), 1)
	assert.Equal(t, "doc-1", m.from.cards(m.globex)[0].DocID)
}

func TestATenantMoves(t *testing.T) {
	m := newMove(t)
	m.stock()
	before := m.from.cards(m.acme)
	j := m.bring(false)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, 7, j.Transfer.Found)
	assert.Equal(t, 7, j.Transfer.Brought)
	assert.Zero(t, j.Transfer.Same)
	assert.Equal(t, job.Counts{Total: 7, Done: 6, Failed: 1}, j.Counts, "what fails at the source fails here")
	m.arrived(t)
	for i, c := range m.to.cards(m.acme) {
		assert.Equal(t, before[i].CreatedAt, c.CreatedAt, c.DocID)
		assert.Equal(t, before[i].UpdatedAt, c.UpdatedAt, c.DocID)
		assert.True(t, c.Moved)
	}

	// While the source is in use one document comes, one changes, one changes in its description alone, one is deleted.
	m.clock.advance(time.Hour)
	m.from.put(m.acme, "doc-9", "A new one.")
	m.from.put(m.acme, "doc-2", "It has changed.")
	m.from.put(m.acme, "doc-0", "Rain on the field 0. ", func(d *corpus.Draft) { d.About.Title = "Another title" })
	m.from.delete(m.acme, "doc-3")
	m.goOn()
	m.from.freeze(m.acme, true)
	j = m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, job.Transfer{
		From: sourceAddress, Last: true, Found: 7, Bytes: j.Transfer.Bytes, Same: 7, Brought: 3, Deleted: 1, ImportID: "run-2-docs", Digest: j.Transfer.Digest, Verified: true, Used: j.Transfer.Used, Talks: &job.Talks{},
	}, *j.Transfer)
	assert.Len(t, j.Transfer.Digest, 64)
	m.arrived(t)

	_, err := m.to.ledger.OpenTransfer(t.Context(), m.acme, transfer.Request{JobID: "run-3", From: sourceAddress, Key: "k"})
	assert.Equal(t, "transfer_done", fault.As(err).Code)
	e := m.begin(true, true)
	asked := m.asked
	require.NoError(t, e.Run(t.Context()))
	j = m.to.job(m.acme, e.ID)
	assert.Equal(t, job.Succeeded, j.State)
	assert.Zero(t, j.Transfer.Brought, "everything is here")
	assert.Equal(t, 5, m.asked-asked, "how it stands, both walks, the conversations, and what was used")
}

func TestARunDiesAtEachOfItsMoments(t *testing.T) {
	flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(t *testing.T)) {
		m := newMove(t)
		m.stock()
		m.talk()
		m.clock.advance(time.Minute)
		require.Equal(t, job.Succeeded, m.bring(false).State)
		m.from.put(m.acme, "doc-2", "It has changed.")
		m.from.delete(m.acme, "doc-3")
		m.goOn()
		m.talkOn()
		m.from.freeze(m.acme, true)
		e := m.begin(true, false)
		return e, func(t *testing.T) {
			m.goOn()
			j := m.to.job(m.acme, e.ID)
			assert.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
			assert.True(t, j.Transfer.Verified)
			m.arrived(t)
			m.sameTalks(t)
		}
	})
}

func TestWhatTheSourceIsWhenItFails(t *testing.T) {
	torn := func(h http.Handler) http.Handler { // each page breaks off in its middle, the first time
		seen := map[string]bool{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			if key := r.Method + r.URL.String() + string(body); !seen[key] {
				seen[key] = true
				w = &cut{ResponseWriter: w, left: 300}
			}
			h.ServeHTTP(w, r)
		})
	}
	refuses := func(status int, body string) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			})
		}
	}
	for _, c := range []struct {
		name   string
		around func(http.Handler) http.Handler
		code   string
	}{
		{"pages that break off", torn, ""},
		{"a source that is gone", refuses(503, `{"error":{"code":"directory_unavailable","message":"m"}}`), "source_unavailable"},
		{"a key that is not allowed", refuses(403, `{"error":{"code":"scope_denied","message":"Ada wrote this"}}`), "source_denied"},
		{"another server", refuses(404, "<html>"), "source_refused"},
		{"one whose code is none", refuses(404, `{"error":{"code":"Ada wrote this"}}`), "source_refused"},
		{"one that redirects", refuses(302, ""), "source_refused"},
		{"one that answers anything", refuses(200, "hello\n"), "source_torn"},
		{"one that says nothing", refuses(200, ""), "source_torn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMove(t)
			m.stock()
			handle := m.from.handle
			m.around = func(http.Handler) http.Handler { return handle }
			if wrapped := c.around(m.from.handle); wrapped != nil {
				m.around = func(http.Handler) http.Handler { return wrapped }
			}
			j := m.bring(false)
			if c.code == "" {
				require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
				m.arrived(t)
				return
			}
			require.Equal(t, job.Failed, j.State)
			assert.Equal(t, c.code, j.Errors[0].Code)
			assert.NotContains(t, fmt.Sprint(j.Errors), m.from.keys["acme"])
			assert.NotContains(t, fmt.Sprint(j.Errors), "Ada", "what a server says is not passed on: it would be logged")
			assert.Equal(t, c.code == "source_denied", strings.Contains(j.Errors[0].Message, "403 scope_denied"))
			assert.Empty(t, m.to.cards(m.acme))
			m.around = nil
			require.Equal(t, job.Succeeded, m.bring(false).State, "the same again goes on")
			m.arrived(t)
		})
	}
}

// cut is an answer that ends before its end.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		panic(http.ErrAbortHandler)
	}
	return c.ResponseWriter.Write(b)
}

func TestALastRunNeedsASourceThatStandsStill(t *testing.T) {
	m := newMove(t)
	m.stock()
	j := m.bring(true)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "source_not_readonly", j.Errors[0].Code)
	assert.Empty(t, m.to.cards(m.acme), "nothing was brought")

	// What is on its way when it is frozen is waited for.
	m.from.put(m.acme, "late", "It is on its way.")
	m.from.freeze(m.acme, true)
	st, err := m.from.ledger.Standing(t.Context(), m.acme)
	require.NoError(t, err)
	assert.Equal(t, 1, st.OnTheirWay)
	assert.False(t, st.Settled())
	j = m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, 8, j.Transfer.Found)
	m.arrived(t)

	// A tenant that stands still refuses each change, and the other goes on.
	_, err = m.from.intake.Submit(t.Context(), m.acme, corpus.Draft{DocID: "x", Text: []byte("x"), ContentType: "text/plain", Model: "@cf/baai/bge-small-en-v1.5"})
	assert.Equal(t, "tenant_readonly", fault.As(err).Code)
	_, err = m.from.ledger.Delete(t.Context(), m.acme, corpus.Deletion{DocID: "doc-0", JobID: "d"})
	assert.Equal(t, "tenant_readonly", fault.As(err).Code)
	m.from.put(m.globex, "more", "Globex goes on.")
	m.from.freeze(m.acme, false)
	m.from.put(m.acme, "x", "And acme, when the move is called off.")
}

func TestWhatIsHereAlready(t *testing.T) {
	m := newMove(t)
	m.stock()
	m.to.put(m.acme, "doc-0", "Somebody has put it here.")
	m.to.put(m.acme, "own", "It was never at the source.")
	m.goOn()
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "transfer_incomplete", j.Errors[0].Code)
	assert.Equal(t, "document_taken", j.Errors[1].Code)
	assert.Equal(t, "doc-0", j.Errors[1].DocID)
	assert.Len(t, j.Errors, 2)
	text, err := m.to.texts.Get(t.Context(), m.acme, m.to.cards(m.acme)[0].TextKey)
	require.NoError(t, err)
	assert.Equal(t, "Somebody has put it here.", string(text), "it is not replaced")

	m.to.delete(m.acme, "doc-0")
	m.goOn()
	j = m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Len(t, m.to.cards(m.acme), 8, "what was never there stays")
}

func TestWhatFailsHereIsBroughtAgain(t *testing.T) {
	m := newMove(t, func(c *tenants.Config) { c.Limits.DocumentBytes = 3000 })
	m.stock()
	m.to.model.Before = func(llm.Call, []string) error {
		return fault.New(fault.Conflict, "budget_exhausted", "no money", nil)
	}
	j := m.bring(false)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, 7, j.Counts.Failed)
	for _, c := range m.to.cards(m.acme) {
		assert.False(t, c.Searchable)
	}
	m.to.model.Before = nil
	m.from.freeze(m.acme, true)
	j = m.bring(true)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "transfer_incomplete", j.Errors[0].Code)
	require.Len(t, j.Errors, 2, "%+v", j.Errors)
	assert.Equal(t, "doc-4", j.Errors[1].DocID, "it is too large for this pool's limits")
	assert.Equal(t, "document_missing", j.Errors[1].Code)
}

func TestASourceThatWasErasedDeletesNothing(t *testing.T) {
	m := newMove(t)
	m.stock()
	require.Equal(t, job.Succeeded, m.bring(false).State)
	for _, c := range m.from.cards(m.acme) {
		m.from.delete(m.acme, c.DocID)
	}
	m.goOn()
	j := m.bring(false)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "source_shrunk", j.Errors[0].Code)
	assert.Len(t, m.to.cards(m.acme), 7)
}

func TestARunIsCancelled(t *testing.T) {
	m := newMove(t)
	m.stock()
	e := m.begin(false, false)
	asleep := e.Asleep
	e.Asleep = func(d time.Duration) {
		if e.Asleep = asleep; m.to.job(m.acme, e.ID).Stage == transfer.Bringing {
			_, err := m.to.ledger.Cancel(t.Context(), m.acme, e.ID)
			require.NoError(t, err)
		}
		asleep(d)
	}
	require.NoError(t, e.Run(t.Context()))
	m.goOn()
	assert.Equal(t, job.Cancelled, m.to.job(m.acme, e.ID).State)
	require.Equal(t, job.Succeeded, m.bring(false).State, "another goes on")
	m.arrived(t)
}

func TestADocumentFromTheWebIsNotFetchedAnew(t *testing.T) {
	m := newMove(t)
	const page, gone = "https://docs.example.com/page", "https://docs.example.com/gone"
	for _, p := range []*pool{m.from, m.to} {
		p.web.Serve(page, memory.Page{Body: []byte("The page about rain."), ContentType: "text/plain", ETag: `"1"`})
		p.web.Serve(gone, memory.Page{Fault: fault.Invalidf("url", "fetch_refused", "404")})
	}
	for id, url := range map[string]string{"page": page, "gone": gone} {
		m.from.put(m.acme, id, "", func(d *corpus.Draft) { d.Fetch, d.Text = url, nil })
	}
	m.goOn()
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	m.arrived(t)
	assert.Equal(t, 1, m.to.web.Asked(), "what was not to be had there is asked for here, and nothing else")
	cards := m.to.cards(m.acme)
	require.Len(t, cards, 2)
	assert.Equal(t, "fetch_refused", cards[0].Failed)
	assert.Equal(t, m.from.cards(m.acme)[1].Fetched, cards[1].Fetched)

	calls := len(m.to.model.Calls())
	r := m.to.put(m.acme, "page", "", func(d *corpus.Draft) { d.Fetch, d.Text = page, nil })
	m.goOn()
	assert.True(t, m.to.job(m.acme, r.JobID).Unchanged, "a sync finds nothing new")
	assert.Len(t, m.to.model.Calls(), calls)
}

// A budget does not begin anew: what was used at the source counts here, beside what the move itself takes, also what was used after it.
func TestWhatWasUsedComesAlong(t *testing.T) {
	m := newMove(t)
	m.stock()
	spent := func(p *pool, s tenants.Scope) (sum job.Cost) {
		st, err := p.ports.Money.Statement(t.Context(), s, quota.Query{From: "2026-11-01", To: "2026-11-30"})
		require.NoError(t, err)
		for _, l := range st.Lines {
			sum.Tokens, sum.Chars, sum.Nanos = sum.Tokens+l.Prompt+l.Completion, sum.Chars+l.Chars, sum.Nanos+l.Nanos
		}
		for _, b := range st.Budgets {
			if b.Period == "month" && b.Unit == "tokens" {
				assert.Equal(t, sum.Tokens, b.Spent, "the account and the budget agree")
			}
			if b.Period == "month" && b.Unit == "characters" {
				assert.Equal(t, sum.Chars, b.Spent, "the account and the budget agree")
			}
		}
		return sum
	}
	use := func(purse string, tokens int64) {
		_, err := m.from.ports.Money.Exchange(t.Context(), m.acme, quota.Report{Purse: purse, Seq: 1, Rates: []quota.Rate{{}}, Lines: []quota.Line{
			{Day: "2026-11-22", Capability: "chat", Model: "m", Calls: 1, Prompt: tokens, Nanos: 10 * tokens},
			{Day: "2026-11-22", Capability: "speech", Model: "v", Calls: 1, Chars: 3 * tokens, Nanos: tokens},
		}})
		require.NoError(t, err)
	}
	use("one", 1000)
	there := spent(m.from, m.acme)
	require.GreaterOrEqual(t, there.Tokens, int64(1000))
	require.Equal(t, int64(3000), there.Chars)
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, there, *j.Transfer.Used)
	own := spent(m.to, m.acme).Tokens - there.Tokens
	assert.GreaterOrEqual(t, own, int64(0))

	use("two", 500)
	for range 2 {
		key, err := m.to.ports.Seal.Seal(m.from.keys["acme"], transfer.SealedFor(m.acme, sourceAddress)...)
		require.NoError(t, err)
		m.runs++
		id := fmt.Sprintf("run-%d", m.runs)
		_, err = m.to.ledger.OpenTransfer(t.Context(), m.acme, transfer.Request{JobID: id, From: sourceAddress, Key: key, Usage: true, Cause: events.Cause{ID: "request"}})
		require.NoError(t, err, "also after all was brought")
		e := &flowtest.Engine{Flow: app.Transfer(m.to.ports, app.Options{}, m.do, 0), Scope: m.acme, ID: id, Params: transfer.Order{From: sourceAddress, Key: key, Usage: true}}
		require.NoError(t, e.Run(t.Context()))
		assert.Equal(t, job.Succeeded, m.to.job(m.acme, id).State)
		assert.Equal(t, there.Tokens+500, spent(m.to, m.acme).Tokens-own)
		assert.Equal(t, there.Chars+1500, spent(m.to, m.acme).Chars)
	}
	assert.NotEqual(t, there, spent(m.to, m.globex))
	assert.Zero(t, spent(m.to, m.globex).Chars)
}

// What another pool has taken is taken, whatever it is; what has failed there and is refused here is missed by nobody.
func TestWhatADoorWouldRefuse(t *testing.T) {
	m := newMove(t, func(c *tenants.Config) { c.Limits.DocumentBytes = 1000 })
	const page, blank, long = "https://docs.example.com/page", "https://docs.example.com/blank", "https://docs.example.com/long"
	m.from.web.Serve(page, memory.Page{Body: []byte("Gr\xfc\xdfe aus Wien, wo die Donau fliesst."), ContentType: "text/plain; charset=utf-8"})
	m.from.web.Serve(blank, memory.Page{Body: []byte(" \n"), ContentType: "text/plain"})
	m.from.web.Serve(long, memory.Page{Body: []byte("%PDF-1.7 " + strings.Repeat("x", 2000)), ContentType: "application/pdf"})
	for id, url := range map[string]string{"page": page, "blank": blank, "long": long} {
		m.from.put(m.acme, id, "", func(d *corpus.Draft) {
			if d.Fetch, d.Text = url, nil; id == "long" {
				d.ContentType = "application/pdf"
			}
		})
	}
	m.goOn()
	there := m.from.cards(m.acme)
	require.Len(t, there, 3)
	require.Equal(t, []bool{false, false, true}, []bool{there[0].Searchable, there[1].Searchable, there[2].Searchable}, "%+v", there)
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	here := m.to.cards(m.acme)
	require.Len(t, here, 2, "one is too long for this pool, and has failed there")
	assert.Equal(t, there[0].Failed, here[0].Failed)
	assert.True(t, here[1].Searchable)
	assert.Equal(t, there[2].SHA256, here[1].SHA256)
}
