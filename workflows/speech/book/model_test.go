package book_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
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
)

// studio is what a simulation knows of a tenant.
type studio struct {
	s      tenants.Scope
	jobs   []string
	final  map[string]job.State
	ended  map[string]time.Time      // when a job was first seen to have
	queue  []string                  // takes that were asked for
	letIn  map[string]bool           // for the first time
	direct map[string]bool           // takes that were spoken directly
	held   []speech.Claim            // by makers
	best   map[string]int            // the last claim of a take that somebody has heard of
	noted  map[string]map[int]bool   // by reel
	told   map[string][]events.Event // by job: that it has ended
	counts map[any]int               // of what came of it all
}

// simulation is random days of callers and makers over desks that lose questions and answers.
type simulation struct {
	*world
	rng     *rand.Rand
	studios []*studio
	losing  int // percent
}

func simulate(t *testing.T, seed uint64) (counts map[any]int) {
	w := newWorld(t)
	x := &simulation{world: w, rng: rand.New(rand.NewPCG(seed, 3)), losing: 6}
	counts = map[any]int{}
	for _, s := range []tenants.Scope{w.acme, w.globex} {
		x.studios = append(x.studios, &studio{
			s: s, final: map[string]job.State{}, ended: map[string]time.Time{}, letIn: map[string]bool{}, direct: map[string]bool{}, best: map[string]int{},
			noted: map[string]map[int]bool{}, told: map[string][]events.Event{}, counts: counts,
		})
	}
	w.desks.Before, w.desks.After = x.lose, x.lose
	w.sounds.Before, w.sounds.After = x.lose, x.lose
	for n := range 700 {
		x.step(x.studios[x.rng.IntN(2)])
		if n%10 == 0 {
			x.check()
		}
	}
	x.finish()
	return counts
}

func (x *simulation) lose(string) error {
	if x.rng.IntN(100) < x.losing {
		return fault.Unavailablef(nil, "lost", "it was lost")
	}
	return nil
}

// insist asks until there is an answer.
func insist[V any](x *simulation, f func() (V, error)) V {
	for {
		v, err := f()
		if fault.As(err).Code == "lost" && err != nil {
			continue
		}
		require.NoError(x, err)
		return v
	}
}

func (x *simulation) step(d *studio) {
	x.now = x.now.Add(time.Duration(x.rng.IntN(3000)) * time.Millisecond)
	switch n := x.rng.IntN(100); {
	case n < 25:
		x.opens(d)
	case n < 45:
		x.consume(d)
	case n < 80:
		x.makes(d)
	case n < 82 && len(d.jobs) > 0:
		x.listens(d)
	case n < 85 && len(d.held) > 0: // who holds it dies
		i := x.rng.IntN(len(d.held))
		d.held = slices.Delete(d.held, i, i+1)
	case n < 90 && len(d.jobs) > 0:
		id := d.jobs[x.rng.IntN(len(d.jobs))]
		if !d.forgotten(x.now, id) {
			insist(x, func() (speech.Job, error) { return x.desks.Cancel(x.Context(), d.s, id) })
		}
	case n < 99:
		x.now = x.now.Add(time.Duration(x.rng.IntN(300)) * time.Second)
		_, _ = x.desks.Alarm(x.Context(), d.s, x.sounds) // one that fails rings again
	default:
		x.now = x.now.Add(time.Duration(1+x.rng.IntN(30)) * time.Hour)
	}
}

// forgotten reports whether a job may be.
func (d *studio) forgotten(now time.Time, id string) bool {
	at, over := d.ended[id]
	return over && now.Sub(at) > speech.Life-48*time.Hour
}

func (x *simulation) opens(d *studio) {
	n := x.rng.IntN(9)
	o := x.order(n, 1+n%4)
	o.Direct = x.rng.IntN(3) == 0
	if x.rng.IntN(6) == 0 {
		o.Key, o.Hash = fmt.Sprint("key", n), fmt.Sprint(n)
	}
	out := insist(x, func() (speech.Opened, error) { return x.desks.Open(x.Context(), d.s, o) })
	if !slices.Contains(d.jobs, out.Job.ID) {
		d.jobs = append(d.jobs, out.Job.ID)
	}
	if out.Claim != nil {
		d.direct[out.Claim.Take] = true
		x.claimed(d, *out.Claim)
	}
}

