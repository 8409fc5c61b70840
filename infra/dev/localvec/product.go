package localvec

// portable is the product of a vector's codes and a query's, which have the same
// length, a multiple of codeStride.
func portable(codes []int8, query []int16) int32 {
	var sum int32
	query = query[:len(codes)]
	for i, c := range codes {
		sum += int32(c) * int32(query[i])
	}
	return sum
}
