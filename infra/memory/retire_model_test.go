package memory_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/replay"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
)

// storm is a platform in which everything comes in any order, twice, late or not at all, and any call of a store fails before or after
// its effect. A seed is always the same storm: what is random is drawn by one call after the other.
type storm struct {
	*platform
	both      []tenants.Scope
	mu        sync.Mutex // texts of several documents are listed at once
	rng       *rand.Rand
	failures  int // that are still to come
	lost      int
	refused   int
	cancelled int
	jobs      map[tenants.ID][]string
	newID     int
}

func newStorm(t *testing.T, seed uint64) *storm {
	w := &storm{
		platform: newPlatform(t), both: []tenants.Scope{scope(t, "acme"), scope(t, "globex")},
		rng: rand.New(rand.NewPCG(seed, 41)), failures: 80, jobs: map[tenants.ID][]string{},
	}
	w.queues.Rand, w.queues.Duplicate = rand.New(rand.NewPCG(seed, 42)), 0.2
	w.vectors.Lag = time.Duration(seed%3) * 30 * time.Millisecond
	return w
}

func (w *storm) fails(op string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failures == 0 || w.rng.IntN(8) > 0 {
		return nil
	}
	w.failures--
	return fault.Unavailablef(nil, "test_failure", "%s failed", op)
}

// broken is what consumers do on stores that fail.
func (w *storm) broken(what func()) {
	hooks := memory.Hooks{Before: w.fails, After: func(op string) error {
		if op == "list" { // which are made at once, and have no effect: so many draw once each, in whichever order
			return nil
		}
		return w.fails(op)
	}}
	set := func(h memory.Hooks) { w.texts.Hooks, w.vectors.Hooks, w.ledger.Hooks, w.letters.Hooks = h, h, h, h }
	set(hooks)
	w.model.Before = func(_ llm.Call, _ []string) error {
		if w.rng.IntN(20) == 0 {
			w.refused++
			return fault.Invalidf("texts", "text_refused", "no")
		}
		return w.fails("embed")
	}
	what()
	set(memory.Hooks{})
	w.model.Before = nil
}

// deliver takes a batch out of a queue and has it handled, one tenant and type after the other, as the router does several at
// once; documents that are to be fetched or cut one by one. It says how many messages there were.
func (w *storm) deliver(queue string, n int, loses bool) int {
	batch := w.queues.Take(queue, n)
	var keys []string
	groups := map[string][]consumers.Message{}
	for _, m := range batch {
		ev, err := events.Decode(m.Body)
		require.NoError(w.t, err)
		key := fmt.Sprint(ev.Tenant, ev.Type, m.Attempts)
		if ev.Type == events.TypeDocumentSubmitted {
			key += " " + m.ID
		}
		if len(groups[key]) == 0 {
			keys = append(keys, key)
		}
		groups[key] = append(groups[key], m)
	}
	handle := w.router.Handle
	if strings.HasSuffix(queue, "-dlq") {
		handle = w.router.HandleDead
	}
	for _, key := range keys {
		if loses && groups[key][0].Attempts == 1 && w.rng.IntN(4) == 0 { // one that was tried, and may have written, comes again
			w.lost++
			continue
		}
		w.queues.Settle(queue, groups[key], handle(w.t.Context(), queue, groups[key]))
	}
	return len(batch)
}

// settle relays and delivers until nothing is left.
func (w *storm) settle() {
	for idle := 0; idle < 3; {
		moved := 0
		for _, queue := range []string{"fetch", "ingest", "embed", "index", "audit"} {
			moved += w.deliver(queue, 100, false) + w.deliver(queue+"-dlq", 100, false)
		}
		for _, s := range w.both {
			n, err := w.ledger.Relay(w.t.Context(), s, w.out, 10)
			if moved += n; err != nil {
				moved++
			}
		}
		if idle++; moved > 0 {
			idle = 0
		}
	}
}

// patience is how many deadlines pass until everything has ended: a document is sent again three times, and what it leaves is told after.
const patience = 8

// wait lets the watchdog look, and what it says be done.
func (w *storm) wait() {
	for range patience {
		w.clock.advance(corpus.DefaultDeadline + time.Second)
		for _, s := range w.both {
			for range 50 {
				next, err := w.ledger.Watch(s)
				require.NoError(w.t, err)
				if next.IsZero() || next.After(w.clock.Now()) {
					break
				}
			}
		}
		w.settle()
	}
	w.clock.advance(time.Second)
}

