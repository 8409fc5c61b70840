package redact

// Found is a finding, for tests.
type Found struct {
	Start, End int
	Kind       Kind
}

// Find is what Text replaces.
func Find(text string) (out []Found) {
	for _, f := range find(text) {
		out = append(out, Found{f.start, f.end, f.kind})
	}
	return out
}
