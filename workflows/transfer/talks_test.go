package transfer_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/transfer"
)

// begin begins a turn.
func (p *pool) begin(s tenants.Scope, session, user, text string) chat.Turn {
	p.t.Helper()
	turn, err := p.ports.Sessions.Begin(p.t.Context(), s, chat.Opening{
		Session: session, User: user, Messages: []llm.Message{{Role: llm.User, Content: text}}, Cause: events.Cause{ID: "request"},
		Keep: chat.Retention{WindowTokens: 4000},
	})
	require.NoError(p.t, err)
	return turn
}

func (p *pool) end(s tenants.Scope, turn chat.Turn, answer string) {
	p.t.Helper()
	_, err := p.ports.Sessions.Tell(p.t.Context(), s, chat.News{
		Stream: turn.Stream, Events: []chat.Event{{ID: 1, Type: chat.Done, Data: json.RawMessage(`{}`)}},
		Outcome: &chat.Outcome{Answer: llm.Message{Role: llm.Assistant, Content: answer}, Model: "model", Citations: json.RawMessage(`[{"title":"<a>"}]`)},
	})
	require.NoError(p.t, err)
}

// say has a whole turn.
func (p *pool) say(s tenants.Scope, session, user, text string) {
	p.t.Helper()
	p.end(s, p.begin(s, session, user, text), "You said: "+text)
}

// sessions are what a pool shows of a tenant's conversations: the list, and all that was said.
func (p *pool) sessions(s tenants.Scope) (list []chat.Listed, all map[string]chat.Transcript) {
	p.t.Helper()
	page, err := p.ports.Shelf.List(p.t.Context(), s, "", "", 200)
	require.NoError(p.t, err)
	all = map[string]chat.Transcript{}
	for _, l := range page.Sessions {
		all[l.SessionID], err = p.ports.Sessions.Transcript(p.t.Context(), s, l.SessionID, "", 1000)
		require.NoError(p.t, err)
	}
	return page.Sessions, all
}

// sameTalks asserts that acme's conversations are in the destination as they are in the source, and globex's are as they were.
func (m *move) sameTalks(t testing.TB) {
	t.Helper()
	list, all := m.from.sessions(m.acme)
	here, said := m.to.sessions(m.acme)
	assert.Equal(t, list, here)
	assert.Equal(t, all, said)
	_, all = m.to.sessions(m.globex)
	assert.Len(t, all, 1)
	assert.Equal(t, "globex, here", all["s-0"].Messages[0].Content)
	_, all = m.from.sessions(m.globex)
	assert.Equal(t, "globex, there", all["s-0"].Messages[0].Content)
}

// talk has conversations at the source, and of the other tenant's in both pools.
func (m *move) talk() {
	m.from.say(m.globex, "s-0", "ada", "globex, there")
	m.to.say(m.globex, "s-0", "ada", "globex, here")
	for i := range 4 {
		for n := range i + 1 {
			m.from.say(m.acme, fmt.Sprintf("s-%d", i), []string{"ada", "bob"}[i%2], fmt.Sprintf("Question %d.%d", i, n))
		}
	}
	m.from.say(m.acme, "long", "", "Short.")
}

// talkOn is what happens while the source is in use.
func (m *move) talkOn() {
	m.from.say(m.acme, "s-1", "bob", "And then?")
	m.from.say(m.acme, "s-9", "ada", "Something else.")
	require.NoError(m, m.from.ports.Sessions.Delete(m.Context(), m.acme, "s-2"))
	require.NoError(m, m.from.ports.Sessions.Delete(m.Context(), m.acme, "s-0"))
	m.from.say(m.acme, "s-0", "", "Anew.")
}