// listens is a listener who has heard nothing of a job.
func (x *simulation) listens(d *studio) {
	j, err := x.desks.Job(x.Context(), d.s, d.jobs[x.rng.IntN(len(d.jobs))])
	if err != nil || j.State.Final() {
		return
	}
	c, err := x.desks.TakeOver(x.Context(), d.s, j.Take, "listener")
	if code := fault.As(err).Code; err != nil {
		require.Contains(x, []string{"lost", speech.CodeBusy, speech.CodeOver}, code, "%v", err)
		d.counts[code]++
		return
	}
	d.counts["taken over"]++
	d.direct[c.Take] = true
	x.claimed(d, c)
}

// claimed checks a claim, and gives it to a maker.
func (x *simulation) claimed(d *studio, c speech.Claim) {
	require.Greater(x, c.Claim, d.best[c.Take])
	d.best[c.Take] = c.Claim
	for i := range d.noted[c.Tape.Reel] {
		require.NotContains(x, c.Missing(), i, "no part is lost")
	}
	if c.Tape.Reel != c.Take && c.Claim == 1 {
		d.counts["went on"]++
	}
	require.NotEmpty(x, c.Order.Text)
	d.held = append(d.held, c)
}

// relay takes what was told.
func (x *simulation) relay(d *studio) {
	_, _ = x.desks.Relay(x.Context(), d.s, x.world) // what was not sent is sent later
	told := x.told
	x.told = nil
	for _, ev := range told {
		switch f := fact(x, ev).(type) {
		case events.SpeechRequested:
			d.queue = append(d.queue, f.Take)
			if f.Try == 0 {
				d.letIn[f.Take] = true
			}
		case events.SpeechSynthesized:
			for _, id := range f.Jobs {
				d.told[id] = append(d.told[id], ev)
			}
		case events.SpeechFailed:
			for _, id := range f.Jobs {
				d.told[id] = append(d.told[id], ev)
			}
		}
	}
}

func (x *simulation) consume(d *studio) {
	x.relay(d)
	if len(d.queue) == 0 {
		return
	}
	i := x.rng.IntN(len(d.queue))
	c, err := x.desks.Claim(x.Context(), d.s, d.queue[i])
	if code := fault.As(err).Code; err != nil && (code == speech.CodeBusy || code == "lost") {
		d.counts[code]++
		return // its message comes again
	}
	if x.rng.IntN(6) > 0 { // else it was delivered twice
		d.queue = slices.Delete(d.queue, i, i+1)
	}
	if err != nil {
		require.Equal(x, speech.CodeOver, fault.As(err).Code)
		return
	}
	x.claimed(d, c)
}

func (x *simulation) makes(d *studio) {
	if len(d.held) == 0 {
		return
	}
	i := x.rng.IntN(len(d.held))
	c := &d.held[i]
	missing := c.Missing()
	var err error
	ends := true
	switch {
	case x.rng.IntN(12) == 0 && c.Direct != "":
		d.counts["given back"]++
		err = x.desks.Release(x.Context(), d.s, c.Ticket, &job.Problem{Code: "failed"})
	case x.rng.IntN(12) == 0:
		err = x.desks.End(x.Context(), d.s, c.Ticket, &job.Problem{Code: "failed"})
	case len(missing) == 0 || x.rng.IntN(20) == 0:
		err = x.desks.End(x.Context(), d.s, c.Ticket, nil)
	default:
		ends = false
		err = x.part(d, c, missing[x.rng.IntN(len(missing))])
	}
	switch code := fault.As(err).Code; {
	case err == nil && ends:
		d.held = slices.Delete(d.held, i, i+1)
	case err != nil && code == speech.CodeOver:
		d.counts[code]++
		d.held = slices.Delete(d.held, i, i+1)
	case err != nil:
		require.Contains(x, []string{"lost", "tape_incomplete"}, code, "%v", err)
	}
}

// part keeps a part and notes it.
func (x *simulation) part(d *studio, c *speech.Claim, i int) error {
	name := fmt.Sprint("part", i)
	if err := x.sounds.Put(x.Context(), d.s, c.Tape.Reel, name, []byte(c.Take)); err != nil {
		return err
	}
	p := speech.Part{Index: i, Name: name, Bytes: int64(len(c.Take)), Nanos: 1}
	err := x.desks.Add(x.Context(), d.s, c.Ticket, speech.Tape{Model: "m", Voice: "v", Format: c.Order.Format, Parts: []speech.Part{p}})
	if err != nil {
		return err
	}
	require.Equal(x, d.best[c.Take], c.Claim, "only who claimed it last makes it")
	c.Tape.Parts = append(c.Tape.Parts, p)
	if d.noted[c.Tape.Reel] == nil {
		d.noted[c.Tape.Reel] = map[int]bool{}
	}
	d.noted[c.Tape.Reel][i] = true
	return nil
}

