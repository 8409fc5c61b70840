package localvec

import "math"

// sketch is what search reads of most vectors: a copy of one byte a number beside
// it (block.codes), and how far that copy is from the vector. Vector and copy
// differ by loss at most, so by Cauchy and Schwarz the copy tells within which
// bounds a score lies, and only vectors that may be among the best need their
// numbers read.
type sketch struct {
	scale   float32 // of the codes: a number is about scale * code
	loss    float32 // length of vector - copy, rounded up
	length  float32 // of the vector, rounded up
	inverse float32 // one over the length as scores use it, zero for a zero vector
}

const (
	// codeStride is the multiple of codes a kernel takes at once: rows are padded
	// with zeros to it.
	codeStride = 32
	codeMost   = 127

	// Beyond these lengths float32 products may overflow or vanish, where no bound
	// holds: such vectors are always compared by their numbers.
	shortest, longest = 1e-12, 1e12
)

func padded(dimensions int) int { return (dimensions + codeStride - 1) / codeStride * codeStride }

// gamma is twice what a float32 sum of n products, in any order, can lose of the
// product of the lengths: the other half is room for the few roundings around it.
func gamma(n int) float64 { return float64(n+16) * 0x1p-23 }

// draw sets the codes of a vector.
func draw(codes []int8, values []float32) sketch {
	clear(codes)
	s := sketch{inverse: inverse(values)}
	largest, length := measure(values)
	switch {
	case largest == 0:
		return s
	case length < shortest || length > longest:
		s.loss = float32(math.Inf(1))
		return s
	}
	s.scale = largest / codeMost
	// Adding 1.5 * 2^23 rounds to a whole number, which is then in the lowest bits.
	// Where the rounding goes does not matter: what it lost is measured.
	const whole = 3 << 22
	over := 1 / s.scale
	codes = codes[:len(values)]
	var lost float64
	for i, x := range values {
		rounded := x*over + whole
		codes[i] = int8(math.Float32bits(rounded))
		d := float64(x - (rounded-whole)*s.scale)
		lost += d * d
	}
	s.length = up(length)
	s.loss = up(math.Sqrt(lost) + length*0x1p-21) // each difference was rounded, too
	return s
}

// measure answers the largest number of a vector and a length that is not less than
// its own, and by 2 * gamma more at most: wrong below shortest and above longest only.
func measure(values []float32) (largest float32, length float64) {
	var most uint32
	for _, x := range values {
		most = max(most, math.Float32bits(x)&math.MaxInt32)
	}
	return math.Float32frombits(most), math.Sqrt(float64(dot(values, values))) * (1 + gamma(len(values)))
}

// up rounds to a float32 that is not less.
func up(x float64) float32 { return float32(x * (1 + 1e-7)) }

// probe is a query's side of the bounds.
type probe struct {
	euclidean, cosine bool

	codes  []int16 // of the query, padded like a vector's
	scale  float64 // of the codes
	length float64 // of the query, rounded up
	slack  float64 // by how much a product may be off for each unit of a vector's length
	gamma  float64 // relative error of a float32 score
	floor  float64 // what underflow may hide of a product
	over   float64 // one over the length, as scores use it
}

func (ix *index) probe(of []float32) probe {
	n := len(of)
	p := probe{
		euclidean: ix.config.Metric == Euclidean,
		cosine:    ix.config.Metric == Cosine,
		codes:     make([]int16, padded(n)),
		gamma:     gamma(n),
		floor:     float64(n) * 0x1p-148,
		over:      float64(inverse(of)),
	}
	largest, length := measure(of)
	if !(length >= shortest && length <= longest) {
		p.length = math.Inf(1)
		return p
	}
	// As fine as the kernel's 32-bit sums allow.
	most := min(math.MaxInt16, math.MaxInt32/(codeMost*len(p.codes)))
	p.scale = float64(largest) / float64(most)
	var lost float64
	for i, x := range of {
		p.codes[i] = int16(math.RoundToEven(float64(x) / p.scale))
		d := float64(x) - float64(p.codes[i])*p.scale
		lost += d * d
	}
	p.length = float64(up(length))
	p.slack = float64(up(math.Sqrt(lost))) + p.gamma*p.length
	return p
}

// ceiling is a score the vector does not exceed, from the product of the codes:
// NaN or infinite where no bound is known.
//
// With x the vector, q the query and ^ for their copies,
// xq - x^q^ = (x - x^)q + x^(q - q^), where |x^| <= |x| + |x - x^|.
func (p *probe) ceiling(s *sketch, product int32) float64 {
	loss, length := float64(s.loss), float64(s.length)
	most := float64(product)*float64(s.scale)*p.scale + loss*(p.length+p.slack) + length*p.slack + p.floor
	switch {
	case p.cosine:
		return most*float64(s.inverse)*p.over + 1e-20
	case p.euclidean:
		// Not more than the true lengths, which were rounded up.
		x, q := length*(1-3*p.gamma), p.length*(1-3*p.gamma)
		return min(-(x*x+q*q-2*most)*(1-p.gamma), 0) + p.floor
	default:
		return most
	}
}