func TestConversationsMove(t *testing.T) {
	m := newMove(t)
	m.talk()
	for _, letter := range []string{"x", "y", "z"} {
		m.from.say(m.acme, "long", "", strings.Repeat(letter, 1<<20)) // more than a parcel has room for
	}
	running := m.from.begin(m.acme, "s-3", "bob", "This takes long")
	j := m.bring(false)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, job.Talks{Found: 5, Talking: 5, Digest: j.Transfer.Talks.Digest}, *j.Transfer.Talks, "a summary may come of each")
	_, all := m.to.sessions(m.acme)
	require.Len(t, all, 5, "what was said is here nevertheless")
	assert.Len(t, all["s-3"].Messages, 8, "a turn that is running is not")

	m.clock.advance(10 * time.Second)
	m.from.end(m.acme, running, "At last.")
	m.clock.advance(time.Minute)
	j = m.bring(false)
	assert.Equal(t, job.Talks{Found: 5, Brought: 5, Digest: j.Transfer.Talks.Digest}, *j.Transfer.Talks)
	m.sameTalks(t)
	j = m.bring(false)
	assert.Equal(t, job.Talks{Found: 5, Same: 5, Digest: j.Transfer.Talks.Digest}, *j.Transfer.Talks)

	m.clock.advance(time.Hour)
	m.talkOn()
	m.from.freeze(m.acme, true)
	j = m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	assert.Equal(t, job.Talks{Found: 5, Same: 5, Brought: 3, Deleted: 1, Digest: j.Transfer.Talks.Digest}, *j.Transfer.Talks)
	assert.True(t, j.Transfer.Verified)
	m.sameTalks(t)
	for _, id := range []string{"s-0", "s-1", "s-9", "long"} {
		assert.Equal(t, m.from.begin(m.acme, id, "", "Go on.").Past, m.to.begin(m.acme, id, "", "Go on.").Past, id)
	}
}

// A turn that is running when the source stands still is waited for, and moved whole; one that nobody runs any more is ended by its lease.
func TestATurnIsRunningInTheLastRun(t *testing.T) {
	for _, alive := range []bool{true, false} {
		m := newMove(t)
		m.talk()
		running := m.from.begin(m.acme, "s-3", "bob", "This takes long")
		m.from.freeze(m.acme, true)
		e := m.begin(true, false)
		heard := 0
		e.Asleep = func(d time.Duration) {
			for ; d > 0; d -= 10 * time.Second {
				m.clock.advance(min(d, 10*time.Second))
				switch heard++; {
				case !alive || heard > 12:
				case heard == 12:
					m.from.end(m.acme, running, "At last.")
				default:
					_, err := m.from.ports.Sessions.Tell(t.Context(), m.acme, chat.News{Stream: running.Stream})
					require.NoError(t, err)
				}
			}
			m.goOn()
		}
		require.NoError(t, e.Run(t.Context()))
		j := m.to.job(m.acme, e.ID)
		require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
		assert.True(t, j.Transfer.Verified)
		m.sameTalks(t)
		_, all := m.to.sessions(m.acme)
		last := all["s-3"].Messages[9]
		assert.Equal(t, map[bool][]string{true: {"At last.", ""}, false: {"", "turn_interrupted"}}[alive], []string{last.Content, last.Error})
	}
}

func TestConversationsThatHaveGoneOnHere(t *testing.T) {
	m := newMove(t)
	m.talk()
	m.clock.advance(time.Minute)
	require.Equal(t, job.Succeeded, m.bring(false).State)
	m.to.say(m.acme, "s-0", "ada", "Here.")
	m.to.say(m.acme, "s-1", "bob", "Here.")
	m.to.say(m.acme, "s-2", "ada", "Here.")
	m.to.say(m.acme, "mine", "ada", "It was always here.")
	m.from.say(m.acme, "s-1", "bob", "There.")
	m.from.say(m.acme, "mine", "eve", "There.")
	require.NoError(t, m.from.ports.Sessions.Delete(t.Context(), m.acme, "s-2"))
	m.from.freeze(m.acme, true)
	j := m.bring(true)
	require.Equal(t, job.Failed, j.State)
	codes := map[string]int{}
	for _, p := range j.Errors {
		codes[p.Code]++
	}
	assert.Equal(t, map[string]int{"transfer_incomplete": 1, "session_taken": 2}, codes, "%+v", j.Errors)
	assert.False(t, j.Transfer.Verified)
	_, all := m.to.sessions(m.acme)
	assert.Equal(t, "Here.", all["s-1"].Messages[4].Content)
	assert.Equal(t, "Here.", all["s-2"].Messages[6].Content, "what has gone on here is not deleted")
	assert.Equal(t, "It was always here.", all["mine"].Messages[0].Content)

	require.NoError(t, m.to.ports.Sessions.Delete(t.Context(), m.acme, "s-1"))
	require.NoError(t, m.from.ports.Sessions.Delete(t.Context(), m.acme, "mine"))
	j = m.bring(true)
	require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
	_, all = m.to.sessions(m.acme)
	assert.Equal(t, "There.", all["s-1"].Messages[4].Content)
}

