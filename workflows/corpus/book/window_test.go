package book

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// pipeline is the queues and consumers that tenants share, in a time of its own.
type pipeline struct {
	now    int64
	events agenda
	seq    int
	stages []*stage
	rng    *rand.Rand
	lag    int64 // from the ledger to the queue, and back
}

// stage is a queue with its consumers: a batch starts when it is full or its oldest message has waited, and a consumer is free.
type stage struct {
	batch, consumers int
	wait             int64
	fixed, each      float64 // milliseconds, of a batch and of a unit
	queue            []*doc
	running          int
	next             *stage
}

type doc struct {
	tenant *tenant
	id     string
	units  int
	queued int64
	begun  int64
}

// tenant is a ledger: what waits, and the window.
type tenant struct {
	*pipeline
	window
	waiting []*doc
	free    bool // no window
	done    []*doc
	at      []int64
	peak    float64
}

type occasion struct {
	at  int64
	seq int
	do  func()
}

type agenda []occasion

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(occasion)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

func (p *pipeline) after(ms int64, do func()) {
	p.seq++
	heap.Push(&p.events, occasion{p.now + ms, p.seq, do})
}

func (p *pipeline) run(until int64) {
	for len(p.events) > 0 && p.events[0].at <= until {
		o := heap.Pop(&p.events).(occasion)
		p.now = o.at
		o.do()
	}
	p.now = until
}

func (p *pipeline) put(s *stage, d *doc) {
	if s == nil {
		p.after(p.lag, func() { d.tenant.end(d) })
		return
	}
	d.queued = p.now
	s.queue = append(s.queue, d)
	p.dispatch(s)
	p.after(s.wait, func() { p.dispatch(s) })
}

func (p *pipeline) dispatch(s *stage) {
	for s.running < s.consumers && len(s.queue) > 0 && (len(s.queue) >= s.batch || p.now-s.queue[0].queued >= s.wait) {
		n := min(s.batch, len(s.queue))
		batch := s.queue[:n:n]
		s.queue = s.queue[n:]
		s.running++
		units := 0
		for _, d := range batch {
			units += d.units
		}
		took := (s.fixed + s.each*float64(units)) * (0.8 + 0.4*p.rng.Float64())
		p.after(max(1, int64(took)), func() {
			s.running--
			for _, d := range batch {
				p.put(s.next, d)
			}
			p.dispatch(s)
		})
	}
}

func (t *tenant) submit(n int, units func() int) {
	for range n {
		t.seq++
		t.waiting = append(t.waiting, &doc{tenant: t, id: fmt.Sprint(t.seq), units: units()})
	}
	t.letIn()
}

func (t *tenant) letIn() {
	for len(t.waiting) > 0 {
		d := t.waiting[0]
		if !t.free && !t.fits(d.units, t.now) {
			t.Short = true
			return
		}
		t.waiting = t.waiting[1:]
		d.begun = t.now
		t.enter(d.id, d.units, t.now)
		t.after(t.lag, func() { t.put(t.stages[0], d) })
	}
}

func (t *tenant) end(d *doc) {
	t.leave(d.id, d.units, t.now, true)
	t.done, t.at = append(t.done, d), append(t.at, t.now)
	t.peak = max(t.peak, t.Size)
	t.letIn()
}

// units that ended in a time.
func (t *tenant) units(from, to int64) (n int) {
	for i, d := range t.done {
		if from <= t.at[i] && t.at[i] < to {
			n += d.units
		}
	}
	return n
}

// kinds of pipelines: their batches are the stack's, their speeds differ.
var kinds = map[string]func() []*stage{
	"fast": func() []*stage {
		return []*stage{
			{batch: 50, consumers: 2, wait: 1000, fixed: 20, each: 1},
			{batch: 12, consumers: 4, wait: 1000, fixed: 40, each: 4},
			{batch: 64, consumers: 2, wait: 1000, fixed: 60, each: 1},
		}
	},
	"a slow model": func() []*stage {
		return []*stage{
			{batch: 50, consumers: 2, wait: 1000, fixed: 50, each: 2},
			{batch: 12, consumers: 4, wait: 1000, fixed: 400, each: 40},
			{batch: 64, consumers: 2, wait: 1000, fixed: 200, each: 2},
		}
	},
	"slow stores": func() []*stage {
		return []*stage{
			{batch: 50, consumers: 2, wait: 1000, fixed: 100, each: 15},
			{batch: 12, consumers: 4, wait: 1000, fixed: 100, each: 10},
			{batch: 64, consumers: 2, wait: 1000, fixed: 800, each: 8},
		}
	},
}

