package encoder

const (
	columns = 16 // of a panel: two AVX registers
	block   = 4  // rows computed together
)

// panels is a matrix of in rows and out columns, cut into panels of 16 columns,
// each stored row after row, so that the inner loop of a product reads it in order.
type panels struct {
	in, out int
	data    []float32
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// matrix answers zeroed rows, with room for a block that ends past the last row.
func matrix(rows, width int) []float32 {
	return make([]float32, (rows+block-1)*width)
}

// pack lays out a dense matrix. Its columns must be a multiple of 16.
func pack(m []float32, in, out int) panels { return packRows(m, out, in, out) }

// packRows lays out rows of a wider matrix, of which row i starts at i*stride.
func packRows(m []float32, stride, in, out int) panels {
	p := panels{in, out, make([]float32, in*out)}
	for c := 0; c < out; c += columns {
		for r := range in {
			copy(p.data[c*in+r*columns:][:columns], m[r*stride+c:])
		}
	}
	return p
}

// packTransposed lays out the transpose of rows, so that they become columns,
// padded with zero columns to whole panels.
func packTransposed(m []float32, stride, rows, width int) panels {
	p := panels{width, roundUp(rows, columns), make([]float32, width*roundUp(rows, columns))}
	for r := range rows {
		panel := p.data[r/columns*columns*width+r%columns:]
		for i, e := range m[r*stride : r*stride+width] {
			panel[i*columns] = e
		}
	}
	return p
}

// matmul sets out to factor times a times b. Row r of a starts at r*aStride and of
// out at r*outStride. a must reach to the end of the last block of rows.
// Each number is one running sum over its row, whatever the other rows are.
func matmul(out []float32, outStride int, a []float32, aStride, rows int, b panels, factor float32) {
	var tile [block * columns]float32
	for c := 0; c < b.out; c += columns {
		panel := b.data[c*b.in : (c+columns)*b.in]
		for r := 0; r < rows; r += block {
			kernel(&tile, a[r*aStride:], aStride, panel, b.in)
			for i := range min(block, rows-r) {
				to := out[(r+i)*outStride+c:][:columns]
				for j, e := range tile[i*columns:][:columns] {
					to[j] = e * factor
				}
			}
		}
	}
}

// portable is the kernel in Go: tile = four rows of a times one panel, two columns
// at a time, which is what fits the registers.
func portable(tile *[block * columns]float32, a []float32, aStride int, panel []float32, in int) {
	a0, a1, a2, a3 := a[:in], a[aStride:][:in], a[2*aStride:][:in], a[3*aStride:][:in]
	for c := 0; c < columns; c += 2 {
		var s00, s01, s10, s11, s20, s21, s30, s31 float32
		for k, x0 := range a0 {
			w := panel[k*columns+c:][:2]
			x1, x2, x3, w0, w1 := a1[k], a2[k], a3[k], w[0], w[1]
			s00, s01 = s00+x0*w0, s01+x0*w1
			s10, s11 = s10+x1*w0, s11+x1*w1
			s20, s21 = s20+x2*w0, s21+x2*w1
			s30, s31 = s30+x3*w0, s31+x3*w1
		}
		tile[c], tile[c+1] = s00, s01
		tile[columns+c], tile[columns+c+1] = s10, s11
		tile[2*columns+c], tile[2*columns+c+1] = s20, s21
		tile[3*columns+c], tile[3*columns+c+1] = s30, s31
	}
}
