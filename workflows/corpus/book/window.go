package book

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// window is how much of a tenant's work may be in the queues at once, in units. It follows the delay, as FAST TCP does
// (Jin, Wei, Low: FAST TCP, 2004): with base the shortest time from release to end lately (but see Patience), and rtt what it takes now,
//
//	size = base/rtt * size + alpha
//
// once a round trip. Where that stands still, alpha units of the tenant are queued beside those that are worked on, whatever the speed
// of the pipeline. So tenants that compete share it as their alphas are, and nobody asks anybody.
//
// Whoever comes while others are busy takes their delay for the way's own. Therefore all windows hold back at the
// same moment, once a minute on the clock, for as long as it takes what is queued to go: then each sees the way without the others.
type window struct {
	Size     float64 `json:"w"` // units; 0 before the first
	InFlight int     `json:"f,omitempty"`
	Docs     int     `json:"n,omitempty"`  // documents in flight
	Weight   int     `json:"wt,omitempty"` // the tenant's; 0 is usual

	Steady  bool    `json:"st,omitempty"` // the growth of the start is over
	Short   bool    `json:"sh,omitempty"` // something had to wait since the last change
	Changed int64   `json:"ch,omitempty"` // when the size last did, in Unix milliseconds like all times here
	RTT     float64 `json:"r,omitempty"`  // lately, in milliseconds

	// The shortest round trip of this minute and of the last: what is older is forgotten, so the base rises when the way
	// has become longer.
	Minute int64   `json:"mi,omitempty"`
	This   float64 `json:"b,omitempty"`
	Last   float64 `json:"bl,omitempty"`

	Probes []probe `json:"p,omitempty"` // documents that are being timed, in order
}

// probe is a small document on its way.
type probe struct {
	ID   string `json:"i"`
	At   int64  `json:"t"`
	Full bool   `json:"f,omitempty"`
}

const (
	unit       = 4 << 10 // bytes of text
	startSize  = 256     // units, as all sizes
	minSize    = 8
	maxSize    = 16384
	probeUnits = 4 // a document that is timed is no larger
	maxProbes  = 8

	// alpha is what a tenant of the usual weight has queued. Less of it and tenants find their shares later; more, and a single
	// document of another tenant waits for it.
	alpha = 64
	usual = 10 // what a configuration says that says nothing
	// Patience is what the way may take however idle it is. A lone document waits for company in the batch of each of three
	// stages (a second each, infra/stack), and a window that took this for a queue would shrink, fill batches less, and wait the
	// longer: what is sooner is no reason to hold anything back.
	Patience = 4 * time.Second
	// growth is by what a window grows at the start, once a round trip, while the way takes no longer than that. It is slower once that is
	// near: what a step was too much is seen a round trip later, and meanwhile others wait behind it.
	growth, slowGrowth = 1.5, 1.2
	near               = 0.85
	// hold is for how long windows hold back, at most.
	hold = 15 * time.Second
)

// base is the shortest round trip lately, or Patience.
func (w *window) base() float64 {
	least := w.Last
	if least == 0 || w.This > 0 && w.This < least {
		least = w.This
	}
	return max(least, float64(Patience.Milliseconds()))
}

// limit is how many units may be in flight now.
func (w *window) limit(now int64) float64 {
	size := w.size()
	if w.Steady && float64(now%time.Minute.Milliseconds()) < min(w.RTT, float64(hold.Milliseconds())) {
		return max(minSize, size*w.base()/w.RTT/2)
	}
	return size
}

// fits reports whether a document may go. One always may.
func (w *window) fits(units int, now int64) bool {
	return w.InFlight == 0 || float64(w.InFlight+units) <= w.limit(now)
}

// enter counts a document that goes.
func (w *window) enter(id string, units int, now int64) {
	w.InFlight += units
	w.Docs++
	if units > probeUnits || len(w.Probes) == maxProbes {
		return
	}
	full := float64(w.InFlight+probeUnits) >= w.size()
	if n := len(w.Probes); n > 0 && (!full || w.Probes[n-1].Full) && float64(now-w.Probes[n-1].At) < max(250, w.RTT/4) {
		return
	}
	w.Probes = append(w.Probes, probe{id, now, full})
}

// leave counts a document that has ended. One that came through tells how long that takes.
func (w *window) leave(id string, units int, now int64, through bool) {
	w.InFlight -= units
	w.Docs--
	i := slices.IndexFunc(w.Probes, func(p probe) bool { return p.ID == id })
	if i < 0 {
		return
	}
	p := w.Probes[i]
	w.Probes = slices.Delete(w.Probes, 0, i+1) // those before it take longer than they should, and are not waited for
	if through {
		w.sample(p, now)
	}
}

// forget times a document no longer: it waits for something that says nothing about the way.
func (w *window) forget(id string) {
	w.Probes = slices.DeleteFunc(w.Probes, func(p probe) bool { return p.ID == id })
}

// sample takes a round trip. The size follows one that began when the window was full, and has been since it changed: it
// tells what the size has done.
func (w *window) sample(p probe, now int64) {
	took := max(1, float64(now-p.At))
	if minute := now / time.Minute.Milliseconds(); minute != w.Minute {
		if w.This > 0 {
			w.Last = w.This
		}
		w.Minute, w.This = minute, 0
	}
	if w.This == 0 || took < w.This {
		w.This = took
	}
	if w.RTT > 0 && w.Steady {
		took = (w.RTT + took) / 2
	}
	w.RTT = took
	if p.At >= w.Changed && p.Full {
		w.follow()
		w.Changed, w.Short = now, false
	}
}

// follow sets the size by what a round trip takes. It grows only if it held something up.
func (w *window) follow() {
	size, base := w.size(), w.base()
	next := base/w.RTT*size + alpha*float64(cmp.Or(w.Weight, usual))/usual
	switch {
	case w.Steady:
	case w.RTT <= near*base:
		next = growth * size
	case w.RTT <= 1.1*base:
		next = slowGrowth * size
	default:
		w.Steady = true
	}
	if next > size && !w.Short {
		next = size
	}
	w.Size = math.Round(min(max(next, minSize), maxSize))
}

func (w *window) size() float64 {
	if w.Size == 0 {
		return startSize
	}
	return w.Size
}
