package book_test

import (
	"context"
	"errors"
	"math/rand/v2"
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
	"levada.dev/workflows/speech/book"
)

func TestWhatIsTold(t *testing.T) {
	w := newWorld(t)
	first, second, gone, theirs := w.order(1, 2), w.order(1, 2), w.order(1, 2), w.order(1, 2)
	for _, o := range []speech.Opening{first, second, gone} {
		w.open(w.acme, o)
	}
	assert.Equal(t, []any{events.SpeechRequested{SpeechRef: ref(first, 1), Parts: 2}}, w.facts(w.acme), "once for all of them")
	w.cancel(w.acme, gone.ID)
	w.make(w.acme, id(first))
	assert.Equal(t, []any{events.SpeechSynthesized{SpeechRef: ref(first, 1), Jobs: []string{first.ID, second.ID}, Bytes: 12, DurationMS: 2000, CostNanos: 10}}, w.facts(w.acme))
	late := w.order(1, 2)
	w.open(w.acme, late)
	assert.Equal(t, []any{events.SpeechSynthesized{SpeechRef: ref(first, 1), Jobs: []string{late.ID}, Bytes: 12, DurationMS: 2000}}, w.facts(w.acme), "it costs nothing")

	w.open(w.globex, theirs)
	w.fail(w.globex, w.claim(w.globex, id(theirs)), "model_refused")
	assert.ElementsMatch(t, []any{
		events.SpeechRequested{SpeechRef: ref(theirs, 1), Parts: 2}, events.SpeechFailed{SpeechRef: ref(theirs, 1), Jobs: []string{theirs.ID}, Code: "model_refused", Message: "why"},
	}, w.facts(w.globex))
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		assert.Empty(t, w.facts(s))
	}
	direct := w.order(2, 1)
	direct.Direct = true
	w.open(w.acme, direct)
	assert.Empty(t, w.facts(w.acme), "who speaks directly is not told to")
}

// What waits comes in its order, one for one, and what is cancelled is passed over.
func TestTurns(t *testing.T) {
	w := newWorld(t)
	var all []speech.Opening
	for n := range speech.MaxMaking + 4 {
		all = append(all, w.order(n, 1))
		w.open(w.acme, all[n])
	}
	told := func(want ...int) {
		t.Helper()
		var wanted []any
		for _, n := range want {
			wanted = append(wanted, events.SpeechRequested{SpeechRef: ref(all[n], 1), Parts: 1})
		}
		var got []any
		for _, f := range w.facts(w.acme) {
			if r, ok := f.(events.SpeechRequested); ok {
				got = append(got, r)
			}
		}
		assert.ElementsMatch(t, wanted, got, "at once, so in any order")
	}
	told(0, 1, 2, 3)
	w.make(w.acme, id(all[2]))
	told(4)
	w.cancel(w.acme, all[5].ID)
	told()
	w.fail(w.acme, w.claim(w.acme, id(all[0])), "c")
	told(6)
	w.cancel(w.acme, all[1].ID)
	told(7)
	w.open(w.globex, w.order(0, 1))
	assert.Len(t, w.facts(w.globex), 1, "a tenant's backlog stands before nobody else's")
	for _, n := range []int{3, 4, 6, 7} {
		w.make(w.acme, id(all[n]))
	}
	told()
	again := w.order(5, 1)
	w.open(w.acme, again)
	assert.Equal(t, []any{events.SpeechRequested{SpeechRef: ref(again, 2), Parts: 1}}, w.facts(w.acme))
}

// A sound by the fallback stands for the one that was asked for while the model is away, and not for days.
func TestASoundByTheFallback(t *testing.T) {
	w := newWorld(t)
	for _, by := range []string{"m", "another"} {
		for _, s := range []tenants.Scope{w.acme, w.globex} {
			n := len(by)
			first := w.order(n, 1)
			take := w.open(s, first).Job.Take
			c := w.claim(s, take)
			require.NoError(t, w.sounds.Put(t.Context(), s, c.Tape.Reel, "x", []byte("spoken")))
			require.NoError(t, w.desks.Add(t.Context(), s, c.Ticket, speech.Tape{Model: by, Voice: "v", Format: "mp3", Parts: []speech.Part{{Name: "x", Bytes: 6}}}))
			require.NoError(t, w.desks.End(t.Context(), s, c.Ticket, nil))
			w.pass(59 * time.Minute)
			assert.Equal(t, take, w.open(s, w.order(n, 1)).Job.Take)
			w.pass(2 * time.Minute)
			only := w.order(n, 1)
			only.OnlyShared = true
			_, err := w.desks.Open(t.Context(), s, only)
			assert.Equal(t, by == "m", err == nil, "%v", err)
			later := w.open(s, w.order(n, 1)).Job
			assert.Equal(t, []any{by == "m", by == "m"}, []any{later.Take == take, later.Shared})
			assert.Equal(t, job.Succeeded, w.job(s, first.ID).State, "who has it keeps it")
			if by == "m" {
				continue
			}
			w.make(s, later.Take)
			w.pass(2 * time.Hour)
			assert.Equal(t, later.Take, w.open(s, w.order(n, 1)).Job.Take, "the one that was asked for is shared as ever")
		}
	}
}

