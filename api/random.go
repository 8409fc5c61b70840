package api

import (
	"io"
	"sync"
)

// stock hands out randomness that it reads for many requests at once: where it comes from another world, as in a Worker, each
// read of the source costs more than what is done with it. It is for names, not for secrets. Safe for concurrent use.
type stock struct {
	from io.Reader

	mu   sync.Mutex
	all  [1024]byte
	left int // of all, at its end
}

// Read implements io.Reader. It gives all that was asked for or fails.
func (s *stock) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) > len(s.all) {
		return io.ReadFull(s.from, p)
	}
	if s.left < len(p) {
		if _, err := io.ReadFull(s.from, s.all[:]); err != nil {
			s.left = 0
			return 0, err
		}
		s.left = len(s.all)
	}
	from := len(s.all) - s.left
	s.left -= copy(p, s.all[from:])
	clear(s.all[from : from+len(p)]) // nothing is given twice, nor kept
	return len(p), nil
}
