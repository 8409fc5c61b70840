package localvec

import "golang.org/x/sys/cpu"

var product = chooseProduct()

func chooseProduct() func([]int8, []int16) int32 {
	if !cpu.X86.HasAVX2 {
		return portable
	}
	return func(codes []int8, query []int16) int32 {
		// The assembly reads without bounds: check the last element of each once.
		_, _ = codes[codeStride-1], query[len(codes)-1]
		return avx2(&codes[0], &query[0], len(codes)/codeStride)
	}
}

// avx2 is the product of 32 * steps codes.
//
//go:noescape
func avx2(codes *int8, query *int16, steps int) int32
