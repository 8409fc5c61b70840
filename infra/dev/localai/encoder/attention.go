package encoder

import "math"

// attend is the multi-head attention of one window: rows of query, key and value
// side by side in, rows of context out.
func attend(qkv, context []float32, rows, wide int) {
	size := wide / heads
	scores := matrix(rows, roundUp(rows, columns))
	for head := range heads {
		q, k, v := qkv[head*size:], qkv[wide+head*size:], qkv[2*wide+head*size:]
		keys := packTransposed(k, 3*wide, rows, size)
		matmul(scores, keys.out, q, 3*wide, rows, keys, float32(1/math.Sqrt(float64(size))))
		for row := range rows {
			softmax(scores[row*keys.out : row*keys.out+rows])
		}
		values := packRows(v, 3*wide, rows, size)
		matmul(context[head*size:], wide, scores, keys.out, rows, values, 1)
	}
}

func softmax(x []float32) {
	top := x[0]
	for _, e := range x {
		top = max(top, e)
	}
	var sum float32
	for i, e := range x {
		x[i] = float32(math.Exp(float64(e - top)))
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}
