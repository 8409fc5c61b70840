package book_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/book"
)

func TestManyThatFailAreToldInSeveralEvents(t *testing.T) {
	w := newWorld(t)
	for range 120 {
		w.open(w.acme, w.order(1, 1))
	}
	w.facts(w.acme)
	w.fail(w.acme, w.claim(w.acme, id(w.order(1, 1))), "c")
	jobs := map[string]bool{}
	told := w.facts(w.acme)
	for _, f := range told {
		for _, id := range f.(events.SpeechFailed).Jobs {
			jobs[id] = true
		}
	}
	assert.Equal(t, []int{5, 120}, []int{len(told), len(jobs)})
}

// Who listens takes nobody's turn, also of a take that was the queue's.
func TestWhoSpeaksDirectlyTakesNobodysTurn(t *testing.T) {
	w := newWorld(t)
	direct := func(n int) speech.Opening {
		o := w.order(n, 1)
		o.Direct = true
		return o
	}
	for n := range 2 * speech.MaxMaking {
		require.NotNil(t, w.open(w.acme, direct(100+n)).Claim)
	}
	for n := range speech.MaxMaking + 1 {
		w.open(w.acme, w.order(n, 1))
	}
	assert.Len(t, w.facts(w.acme), speech.MaxMaking)
	require.NotNil(t, w.open(w.acme, direct(0)).Claim)
	assert.Equal(t, []any{events.SpeechRequested{SpeechRef: ref(w.order(speech.MaxMaking, 1), 1), Parts: 1}}, w.facts(w.acme))
}

// What is told is what spoke, and the format that its file has.
func TestWhatSpokeIsTold(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 1)
	w.open(w.acme, o)
	w.facts(w.acme)
	c := w.claim(w.acme, id(o))
	require.NoError(t, w.desks.Add(t.Context(), w.acme, c.Ticket, speech.Tape{
		Model: "fallback", Voice: "hers", Format: audio.WAV, Rate: 8000, Channels: 1, Parts: []speech.Part{{Name: "x", Bytes: 2}},
	}))
	require.NoError(t, w.desks.End(t.Context(), w.acme, c.Ticket, nil))
	w.open(w.acme, w.order(1, 1))
	told := w.facts(w.acme)
	require.Len(t, told, 2)
	for _, f := range told {
		got := f.(events.SpeechSynthesized)
		assert.Equal(t, []string{"fallback", "hers", "wav"}, []string{got.Model, got.Voice, got.Format})
	}
}

// A sound of which there can be no file is none, however often its end is said.
func TestASoundThatIsTooLong(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 2)
	w.open(w.acme, o)
	c := w.claim(w.acme, id(o))
	require.NoError(t, w.desks.Add(t.Context(), w.acme, c.Ticket, speech.Tape{
		Model: "m", Voice: "v", Format: audio.WAV, Rate: 8000, Channels: 1, Parts: []speech.Part{{Index: 0, Name: "x", Bytes: 1 << 31}, {Index: 1, Name: "y", Bytes: 1 << 31}},
	}))
	for range 2 {
		require.NoError(t, w.desks.End(t.Context(), w.acme, c.Ticket, nil))
	}
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{job.Failed, "audio_too_long"}, []any{j.State, j.Error.Code})
}

func TestWhatIsAskedForAgainIsKeptLonger(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 1)
	w.open(w.acme, o)
	w.make(w.acme, id(o))
	due := w.now.Add(24 * time.Hour)
	short := w.order(1, 1)
	short.Keep = time.Hour
	assert.Equal(t, due, w.open(w.acme, short).Job.ExpiresAt, "no shorter")
	w.pass(23 * time.Hour)
	assert.Equal(t, w.now.Add(24*time.Hour), w.open(w.acme, w.order(1, 1)).Job.ExpiresAt)
	w.pass(24*time.Hour - time.Millisecond)
	assert.Equal(t, 1, w.sounds.Len(w.acme))
	w.pass(time.Millisecond)
	assert.Zero(t, w.sounds.Len(w.acme))
}