// draft is a version of a document: a text, a page, or what is at an address, where there is something else each time.
func (w *storm) draft(id string) corpus.Draft {
	word := fmt.Sprint("v", w.rng.IntN(1000))
	d := draft(id, prose(word, []int{1, 5, 40, 110}[w.rng.IntN(4)]))
	if w.rng.IntN(3) == 0 {
		d.ContentType, d.Text = "text/html", pageOf(word, 3)
	}
	if w.rng.IntN(3) == 0 {
		url := fmt.Sprint("https://example.com/", id)
		page := memory.Page{Body: pageOf(word, 2), ContentType: "text/html"}
		if w.rng.IntN(2) == 0 {
			page = memory.Page{Body: []byte(prose(word, 2)), ContentType: "text/plain"}
		}
		w.web.Serve(url, page)
		d = fetched(id, url)
	}
	return d
}

// step is something that a client does, or the consumers.
func (w *storm) step() {
	s, id := w.both[w.rng.IntN(2)], fmt.Sprint("d", w.rng.IntN(2))
	switch n := w.rng.IntN(12); {
	case n < 3:
		w.jobs[s.Tenant()] = append(w.jobs[s.Tenant()], w.submit(s, w.draft(id)).JobID)
	case n == 3 && len(w.jobs[s.Tenant()]) > 0:
		all := w.jobs[s.Tenant()]
		j, err := w.ledger.Cancel(w.t.Context(), s, all[w.rng.IntN(len(all))])
		require.NoError(w.t, err)
		if j.State == "cancelled" {
			w.cancelled++
		}
	case n == 4:
		again := replay.New(w.letters, w.letters, w.ledger, &replay.Options{NewID: func() string {
			w.newID++
			return fmt.Sprintf("again-%06d", w.newID)
		}})
		_, err := again.Replay(w.t.Context(), s, letters.Replay{Cause: events.Cause{ID: "replay"}})
		require.NoError(w.t, err)
	default:
		w.broken(func() {
			for range w.rng.IntN(8) {
				_, _ = w.ledger.Relay(w.t.Context(), w.both[w.rng.IntN(2)], w.out, 1+w.rng.IntN(3))
				w.deliver([]string{"fetch", "ingest", "embed", "index"}[w.rng.IntN(4)], 1+w.rng.IntN(3), true)
			}
		})
	}
}

// retired is how often it was told that something is to be removed.
func (w *storm) retired() (n int) {
	for _, s := range w.both {
		for _, e := range w.trail.Entries(s) {
			if e.Type == events.TypeDocumentRetired {
				n++
			}
		}
	}
	return n
}

// TestRetirementsInAnyOrder has two tenants submit, cancel and replay versions of documents while messages come twice, late or never,
// models refuse, and every call of every store fails before and after its effect. Whatever happens, nothing is left of what
// nobody needs; and once there is a newer version of each, nothing is left of them all.
func TestRetirementsInAnyOrder(t *testing.T) {
	seeds := uint64(40)
	if testing.Short() {
		seeds = 12
	}
	lost, refused, cancelled, retired := 0, 0, 0, 0
	for seed := range seeds {
		w := newStorm(t, seed)
		for range 40 {
			w.step()
		}
		w.broken(w.settle)
		w.failures = 0
		w.wait()
		for _, s := range w.both {
			w.keeps(s)
			for _, id := range w.jobs[s.Tenant()] {
				require.True(t, w.job(s, id).State.Final(), "seed %d: %s", seed, id)
			}
		}
		for _, s := range w.both {
			for i := range 2 {
				w.submit(s, draft(fmt.Sprint("d", i), prose("calm", 1)))
			}
		}
		w.wait()
		for _, s := range w.both {
			w.keeps(s)
			for i := range 2 {
				require.Len(t, w.textsOf(s, fmt.Sprint("d", i)), 1, "seed %d, d%d of %s", seed, i, s.Tenant())
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		lost, refused, cancelled, retired = lost+w.lost, refused+w.refused, cancelled+w.cancelled, retired+w.retired()
	}
	for what, n := range map[string]int{"lost": lost, "refused": refused, "cancelled": cancelled, "retired": retired} {
		assert.Positive(t, n, what)
	}
}