func newPipeline(kind string, seed uint64) *pipeline {
	p := &pipeline{now: 1_763_800_000_000, stages: kinds[kind](), rng: rand.New(rand.NewPCG(seed, 3)), lag: 15}
	for i := range p.stages[:len(p.stages)-1] {
		p.stages[i].next = p.stages[i+1]
	}
	return p
}

func (p *pipeline) tenant(weight int) *tenant {
	t := &tenant{pipeline: p}
	t.Weight = weight
	return t
}

const seconds = int64(1000)

// settled is when windows have found their size, after somebody has come.
const settled = 240 * seconds

func one() int { return 1 }

func TestATenantAloneHasThePipeline(t *testing.T) {
	for kind := range kinds {
		rate := func(free bool) float64 {
			p := newPipeline(kind, 1)
			a := p.tenant(usual)
			a.free = free
			start := p.now
			a.submit(300_000, one)
			p.run(start + 400*seconds)
			return float64(a.units(start+30*seconds, p.now))
		}
		free, mine := rate(true), rate(false)
		assert.GreaterOrEqual(t, mine, 0.95*free, "%s: %.0f of %.0f units a second", kind, mine/370, free/370)
	}
}

func TestTenantsShareByWeight(t *testing.T) {
	for kind := range kinds {
		for _, weight := range []int{1, 3} {
			p := newPipeline(kind, 2)
			a, b := p.tenant(weight*usual), p.tenant(usual)
			start := p.now
			a.submit(500_000, one)
			p.run(start + 60*seconds) // so that the second comes when the first is busy
			b.submit(500_000, one)
			p.run(start + 1200*seconds)
			from := start + 60*seconds + settled
			share := float64(a.units(from, p.now)) / float64(b.units(from, p.now))
			assert.InDelta(t, 1, share/float64(weight), 0.2, "%s: %.2f instead of %d", kind, share, weight)
		}
	}
}

// TestASingleDocumentIsNotHeldUp: its time on an idle pipeline is mostly the wait for company in each batch.
func TestASingleDocumentIsNotHeldUp(t *testing.T) {
	for kind := range kinds {
		for seed := range uint64(5) {
			p := newPipeline(kind, seed)
			b := p.tenant(usual)
			idle := b.one()
			a := p.tenant(usual)
			a.submit(20_000, one)
			late, count, total, longest := 0, 0, int64(0), int64(0)
			for ; len(a.waiting) > 0; count++ {
				took := b.one()
				total, longest = total+took, max(longest, took)
				if took > 2*idle {
					late++
				}
				p.run(p.now + 300)
			}
			assert.Less(t, float64(total)/float64(count), 1.75*float64(idle), "%s, seed %d: the mean, when %d ms is idle", kind, seed, idle)
			assert.LessOrEqual(t, float64(late), 1+0.05*float64(count), "%s, seed %d: %d of %d took more than twice %d ms", kind, seed, late, count, idle)
			assert.Less(t, float64(longest), 2.6*float64(idle), "%s, seed %d: the longest, when %d ms is idle", kind, seed, idle)
			if kind != "a slow model" { // there the batches' own times spread most
				assert.Less(t, float64(longest), 2.1*float64(idle), "%s, seed %d: the longest, when %d ms is idle", kind, seed, idle)
			}
		}
	}
}

// one sends a document through and says how long that took.
func (t *tenant) one() int64 {
	from, n := t.now, len(t.done)
	t.submit(1, one)
	for len(t.done) == n {
		t.run(t.now + 10)
	}
	return t.now - from
}

func TestALargeDocumentGoesAloneAtLeast(t *testing.T) {
	var w window
	assert.True(t, w.fits(100_000, 0))
	w.enter("large", 100_000, 0)
	assert.False(t, w.fits(1, 0))
	w.leave("large", 100_000, 5000, true)
	assert.True(t, w.fits(1, 5000))
	assert.Zero(t, w.InFlight)
	assert.Zero(t, w.Docs)
}

func TestAWindowThatHoldsNothingUpDoesNotGrow(t *testing.T) {
	p := newPipeline("fast", 4)
	a := p.tenant(usual)
	for range 200 {
		a.one()
	}
	assert.LessOrEqual(t, a.size(), float64(startSize))
}

func TestTheBaseRisesWhenTheWayHasBecomeLonger(t *testing.T) {
	var w window
	now := int64(0)
	for i := range 600 {
		took := int64(5_000)
		if i > 300 {
			took = 9_000
		}
		w.enter(fmt.Sprint(i), 1, now)
		now += took
		w.leave(fmt.Sprint(i), 1, now, true)
		if i == 300 {
			assert.InDelta(t, 5_000, w.base(), 1)
		}
	}
	assert.InDelta(t, 9_000, w.base(), 1)
}