func TestTooMuchWaits(t *testing.T) {
	w := newWorld(t)
	for n := range speech.MaxMaking {
		w.open(w.acme, w.order(n, 1))
	}
	w.desks.Rows(w.acme, func(tx rows.Tx) {
		var room map[string]any
		_, err := rows.Read(tx, "room", &room)
		require.NoError(t, err)
		room["w"] = speech.MaxWaiting
		require.NoError(t, rows.Write(tx, "room", room))
	})
	o := w.order(9, 1)
	_, err := w.desks.Open(t.Context(), w.acme, o)
	assert.Equal(t, []any{fault.Limited, speech.CodeBacklog}, []any{fault.As(err).Kind, fault.As(err).Code})
	_, err = w.desks.Job(t.Context(), w.acme, o.ID)
	assert.Equal(t, fault.NotFound, fault.KindOf(err), "nothing was opened")
	w.open(w.acme, w.order(0, 1)) // what is on its way is shared
	w.open(w.globex, w.order(9, 1))
}

func TestTooManyShare(t *testing.T) {
	w := newWorld(t)
	for range speech.MaxShared {
		w.open(w.acme, w.order(1, 1))
	}
	_, err := w.desks.Open(t.Context(), w.acme, w.order(1, 1))
	assert.Equal(t, speech.CodeBacklog, fault.As(err).Code)
	w.facts(w.acme)
	w.make(w.acme, id(w.order(1, 1)))
	told := w.facts(w.acme)
	require.Len(t, told, speech.MaxShared/25, "so many that each event is soon done with")
	jobs, nanos := map[string]bool{}, int64(0)
	for _, f := range told {
		done := f.(events.SpeechSynthesized)
		assert.Len(t, done.Jobs, 25)
		for _, id := range done.Jobs {
			jobs[id] = true
		}
		nanos += done.CostNanos
	}
	assert.Equal(t, []any{speech.MaxShared, int64(5)}, []any{len(jobs), nanos}, "each job once, and so what it cost")
	w.open(w.acme, w.order(1, 1)) // what is there is had by any number
}

func TestTooManySpeakDirectly(t *testing.T) {
	w := newWorld(t)
	direct := func(n int) speech.Opening {
		o := w.order(n, 1)
		o.Direct = true
		return o
	}
	for n := range 100 {
		w.open(w.acme, direct(n))
	}
	_, err := w.desks.Open(t.Context(), w.acme, direct(100))
	assert.Equal(t, speech.CodeBacklog, fault.As(err).Code)
	w.open(w.globex, direct(100))
}

// A take that is spoken directly is the queue's when nothing is heard of whoever speaks it.
func TestWhoSpeaksDirectlyDies(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 3)
	o.Direct = true
	c := w.open(w.acme, o).Claim
	w.now = w.now.Add(speech.DirectLease - time.Second)
	w.speak(w.acme, *c, 0)
	w.now = w.now.Add(speech.DirectLease - 10*time.Second)
	_, err := w.desks.Claim(t.Context(), w.acme, c.Take)
	assert.Equal(t, []any{speech.CodeBusy, 10 * time.Second}, []any{fault.As(err).Code, fault.As(err).RetryAfter}, "there was news")
	w.pass(speech.Late)
	assert.Equal(t, []any{events.SpeechRequested{SpeechRef: ref(o, 1), Parts: 3, Try: 1}}, w.facts(w.acme))
	again := w.claim(w.acme, c.Take)
	assert.Equal(t, []int{1, 2}, again.Missing())
	assert.Equal(t, speech.CodeOver, fault.As(w.desks.End(t.Context(), w.acme, c.Ticket, nil)).Code)
}

