package book_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
)

// owner runs a turn: it tells its client first and the session later, may die between any two steps, and may not learn that it
// was heard.
type owner struct {
	stream chat.StreamID
	sent   []chat.Event // to its client
	kept   int          // how many of them it knows that the session has
	over   bool         // it knows that the turn is over
}

// reader resumes a stream somewhere and reads on.
type reader struct {
	stream chat.StreamID
	from   int // the id it resumed after
	at     int
	seen   []chat.Event
	over   bool
	gone   bool // the session was deleted under it
}

// TestAnyReaderGetsEveryEventOnce runs a session at random: turns whose owners die, are slow or deaf, readers that come and
// resume from any event that some client was told, alarms at any time, crashes of the object. In the end every reader has
// got every event that is kept after the one it resumed from, once, in order, and exactly one final event.
func TestAnyReaderGetsEveryEventOnce(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 99))
		w := newWorld(t)
		owners := map[chat.StreamID]*owner{}
		var live []*owner
		var readers []*reader
		deleted := map[chat.StreamID]bool{}

		step := func() {
			switch random.IntN(12) {
			case 0, 1:
				turn, err := w.Begin(t.Context(), w.s, chat.Opening{Session: "s", Messages: says("x"), Keep: chat.Retention{WindowTokens: 50}})
				if err != nil {
					require.Equal(t, "turn_in_progress", fault.As(err).Code)
					break
				}
				require.NotContains(t, owners, turn.Stream, "no stream is ever used twice")
				o := &owner{stream: turn.Stream}
				owners[turn.Stream] = o
				live = append(live, o)
			case 2, 3, 4, 5: // an owner goes on
				if len(live) == 0 {
					break
				}
				o := live[random.IntN(len(live))]
				if o.over {
					break
				}
				for range random.IntN(5) {
					id := len(o.sent) + 1 + 10*random.IntN(2)
					if n := len(o.sent); n > 0 {
						id = o.sent[n-1].ID + 1 + random.IntN(3)
					}
					o.sent = append(o.sent, token(id, fmt.Sprint(" ", id)))
				}
				w.report(random, o, random.IntN(6) == 0)
			case 6: // an owner dies
				if len(live) > 0 && random.IntN(3) == 0 {
					i := random.IntN(len(live))
					live = slices.Delete(live, i, i+1)
				}
			case 7, 8: // somebody comes, with an id that a client of the turn has seen
				for stream, o := range owners {
					if deleted[stream] {
						continue
					}
					from := 0
					if n := len(o.sent); n > 0 && random.IntN(4) > 0 {
						from = o.sent[random.IntN(n)].ID
					}
					readers = append(readers, &reader{stream: stream, from: from, at: from})
					break
				}
			case 9:
				if len(readers) > 0 {
					w.read(readers[random.IntN(len(readers))], 1+random.IntN(4))
				}
			case 10:
				w.time = w.time.Add(time.Duration(random.IntN(9_000)) * time.Millisecond)
				if random.IntN(2) == 0 {
					w.wake()
				}
			case 11:
				if random.IntN(2) == 0 {
					w.crash()
				}
				if random.IntN(25) == 0 && w.Delete(t.Context(), w.s, "s") == nil {
					for stream := range owners {
						deleted[stream] = true
					}
				}
			}
		}
		for range 150 {
			step()
		}
		w.time = w.time.Add(chat.TurnLease) // whoever is not heard of now never is
		w.wake()
		for _, r := range readers {
			for !r.over && !r.gone {
				w.read(r, 3)
			}
			if deleted[r.stream] { // some are over before, the others find it gone
				require.True(t, r.gone || len(r.seen) == 0 || r.seen[len(r.seen)-1].Type.Final(), "seed %d: %s", seed, r.stream)
				continue
			}
			require.False(t, r.gone, "seed %d: %s", seed, r.stream)
			all := w.replay(r.stream, 0)
			require.True(t, all.Over)
			var want []chat.Event
			final := 0
			for _, e := range all.Events {
				if e.ID > r.from {
					want = append(want, e)
				}
				if e.Type.Final() {
					final++
				}
			}
			require.Equal(t, 1, final, "seed %d", seed)
			require.LessOrEqual(t, r.from, all.Events[len(all.Events)-1].ID, "seed %d: the final event is beyond all that a client was told", seed)
			require.Equal(t, want, r.seen, "seed %d: %s after %d", seed, r.stream, r.from)
			if len(want) == 0 { // it resumed after the final event
				continue
			}
			require.True(t, r.seen[len(r.seen)-1].Type.Final(), "seed %d", seed)
			ends[string(r.seen[len(r.seen)-1].Type)]++
		}
		facts := map[int]int{}
		for _, f := range w.facts() {
			facts[f.Turn]++
		}
		require.Len(t, facts, len(owners), "seed %d: each turn has ended", seed)
		for turn, n := range facts {
			require.Equal(t, 1, n, "seed %d: turn %d ended once", seed, turn)
		}
	}
	require.Greater(t, ends["done"], 100, "%v", ends)
	require.Greater(t, ends["error"], 100, "%v", ends)
}

// report tells the session what it has not got, as the owner knows it. A final event is told to the session before the client.
func (w *world) report(random *rand.Rand, o *owner, end bool) {
	w.Helper()
	from := max(o.kept-random.IntN(3), 0) // it may have been deaf before
	n := chat.News{Stream: o.stream, Events: slices.Clone(o.sent[from:])}
	if random.IntN(3) == 0 && !end {
		return // not yet
	}
	if end {
		last := 0
		if len(o.sent) > 0 {
			last = o.sent[len(o.sent)-1].ID
		}
		n.Events = append(n.Events, done(last+1))
		n.Outcome = reply("Hi")
	}
	for {
		_, err := w.Tell(w.Context(), w.s, n)
		if err != nil {
			require.Equal(w, "turn_over", fault.As(err).Code)
			o.over = true // whether it ended it itself, and did not learn, or somebody else did
			return
		}
		if random.IntN(3) > 0 {
			break // else the answer was lost, and it is told again
		}
	}
	o.kept = len(o.sent)
	if end {
		o.sent = append(o.sent, n.Events[len(n.Events)-1])
		o.kept, o.over = len(o.sent), true
	}
}

func (w *world) read(r *reader, limit int) {
	w.Helper()
	if r.over || r.gone {
		return
	}
	got, err := w.Replay(w.Context(), w.s, r.stream, r.at, limit)
	if err != nil {
		require.Equal(w, "stream_not_found", fault.As(err).Code)
		r.gone = true
		return
	}
	for _, e := range got.Events {
		require.Greater(w, e.ID, r.at)
		r.at = e.ID
		r.seen = append(r.seen, e)
	}
	r.over = got.Over
}
