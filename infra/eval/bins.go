package eval

import "math"

// Bins sorts what was said of probabilities by tenths.
type Bins [10]Bin

// Bin is what was said and what was, summed over N.
type Bin struct {
	N    float64 `json:"n"`
	Said float64 `json:"said"`
	Was  float64 `json:"was"`
}

func (b *Bins) add(said float64, was bool) {
	i := min(max(int(said*10), 0), len(b)-1)
	b[i].N++
	b[i].Said += said
	if was {
		b[i].Was++
	}
}

// join adds others, each of them so many times.
func (b *Bins) join(others Bins, times float64) {
	for i, o := range others {
		b[i].N += times * o.N
		b[i].Said += times * o.Said
		b[i].Was += times * o.Was
	}
}

// Error is the expected calibration error: by how much what was said is off, on average.
func (b *Bins) Error() float64 {
	off, n := 0.0, 0.0
	for _, x := range b {
		off, n = off+math.Abs(x.Said-x.Was), n+x.N
	}
	if n == 0 {
		return 0
	}
	return off / n
}