func TestATakeOfWhichNobodyHears(t *testing.T) {
	w := newWorld(t)
	o, theirs := w.order(1, 3), w.order(1, 3)
	w.open(w.acme, o)
	w.open(w.globex, theirs)
	w.facts(w.globex)
	w.facts(w.acme)
	retold := func(try int) []any {
		return []any{events.SpeechRequested{SpeechRef: ref(o, 1), Parts: 3, Try: try}}
	}
	w.claim(w.globex, id(theirs))
	w.pass(speech.Late - time.Millisecond)
	assert.Empty(t, w.facts(w.acme))
	c := w.claim(w.acme, id(o)) // news
	assert.Equal(t, w.now.Add(speech.Late), w.pass(0))
	w.pass(speech.Late - time.Second)
	w.facts(w.globex)
	assert.Empty(t, w.facts(w.acme))
	w.pass(time.Second)
	assert.Equal(t, retold(1), w.facts(w.acme))
	w.speak(w.acme, c, 1) // it went on all the same
	for try := range speech.Tries {
		w.pass(speech.Late)
		w.told = nil
		assert.Equal(t, retold(2+try), w.facts(w.acme), "a part was spoken, and counting begins anew")
		w.claim(w.acme, id(o))
	}
	w.pass(speech.Late)
	told := w.facts(w.acme)
	require.Len(t, told, 1)
	assert.Equal(t, "stuck", told[0].(events.SpeechFailed).Code)
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{job.Failed, "stuck"}, []any{j.State, j.Error.Code})
	assert.Equal(t, job.Running, w.job(w.globex, theirs.ID).State, "it only waits in the queue")
	w.pass(speech.Late)
	w.told = nil
	assert.Empty(t, w.facts(w.acme), "that is all")
}

func TestWhatHasExpired(t *testing.T) {
	w := newWorld(t)
	o, longer := w.order(1, 2), w.order(1, 2)
	longer.Keep = 48 * time.Hour
	w.open(w.acme, o)
	w.open(w.acme, longer)
	w.make(w.acme, id(o))
	w.open(w.globex, w.order(1, 2))
	assert.Equal(t, w.now.Add(48*time.Hour), w.job(w.acme, o.ID).ExpiresAt, "as long as the longest of them wants it")
	w.pass(48*time.Hour - time.Millisecond)
	assert.False(t, w.job(w.acme, o.ID).Expired)
	assert.Equal(t, 2, w.sounds.Len(w.acme))
	w.now = w.now.Add(time.Millisecond)
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{job.Succeeded, true}, []any{j.State, j.Expired}, "also before the alarm")
	again := w.open(w.acme, w.order(1, 2))
	assert.Equal(t, []any{o.Order.Digest() + "-2", false}, []any{again.Job.Take, again.Job.Shared})
	w.pass(0)
	assert.Zero(t, w.sounds.Len(w.acme))
	w.make(w.acme, again.Job.Take)
	assert.Equal(t, 2, w.sounds.Len(w.acme))
	w.pass(speech.Life - time.Hour)
	assert.True(t, w.job(w.acme, longer.ID).Expired)
	w.pass(time.Hour)
	for _, id := range []string{o.ID, longer.ID} {
		_, err := w.desks.Job(t.Context(), w.acme, id)
		assert.Equal(t, "job_not_found", fault.As(err).Code)
	}
	assert.Equal(t, job.Succeeded, w.job(w.acme, again.Job.ID).State)
	w.cancel(w.globex, "job-000003")
	w.pass(speech.Life + 24*time.Hour)
	assert.True(t, w.pass(speech.Life+speech.Late).IsZero(), "nothing is to be looked after")
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		w.facts(s)
		assert.Equal(t, []string{"room", "tenant"}, w.keys(s))
	}
}

// Whoever goes on with the parts of a take that has failed has them, also after that would have been forgotten.
func TestPartsOutliveTheTakeThatFailed(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 3)
	w.open(w.acme, o)
	c := w.claim(w.acme, id(o))
	w.speak(w.acme, c, 0, 1)
	w.fail(w.acme, c, "budget_exhausted")
	w.pass(23 * time.Hour)
	assert.Equal(t, 2, w.sounds.Len(w.acme), "they are kept as long as a sound is")
	again := w.claim(w.acme, w.open(w.acme, w.order(1, 3)).Job.Take)
	assert.Equal(t, []int{2}, again.Missing())
	w.speak(w.acme, again, 2)
	require.NoError(t, w.desks.End(t.Context(), w.acme, again.Ticket, nil))
	w.pass(23 * time.Hour)
	assert.Equal(t, 3, w.sounds.Len(w.acme))
	w.pass(time.Hour)
	assert.Zero(t, w.sounds.Len(w.acme))

	last := w.open(w.acme, w.order(1, 3)).Job
	c = w.claim(w.acme, last.Take)
	assert.Len(t, c.Missing(), 3)
	w.speak(w.acme, c, 0)
	w.fail(w.acme, c, "c")
	w.now = w.now.Add(24 * time.Hour)
	assert.Len(t, w.claim(w.acme, w.open(w.acme, w.order(1, 3)).Job.Take).Missing(), 3, "they are to be dropped, and nobody goes on with them")
	w.pass(0)
	assert.Zero(t, w.sounds.Len(w.acme))
}

