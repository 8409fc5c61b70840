package localvec

import (
	"cmp"
	"container/heap"
)

type hit struct {
	score float32
	space *space
	slot  int
}

func (h hit) id() string { return h.space.rows[h.slot].id }

// best keeps the limit best hits: a heap with the worst on top.
type best struct {
	limit int
	hits  []hit
}

func (b *best) offer(h hit) {
	switch {
	case len(b.hits) < b.limit:
		heap.Push(b, h)
	case b.worse(b.hits[0], h):
		b.hits[0] = h
		heap.Fix(b, 0)
	}
}

// rulesOut tells whether no score up to the ceiling would be kept, whatever the id.
// A ceiling that is NaN rules nothing out.
func (b *best) rulesOut(ceiling float64) bool {
	return len(b.hits) == b.limit && ceiling < float64(b.hits[0].score)
}

// worse orders all hits: NaN, which numbers near the largest make, is the worst score.
func (*best) worse(a, b hit) bool {
	order := cmp.Compare(a.score, b.score)
	return order < 0 || order == 0 && a.id() > b.id()
}

func (b *best) Len() int           { return len(b.hits) }
func (b *best) Less(i, j int) bool { return b.worse(b.hits[i], b.hits[j]) }
func (b *best) Swap(i, j int)      { b.hits[i], b.hits[j] = b.hits[j], b.hits[i] }
func (b *best) Push(h any)         { b.hits = append(b.hits, h.(hit)) }

func (b *best) Pop() any {
	last := b.hits[len(b.hits)-1]
	b.hits = b.hits[:len(b.hits)-1]
	return last
}