// check looks at what must hold at every moment.
func (x *simulation) check() {
	losing := x.losing
	x.losing = 0
	defer func() { x.losing = losing }()
	for _, d := range x.studios {
		x.checkJobs(d)
		letIn := 0
		x.desks.Rows(d.s, func(tx rows.Tx) {
			found, err := tx.Scan("t/", 10_000)
			require.NoError(x, err)
			for _, row := range found {
				var t struct{ S string }
				require.NoError(x, json.Unmarshal(row.Value, &t))
				digest, n, _ := strings.Cut(strings.TrimPrefix(row.Key, "t/"), "/")
				id := digest + "-" + strings.TrimLeft(n, "0")
				if t.S == "making" && d.letIn[id] && !d.direct[id] {
					letIn++
				}
			}
		})
		require.LessOrEqual(x, letIn, speech.MaxMaking)
	}
}

func (x *simulation) checkJobs(d *studio) {
	for _, id := range d.jobs {
		j, err := x.desks.Job(x.Context(), d.s, id)
		if err != nil {
			require.Equal(x, "job_not_found", fault.As(err).Code)
			require.True(x, d.forgotten(x.now, id), "%s is gone too soon", id)
			continue
		}
		if was, over := d.final[id]; over {
			require.Equal(x, was, j.State, "a job ends once")
		} else if j.State.Final() {
			d.final[id], d.ended[id] = j.State, x.now
		}
		if j.State != job.Succeeded || j.Expired {
			continue
		}
		require.True(x, j.Tape.Whole())
		for _, p := range j.Tape.Parts {
			r, err := x.sounds.Open(x.Context(), d.s, j.Tape.Reel, p.Name, 0, p.Bytes)
			require.NoError(x, err, "what is there is to be heard")
			require.NoError(x, r.Close())
		}
	}
}

// finish lets everything come to rest, and compares what was told with what came of it.
func (x *simulation) finish() {
	x.losing = 0
	for _, d := range x.studios {
		for range 60 {
			x.now = x.now.Add(time.Minute)
			_, err := x.desks.Alarm(x.Context(), d.s, x.sounds)
			require.NoError(x, err)
			x.relay(d)
			for len(d.queue) > 0 {
				c, err := x.desks.Claim(x.Context(), d.s, d.queue[0])
				if fault.As(err).Code == speech.CodeBusy && err != nil {
					break
				}
				d.queue = d.queue[1:]
				if err != nil {
					continue
				}
				for _, i := range c.Missing() {
					require.NoError(x, x.finishes(d, &c, i))
				}
				require.NoError(x, x.desks.End(x.Context(), d.s, c.Ticket, nil))
			}
		}
		x.relay(d)
	}
	x.check()
	for _, d := range x.studios {
		for _, id := range d.jobs {
			state, over := d.final[id]
			require.True(x, over, "%s has not ended", id)
			d.counts[state]++
			var types []string
			for _, ev := range d.told[id] {
				types = append(types, ev.Type)
			}
			want := map[job.State][]string{job.Succeeded: {events.TypeSpeechSynthesized}, job.Failed: {events.TypeSpeechFailed}}[state]
			require.Equal(x, want, types, "%s: each end is told once", id)
		}
		for _, key := range x.keys(d.s) {
			require.False(x, strings.HasPrefix(key, "b/") || strings.HasPrefix(key, "w/") || strings.HasPrefix(key, "o/"), "%s is left", key)
		}
	}
}

// finishes is part for a claim that was not given to a maker.
func (x *simulation) finishes(d *studio, c *speech.Claim, i int) error {
	d.best[c.Take] = c.Claim
	return x.part(d, c, i)
}

// TestEveryJobEndsOnce runs random days of two tenants over desks that lose questions and answers, makers that die, messages that come twice and alarms that
// fail: one at most makes a take, no part is lost, so many are made at a time, and each job ends once and is told once.
func TestEveryJobEndsOnce(t *testing.T) {
	all := map[any]int{}
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			for what, n := range simulate(t, seed) {
				all[what] += n
			}
		})
	}
	for _, what := range []any{job.Succeeded, job.Failed, job.Cancelled, speech.CodeOver, speech.CodeBusy, "lost", "went on", "taken over", "given back"} {
		assert.Greater(t, all[what], 20, what)
	}
}