// A part that was on its way when its take was cancelled is dropped, too.
func TestWhatIsCancelledIsDropped(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 2)
	w.open(w.acme, o)
	c := w.claim(w.acme, id(o))
	w.speak(w.acme, c, 0)
	w.cancel(w.acme, o.ID)
	require.NoError(t, w.sounds.Put(t.Context(), w.acme, c.Tape.Reel, "part1", []byte("spoken")))
	w.pass(speech.Late - time.Second)
	assert.Equal(t, 2, w.sounds.Len(w.acme))
	w.pass(time.Second)
	assert.Zero(t, w.sounds.Len(w.acme))
	assert.Equal(t, job.Cancelled, w.job(w.acme, o.ID).State)
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{o.Cuts[0].Chars, int64(5)}, []any{j.Spoken, j.Cost.Nanos}, "what it took")
}

func TestKeysExpire(t *testing.T) {
	w := newWorld(t)
	under := func(hash string) speech.Opening {
		o := w.order(1, 1)
		o.Key, o.Hash = "key", hash
		return o
	}
	w.open(w.acme, under("h"))
	w.now = w.now.Add(24*time.Hour - time.Millisecond)
	assert.True(t, w.open(w.acme, under("h")).Again)
	w.now = w.now.Add(time.Millisecond)
	assert.False(t, w.open(w.acme, under("other")).Again)
	w.pass(72 * time.Hour)
	for _, key := range w.keys(w.acme) {
		assert.False(t, strings.HasPrefix(key, "i/"), key)
	}
}

// A request that can never be sent ends its take.
func TestARequestThatCannotBeSent(t *testing.T) {
	w := newWorld(t)
	o := w.order(1, 1)
	w.open(w.acme, o)
	w.desks.Rows(w.acme, func(tx rows.Tx) {
		found, err := tx.Scan("o/", 10)
		require.NoError(t, err)
		require.Len(t, found, 1)
		b := book.New(func() time.Time { return w.now })
		for range 2 {
			require.NoError(t, b.SetAside(tx, strings.TrimPrefix(found[0].Key, "o/"), fault.Invalidf("", "event_too_large", "no queue takes it")))
		}
		require.NoError(t, b.SetAside(tx, "unknown", errors.New("x")))
	})
	j := w.job(w.acme, o.ID)
	assert.Equal(t, []any{job.Failed, "event_too_large"}, []any{j.State, j.Error.Code})
	assert.Equal(t, []any{events.SpeechFailed{SpeechRef: ref(o, 1), Jobs: []string{o.ID}, Code: "event_too_large", Message: "no queue takes it"}}, w.facts(w.acme))
}

// Sounds that cannot be dropped are dropped later, and what was half dropped is dropped again.
func TestAlarmsThatFail(t *testing.T) {
	w := newWorld(t)
	for n := range 3 {
		o := w.order(n, 2)
		w.open(w.acme, o)
		w.make(w.acme, id(o))
	}
	w.now = w.now.Add(24 * time.Hour)
	due := w.now
	rng := rand.New(rand.NewPCG(8, 8))
	fails := func(string) error {
		if rng.IntN(8) == 0 {
			return errors.New("lost")
		}
		return nil
	}
	w.sounds.Before, w.sounds.After, w.desks.Before, w.desks.After = fails, fails, fails, fails
	failed := 0
	for w.sounds.Len(w.acme) > 0 {
		if _, err := w.desks.Alarm(t.Context(), w.acme, w.sounds); err != nil {
			failed++
		}
		require.Less(t, failed, 100)
		w.now = w.now.Add(time.Hour)
	}
	assert.Positive(t, failed)
	w.sounds.Before, w.sounds.After, w.desks.Before, w.desks.After = nil, nil, nil, nil
	w.now = w.now.Add(time.Hour) // of the last, that it is dropped may be noted only now
	assert.Equal(t, due.Add(speech.Life).Truncate(time.Hour).Add(time.Hour), w.pass(0))
}

// stubborn are sounds of which some reels cannot be removed.
type stubborn struct {
	speech.Sounds
	stuck map[string]bool // reels
	asked map[string]int
}