func TestASourceThatHasLostItsConversations(t *testing.T) {
	m := newMove(t)
	for i := range 120 {
		m.from.say(m.acme, fmt.Sprintf("s-%03d", i), "ada", "Hello")
	}
	m.clock.advance(time.Minute)
	require.Equal(t, 120, m.bring(false).Transfer.Talks.Brought)
	for i := range 110 {
		require.NoError(t, m.from.ports.Sessions.Delete(t.Context(), m.acme, fmt.Sprintf("s-%03d", i)))
	}
	j := m.bring(false)
	require.Equal(t, job.Failed, j.State)
	assert.Equal(t, "source_shrunk", j.Errors[0].Code)
	list, _ := m.to.sessions(m.acme)
	assert.Len(t, list, 120)
}

// What breaks off on the way, or is not what its digest says, is not taken; a session that stays so has a name.
func TestParcelsThatAreTorn(t *testing.T) {
	for name, edit := range map[string]func(body string, first bool) string{
		"breaks off once": func(body string, first bool) string { return cutIf(body, first) },
		"a word of it once": func(body string, first bool) string {
			if first {
				return strings.Replace(body, "Question 3.1", "Question 9.9", 1)
			}
			return body
		},
		"a word of it always": func(body string, _ bool) string { return strings.Replace(body, "Question 3.1", "Question 9.9", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMove(t)
			m.talk()
			m.clock.advance(time.Minute)
			once := false
			m.around = func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/tenant/export/sessions" || r.Method != http.MethodPost {
						h.ServeHTTP(w, r)
						return
					}
					rec := &kept{header: http.Header{}}
					h.ServeHTTP(rec, r)
					first := !once
					once = true
					w.WriteHeader(rec.status)
					_, _ = w.Write([]byte(edit(rec.body.String(), first)))
				})
			}
			m.from.freeze(m.acme, true)
			j := m.bring(true)
			if !strings.HasSuffix(name, "always") {
				require.Equal(t, job.Succeeded, j.State, "%+v", j.Errors)
				m.sameTalks(t)
				return
			}
			require.Equal(t, job.Failed, j.State)
			assert.Equal(t, []string{"transfer_incomplete", "session_torn"}, []string{j.Errors[0].Code, j.Errors[1].Code})
			assert.Equal(t, 4, j.Transfer.Talks.Same)
			m.around = nil
			require.Equal(t, job.Succeeded, m.bring(true).State, "the same again goes on")
			m.sameTalks(t)
		})
	}
}

func cutIf(body string, cut bool) string {
	if cut {
		return body[:len(body)/2]
	}
	return body
}

// kept is an answer that is looked at before it goes out.
type kept struct {
	header http.Header
	status int
	body   strings.Builder
}

func (k *kept) Header() http.Header { return k.header }

func (k *kept) WriteHeader(status int) { k.status = status }

func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

// Over HTTP a tenant that stands still says so before it takes no changes, and the other tenant does not hear of it.
func TestConversationsStandStill(t *testing.T) {
	m := newMove(t)
	m.talk()
	require.NoError(t, m.from.ports.Money.Still(t.Context(), m.acme, true))
	wanted := []chat.Wanted{{SessionID: "gone"}, {SessionID: "s-1"}}
	parcels, taken, err := transfer.NewFar(m.do, sourceAddress, m.from.keys["acme"], "acme").Parcels(t.Context(), wanted)
	require.NoError(t, err, "reading goes on")
	assert.Equal(t, []any{2, 1}, []any{taken, len(parcels)})
	parcels, taken, err = transfer.NewFar(m.do, sourceAddress, m.from.keys["globex"], "globex").Parcels(t.Context(), wanted)
	require.NoError(t, err)
	assert.Equal(t, []any{2, 0}, []any{taken, len(parcels)}, "it is another tenant's")
	_, err = m.from.ports.Sessions.Parcel(t.Context(), m.globex, "s-1", 0)
	assert.Equal(t, "session_not_found", fault.As(err).Code)
}