// A take that only waits in the queue is asked for hourly, and for a day.
func TestATakeThatNobodyClaims(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 1)
	w.open(w.acme, o)
	w.facts(w.acme)
	assert.Equal(t, w.now.Add(time.Hour), w.pass(0))
	for try := range 23 {
		w.pass(time.Hour - time.Millisecond)
		assert.Empty(t, w.facts(w.acme))
		w.pass(time.Millisecond)
		assert.Equal(t, []any{events.SpeechRequested{SpeechRef: ref(o, 1), Parts: 1, Try: try + 1}}, w.facts(w.acme))
	}
	w.pass(time.Hour - time.Millisecond)
	assert.Equal(t, job.Queued, w.job(w.acme, o.ID).State)
	w.pass(time.Millisecond)
	assert.Equal(t, "stuck", w.job(w.acme, o.ID).Error.Code)
}

// lame drops all but one reel.
type lame struct {
	speech.Sounds
	reel string
}

func (l *lame) Drop(ctx context.Context, s tenants.Scope, reel string) (bool, error) {
	if reel == l.reel {
		return false, errors.New("no")
	}
	return l.Sounds.Drop(ctx, s, reel)
}

func TestOneReelThatCannotBeDroppedStopsNoOther(t *testing.T) {
	w := newWorld(t)
	first := w.order(0, 1)
	w.open(w.acme, first)
	w.make(w.acme, id(first))
	w.now = w.now.Add(time.Minute)
	for n := range 2 {
		o := w.order(n+1, 1)
		w.open(w.acme, o)
		w.make(w.acme, id(o))
	}
	w.now = w.now.Add(24 * time.Hour)
	_, err := w.desks.Alarm(t.Context(), w.acme, &lame{w.sounds, id(first)})
	require.Error(t, err)
	assert.Equal(t, 1, w.sounds.Len(w.acme))
	w.pass(time.Hour)
	assert.Zero(t, w.sounds.Len(w.acme))
}

// A take whose row is gone takes nobody's turn, and stops nobody.
func TestATakeThatIsGone(t *testing.T) {
	w := newWorld(t)
	for n := range speech.MaxMaking + 1 {
		w.open(w.acme, w.order(n, 1))
	}
	w.facts(w.acme)
	gone := w.order(0, 1)
	w.desks.Rows(w.acme, func(tx rows.Tx) { require.NoError(t, tx.Delete("t/"+gone.Order.Digest()+"/000000001")) })
	assert.Equal(t, w.now.Add(time.Hour), w.pass(0))
	assert.Len(t, w.facts(w.acme), 1)
	w.desks.Rows(w.acme, func(tx rows.Tx) {
		value, err := tx.Get("room")
		require.NoError(t, err)
		assert.NotContains(t, string(value), id(gone))
	})
}

// What is left without a job is counted, and cleared.
func TestNothingIsLeftWhenCleared(t *testing.T) {
	w := newWorld(t)
	w.desks.Rows(w.acme, func(tx rows.Tx) {
		for _, key := range []string{"c/x-1", "p/x-1"} {
			require.NoError(t, tx.Put(key, []byte("{}")))
		}
		b := book.New(func() time.Time { return w.now })
		n, err := b.Count(tx, 1000)
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		n, err = b.Clear(tx, w.acme, 1000)
		require.NoError(t, err)
		assert.Equal(t, 2, n)
		n, err = b.Count(tx, 1000)
		require.NoError(t, err)
		assert.Zero(t, n)
	})
}

// What went wrong in the house is not told outside of it.
func TestAMistakeOfOursIsNotTold(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 1)
	w.open(w.acme, o)
	w.desks.Rows(w.acme, func(tx rows.Tx) {
		found, err := tx.Scan("o/", 1)
		require.NoError(t, err)
		err = book.New(func() time.Time { return w.now }).SetAside(tx, strings.TrimPrefix(found[0].Key, "o/"), fault.New(fault.Internal, "secret", "a path", nil))
		require.NoError(t, err)
	})
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{"internal", "something went wrong on our side"}, []any{j.Error.Code, j.Error.Message})
}
