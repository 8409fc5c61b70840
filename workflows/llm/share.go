package llm

// Shares is what each of the texts of a call took: what the provider counted, shared out by the texts' estimated lengths so
// that nothing is lost or added, or, where it did not say, the estimates themselves.
func (e Embedded) Shares(texts []string) []int64 {
	shares := make([]int64, len(texts))
	sum := int64(0)
	for i, text := range texts {
		shares[i] = estimateEmbedded(text)
		sum += shares[i]
	}
	if e.Tokens <= 0 {
		return shares
	}
	total, before, given := int64(e.Tokens), int64(0), int64(0)
	for i := range shares {
		before += shares[i]
		upTo := total * before / sum // of all texts up to this one, so that roundings do not add up
		shares[i], given = upTo-given, upTo
	}
	return shares
}

// estimateEmbedded is about how many tokens an embedding model reads of a text.
func estimateEmbedded(text string) int64 { return int64(EstimateText(text)) + TextMarks }
