package localvec

import (
	"math"

	"gonum.org/v1/gonum/blas/blas32"
)

// blockRows is how many vectors are allocated together: growing never copies.
const blockRows = 1024

// space is the vectors of one namespace, flat, in no order.
type space struct {
	name       string
	dimensions int
	blocks     []block
	sketches   []sketch
	rows       []row
}

// block is the numbers of blockRows vectors, and their codes.
type block struct {
	values []float32
	codes  []int8
}

// row is what belongs to a vector besides its numbers.
type row struct {
	id       string
	metadata []byte  // compact JSON, or empty
	indexed  []value // by the index's properties
}

func (s *space) vector(slot int) []float32 {
	at := slot % blockRows * s.dimensions
	return s.blocks[slot/blockRows].values[at : at+s.dimensions : at+s.dimensions]
}

func (s *space) codes(slot int) []int8 {
	n := padded(s.dimensions)
	at := slot % blockRows * n
	return s.blocks[slot/blockRows].codes[at : at+n]
}

// add answers the new vector's slot.
func (s *space) add(r row, values []float32) int {
	slot := len(s.rows)
	if slot/blockRows == len(s.blocks) {
		s.blocks = append(s.blocks, block{make([]float32, blockRows*s.dimensions), make([]int8, blockRows*padded(s.dimensions))})
	}
	s.sketches = append(s.sketches, sketch{})
	s.rows = append(s.rows, row{})
	s.set(slot, r, values)
	return slot
}

func (s *space) set(slot int, r row, values []float32) {
	s.rows[slot] = r
	s.sketches[slot] = draw(s.codes(slot), values)
	copy(s.vector(slot), values)
}

// remove fills the slot with the last vector, and answers that one's id.
func (s *space) remove(slot int) (moved string) {
	last := len(s.rows) - 1
	if slot != last {
		s.rows[slot], s.sketches[slot] = s.rows[last], s.sketches[last]
		copy(s.codes(slot), s.codes(last))
		copy(s.vector(slot), s.vector(last))
		moved = s.rows[slot].id
	}
	s.rows[last] = row{}
	s.rows, s.sketches = s.rows[:last], s.sketches[:last]
	if used := (last + blockRows - 1) / blockRows; used < len(s.blocks) {
		clear(s.blocks[used:])
		s.blocks = s.blocks[:used]
	}
	return moved
}

func inverse(v []float32) float32 {
	if length := math.Sqrt(float64(dot(v, v))); length > 0 {
		return float32(1 / length)
	}
	return 0
}

func dot(a, b []float32) float32 {
	return blas32.Dot(blas32.Vector{N: len(a), Inc: 1, Data: a}, blas32.Vector{N: len(b), Inc: 1, Data: b})
}
