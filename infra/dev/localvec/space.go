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
	blocks     [][]float32
	rows       []row
}

// row is what belongs to a vector besides its numbers.
type row struct {
	id       string
	inverse  float32 // one over its length, zero for a zero vector
	metadata []byte  // compact JSON, or empty
	indexed  []value // by the index's properties
}

func (s *space) vector(slot int) []float32 {
	at := slot % blockRows * s.dimensions
	return s.blocks[slot/blockRows][at : at+s.dimensions : at+s.dimensions]
}

// add answers the new vector's slot.
func (s *space) add(r row, values []float32) int {
	slot := len(s.rows)
	if slot/blockRows == len(s.blocks) {
		s.blocks = append(s.blocks, make([]float32, blockRows*s.dimensions))
	}
	s.rows = append(s.rows, row{})
	s.set(slot, r, values)
	return slot
}

func (s *space) set(slot int, r row, values []float32) {
	r.inverse = inverse(values)
	s.rows[slot] = r
	copy(s.vector(slot), values)
}

// remove fills the slot with the last vector, and answers that one's id.
func (s *space) remove(slot int) (moved string) {
	last := len(s.rows) - 1
	if slot != last {
		s.rows[slot] = s.rows[last]
		copy(s.vector(slot), s.vector(last))
		moved = s.rows[slot].id
	}
	s.rows[last] = row{}
	s.rows = s.rows[:last]
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
