package book_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// world is two tenants' desks, what they told, and the time.
type world struct {
	*testing.T
	now          time.Time
	desks        *memory.Speech
	sounds       *memory.Sounds
	told         []events.Event // by whichever tenant, each once
	seen         map[string]bool
	acme, globex tenants.Scope
	jobs         int
}

func newWorld(t *testing.T) *world {
	w := &world{T: t, now: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC), sounds: &memory.Sounds{AtOnce: 1}, seen: map[string]bool{}}
	w.desks = memory.NewSpeech(func() time.Time { return w.now })
	w.acme, w.globex = tenantstest.Two(t)
	return w
}

// Publish implements events.Publisher. What comes again is not told twice.
func (w *world) Publish(_ context.Context, s tenants.Scope, evs ...events.Event) error {
	for _, ev := range evs {
		require.Equal(w, s.Tenant(), ev.Tenant)
		require.NoError(w, ev.Check())
		if !w.seen[ev.ID] {
			w.seen[ev.ID] = true
			w.told = append(w.told, ev)
		}
	}
	return nil
}

// order is the nth text in so many parts, under a new id.
func (w *world) order(n, parts int) speech.Opening {
	w.jobs++
	o := speech.Opening{
		ID: fmt.Sprintf("job-%06d", w.jobs), Keep: 24 * time.Hour, Cause: events.Cause{ID: fmt.Sprintf("request-%d", w.jobs)},
		Order: speech.Order{Model: "m", Voice: "v", Format: audio.MP3, Speed: 100},
	}
	for i := range parts {
		s := fmt.Sprintf("Água %d.%d. ", n, i)
		from := len(o.Order.Text)
		o.Order.Text += s
		o.Cuts = append(o.Cuts, speech.Cut{From: from, To: from + len(s), Chars: len([]rune(s))})
	}
	return o
}

func (w *world) open(s tenants.Scope, o speech.Opening) speech.Opened {
	w.Helper()
	out, err := w.desks.Open(w.Context(), s, o)
	require.NoError(w, err)
	return out
}

func (w *world) job(s tenants.Scope, id string) speech.Job {
	w.Helper()
	j, err := w.desks.Job(w.Context(), s, id)
	require.NoError(w, err)
	return j
}

func (w *world) claim(s tenants.Scope, take string) speech.Claim {
	w.Helper()
	c, err := w.desks.Claim(w.Context(), s, take)
	require.NoError(w, err)
	return c
}

// speak keeps parts and notes them.
func (w *world) speak(s tenants.Scope, c speech.Claim, parts ...int) {
	w.Helper()
	for _, i := range parts {
		name := fmt.Sprintf("part%d", i)
		require.NoError(w, w.sounds.Put(w.Context(), s, c.Tape.Reel, name, []byte("spoken")))
		require.NoError(w, w.desks.Add(w.Context(), s, c.Ticket, speech.Tape{
			Model: "m", Voice: "v", Format: audio.MP3, Parts: []speech.Part{{Index: i, Name: name, Bytes: 6, Duration: time.Second, Nanos: 5}},
		}))
	}
}

func (w *world) make(s tenants.Scope, take string) {
	w.Helper()
	c := w.claim(s, take)
	w.speak(s, c, c.Missing()...)
	require.NoError(w, w.desks.End(w.Context(), s, c.Ticket, nil))
}

func (w *world) fail(s tenants.Scope, c speech.Claim, code string) {
	w.Helper()
	require.NoError(w, w.desks.End(w.Context(), s, c.Ticket, &job.Problem{Stage: "speak", Code: code, Message: "why"}))
}

func (w *world) cancel(s tenants.Scope, id string) speech.Job {
	w.Helper()
	j, err := w.desks.Cancel(w.Context(), s, id)
	require.NoError(w, err)
	return j
}

// pass lets time pass, and rings the alarms. It says when acme's is to ring next.
func (w *world) pass(d time.Duration) time.Time {
	w.Helper()
	w.now = w.now.Add(d)
	next, err := w.desks.Alarm(w.Context(), w.acme, w.sounds)
	require.NoError(w, err)
	_, err = w.desks.Alarm(w.Context(), w.globex, w.sounds)
	require.NoError(w, err)
	return next
}

// facts takes what was told since the last time.
func (w *world) facts(s tenants.Scope) (all []any) {
	w.Helper()
	for {
		n, err := w.desks.Relay(w.Context(), s, w)
		require.NoError(w, err)
		if n == 0 {
			break
		}
	}
	told := w.told
	w.told = nil
	for _, ev := range told {
		require.Equal(w, s.Tenant(), ev.Tenant, "the other's is taken first")
		all = append(all, fact(w, ev))
	}
	return all
}

func fact(t require.TestingT, ev events.Event) any {
	switch ev.Type {
	case events.TypeSpeechRequested:
		return as[events.SpeechRequested](t, ev)
	case events.TypeSpeechSynthesized:
		return as[events.SpeechSynthesized](t, ev)
	}
	return as[events.SpeechFailed](t, ev)
}

func as[F events.Fact](t require.TestingT, ev events.Event) F {
	var f F
	require.NoError(t, ev.As(&f))
	return f
}

// keys are the keys of what the tenant's object has.
func (w *world) keys(s tenants.Scope) (keys []string) {
	w.desks.Rows(s, func(tx rows.Tx) {
		found, err := tx.Range("\x00", "~", 10_000)
		require.NoError(w, err)
		for _, row := range found {
			keys = append(keys, row.Key)
		}
	})
	return keys
}

func ref(o speech.Opening, take int) events.SpeechRef {
	return events.SpeechRef{Take: fmt.Sprintf("%s-%d", o.Order.Digest(), take), Model: "m", Voice: "v", Format: "mp3", Characters: o.Order.Chars()}
}

func id(o speech.Opening) string { return o.Order.Digest() + "-1" }
