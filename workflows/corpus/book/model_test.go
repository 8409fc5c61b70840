package book_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// world is one document whose generations are worked on by consumers that run beside each other, step by step, die
// between any two steps and start again, and run again for no reason.
type world struct {
	*desk
	rng     *rand.Rand
	vectors map[string]bool
	work    []*worker
	crashes int
}

// worker handles one message: it does its steps in order and starts again when it dies.
type worker struct {
	name  string
	steps []func() // a step may append further steps
	next  int
	reset func(*worker)
}

const chunksInSlice = 2

func vector(generation, chunk int) string { return fmt.Sprintf("%d/%d", generation, chunk) }

// add puts a message in: its steps are made anew for each attempt.
func (w *world) add(name string, reset func(*worker)) {
	k := &worker{name: name, reset: reset}
	reset(k)
	w.work = append(w.work, k)
}

// step lets any worker go on, die, finish or run twice.
func (w *world) step() {
	i := w.rng.IntN(len(w.work))
	k := w.work[i]
	if w.crashes > 0 && w.rng.IntN(8) == 0 {
		w.crashes--
		k.next = 0
		k.reset(k)
		return
	}
	k.steps[k.next]()
	if k.next++; k.next < len(k.steps) {
		return
	}
	if w.crashes > 0 && w.rng.IntN(5) == 0 { // delivered again although it was done
		w.crashes--
		k.next = 0
		k.reset(k)
		return
	}
	w.work = slices.Delete(w.work, i, i+1)
}

// one advances a single progress.
func (w *world) one(p corpus.Progress) corpus.Verdict { return w.advance(p)[0] }

// erase is the steps that remove retired generations: one for each vector, then the confirmation.
func (w *world) erase(k *worker, ref events.DocumentRef, rs ...corpus.Retired) {
	for _, r := range rs {
		for c := range r.Chunks {
			k.steps = append(k.steps, func() { delete(w.vectors, vector(r.Generation, c)) })
		}
		k.steps = append(k.steps, func() { w.one(retired(events.DocumentRef{DocID: ref.DocID, Generation: r.Generation})) })
	}
}

// index is the message of one slice; when giveUp is set its consumer fails for good after it has written.
func (w *world) index(ref events.DocumentRef, slice, slices int, giveUp bool) {
	chunks := slices * chunksInSlice
	w.add(fmt.Sprintf("index %d.%d", ref.Generation, slice), func(k *worker) {
		k.steps = nil
		for c := range chunksInSlice {
			k.steps = append(k.steps, func() { w.vectors[vector(ref.Generation, slice*chunksInSlice+c)] = true })
		}
		k.steps = append(k.steps, func() {
			p := indexed(ref, slice, slices, chunks)
			if giveUp {
				p.Code = "broken"
			}
			v := w.one(p)
			if v.Stale && giveUp { // as the undertaker does
				v.Retired = append(v.Retired, corpus.Retired{Generation: ref.Generation, Chunks: chunks})
			} else if v.Stale {
				for c := range chunksInSlice {
					k.steps = append(k.steps, func() { delete(w.vectors, vector(ref.Generation, slice*chunksInSlice+c)) })
				}
			}
			w.erase(k, ref, v.Retired...)
		})
	})
}

type fate int

const (
	succeeds fate = iota
	failsInChunk
	failsInEmbed
	failsInIndex
)

// start submits a generation and puts its messages in.
func (w *world) start(f fate) events.DocumentRef {
	ref := w.submit("doc")
	slices := 1 + w.rng.IntN(4)
	bad := w.rng.IntN(slices)
	w.add(fmt.Sprintf("chunk %d", ref.Generation), func(k *worker) {
		k.steps = []func(){func() {
			if f == failsInChunk {
				w.erase(k, ref, w.one(failed(ref, corpus.StageChunk)).Retired...)
				return
			}
			w.one(chunked(ref, slices, slices*chunksInSlice))
		}}
	})
	if f == failsInChunk {
		return ref
	}
	for s := range slices {
		if s == bad && f == failsInEmbed {
			w.add(fmt.Sprintf("embed %d.%d", ref.Generation, s), func(k *worker) {
				k.steps = []func(){func() { w.erase(k, ref, w.one(failed(ref, corpus.StageEmbed)).Retired...) }}
			})
			continue
		}
		w.index(ref, s, slices, s == bad && f == failsInIndex)
	}
	return ref
}

func TestEveryInterleavingEndsWithTheNewestThatSucceeded(t *testing.T) {
	kinds := map[job.State]int{}
	for seed := range uint64(4000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := &world{desk: newDesk(t), rng: rng, vectors: map[string]bool{}, crashes: 30}
		var refs []events.DocumentRef
		var fates []fate
		generations := 2 + rng.IntN(2)
		for len(refs) < generations || len(w.work) > 0 {
			if len(refs) < generations && (len(w.work) == 0 || rng.IntN(6) == 0) {
				f := fate(rng.IntN(6)) // half of them succeed
				if f > failsInIndex {
					f = succeeds
				}
				refs, fates = append(refs, w.start(f)), append(fates, f)
				continue
			}
			w.step()
		}
		newest := 0
		for i, f := range fates {
			if f == succeeds {
				newest = refs[i].Generation
			}
		}
		doc := w.document("doc")
		require.Equal(t, newest, doc.Searchable, "seed %d", seed)
		require.Equal(t, generations, doc.Generation)
		want := map[string]bool{}
		for i, ref := range refs {
			j := w.job(ref.JobID)
			kinds[j.State]++
			require.True(t, j.State.Final(), "seed %d: job of %d is %s", seed, ref.Generation, j.State)
			switch {
			case ref.Generation == newest:
				require.Equal(t, job.Succeeded, j.State)
				for c := range j.Counts.Total * chunksInSlice {
					want[vector(newest, c)] = true
				}
			case fates[i] == succeeds:
				require.Contains(t, []job.State{job.Succeeded, job.Cancelled}, j.State, "seed %d", seed)
			default:
				require.Contains(t, []job.State{job.Failed, job.Cancelled}, j.State, "seed %d", seed)
			}
		}
		require.Equal(t, want, w.vectors, "seed %d: fates %v", seed, fates)
	}
	for _, s := range []job.State{job.Succeeded, job.Failed, job.Cancelled} {
		assert.Positive(t, kinds[s], "the test has to meet %s", s)
	}
}
