package encoder

import "golang.org/x/sys/cpu"

var kernel = chooseKernel()

func chooseKernel() func(*[block * columns]float32, []float32, int, []float32, int) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return func(tile *[block * columns]float32, a []float32, aStride int, panel []float32, in int) {
			// The assembly reads without bounds: check the last element of each once.
			_, _ = a[(block-1)*aStride+in-1], panel[in*columns-1]
			avx2(tile, &a[0], aStride, &panel[0], in)
		}
	}
	return portable
}

// avx2 sets tile to four rows of a times one panel. Row r of a starts at r*aStride.
//
//go:noescape
func avx2(tile *[block * columns]float32, a *float32, aStride int, panel *float32, in int)
