package extract

// pieces is a text that is written without knowing how long it becomes. What grows by doubling is in memory three times.
type pieces struct {
	all  [][]byte
	size int
}

const pieceBytes = 64 << 10

// WriteString adds to the text.
func (p *pieces) WriteString(s string) {
	p.size += len(s)
	for len(s) > 0 {
		if n := len(p.all); n == 0 || len(p.all[n-1]) == cap(p.all[n-1]) {
			p.all = append(p.all, make([]byte, 0, pieceBytes))
		}
		last := &p.all[len(p.all)-1]
		n := min(len(s), cap(*last)-len(*last))
		*last = append(*last, s[:n]...)
		s = s[n:]
	}
}

// join is the whole text.
func (p *pieces) join(reserve []byte) []byte {
	whole := roomFor(reserve, p.size)
	for _, piece := range p.all {
		whole = append(whole, piece...)
	}
	return whole
}