func (x *stubborn) Drop(ctx context.Context, s tenants.Scope, reel string) (bool, error) {
	x.asked[s.Key(reel)]++
	if x.stuck[reel] {
		return false, fault.Unavailablef(nil, "store_unavailable", "the store does not answer")
	}
	return x.Sounds.Drop(ctx, s, reel)
}

// More reels than one look removes cannot be removed: those behind them are, and they are tried again an hour later.
func TestReelsThatCannotBeRemoved(t *testing.T) {
	const bad, good = 100, 3
	w := newWorld(t)
	x := &stubborn{w.sounds, map[string]bool{}, map[string]int{}}
	alarm := func() time.Time {
		next, err := w.desks.Alarm(t.Context(), w.acme, x)
		if err != nil {
			assert.Equal(t, "store_unavailable", fault.As(err).Code)
		}
		_, err = w.desks.Alarm(t.Context(), w.globex, w.sounds)
		require.NoError(t, err)
		return next
	}
	for n := range bad + good {
		o := w.order(n, 1)
		w.open(w.acme, o)
		w.make(w.acme, id(o))
		x.stuck[id(o)] = n < bad
		w.now = w.now.Add(time.Millisecond)
	}
	theirs := w.order(1, 1) // of the name of one that is stuck
	w.open(w.globex, theirs)
	w.make(w.globex, id(theirs))
	job := w.job(w.acme, "job-000001")
	w.now = w.now.Add(24 * time.Hour)
	alarm()
	assert.Equal(t, []int{bad + good, 0}, []int{w.sounds.Len(w.acme), w.sounds.Len(w.globex)})
	w.now = w.now.Add(time.Minute) // as the object does
	next := alarm()
	assert.Equal(t, bad, w.sounds.Len(w.acme))
	assert.Equal(t, next, next.Truncate(time.Hour), "it is looked at again, when many are")
	again := w.job(w.acme, job.ID)
	assert.Equal(t, []any{true, job.ExpiresAt}, []any{again.Expired, again.ExpiresAt}, "what is left of a sound is not to be had again")
	for _, n := range x.asked {
		assert.Equal(t, 1, n)
	}
	assert.Equal(t, w.open(w.acme, w.order(0, 1)).Job.Take, w.order(0, 1).Order.Digest()+"-2", "it is made anew")
	clear(x.stuck)
	w.now = w.now.Add(time.Hour)
	assert.Equal(t, 1, w.pass(0).Compare(w.now))
	assert.Zero(t, w.sounds.Len(w.acme))
	w.cancel(w.acme, "job-000105")
	w.pass(speech.Life + 48*time.Hour)
	w.pass(speech.Life + 48*time.Hour)
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		w.facts(s)
		assert.Equal(t, []string{"room", "tenant"}, w.keys(s), "nothing is left of any of them")
	}
}

// What a job costs in rows, as the package's comment says.
func TestWhatAJobWrites(t *testing.T) {
	w := newWorld(t)
	w.open(w.acme, w.order(9, 1)) // the object's own
	w.cancel(w.acme, "job-000001")
	w.facts(w.acme)
	count := func(f func()) int {
		before := w.desks.Written(w.acme)
		f()
		w.facts(w.acme)
		return w.desks.Written(w.acme) - before
	}
	one := w.order(1, 1)
	short := count(func() { w.open(w.acme, one); w.facts(w.acme); w.make(w.acme, id(one)) })
	three := w.order(2, 3)
	long := count(func() { w.open(w.acme, three); w.facts(w.acme); w.make(w.acme, id(three)) })
	assert.Equal(t, []int{15, 17}, []int{short, long})
	assert.Equal(t, 4, count(func() { w.open(w.acme, w.order(1, 1)) }), "of what is there")
	assert.Equal(t, 3, count(func() { w.open(w.acme, w.order(3, 1)); w.open(w.acme, w.order(3, 1)) })-count(func() { w.open(w.acme, w.order(4, 1)) }), "of what is on its way")
	keyed := w.order(1, 1)
	keyed.Key, keyed.Hash = "k", "h"
	assert.Equal(t, 5, count(func() { w.open(w.acme, keyed) }), "with a key")

	x := newWorld(t)
	x.open(x.acme, one)
	x.make(x.acme, id(one))
	x.facts(x.acme)
	before := x.desks.Written(x.acme)
	x.pass(24 * time.Hour)
	x.pass(speech.Life)
	assert.Equal(t, 8, x.desks.Written(x.acme)-before, "until it is forgotten")
}
