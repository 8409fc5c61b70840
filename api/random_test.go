package api

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counter is the numbers from 0 on, two bytes each.
type counter struct{ n, reads int }

func (c *counter) Read(p []byte) (int, error) {
	c.reads++
	for i := 0; i+1 < len(p); i += 2 {
		p[i], p[i+1] = byte(c.n>>8), byte(c.n)
		c.n++
	}
	return len(p), nil
}

func TestStockGivesEverythingOnce(t *testing.T) {
	source := &counter{}
	s := &stock{from: source}
	seen := map[[8]byte]bool{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 500 {
				var b [8]byte
				_, err := io.ReadFull(s, b[:])
				mu.Lock()
				assert.NoError(t, err)
				assert.False(t, seen[b], "given twice")
				seen[b] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	assert.Less(t, source.reads, 20)
	long := make([]byte, 5000)
	n, err := s.Read(long)
	require.NoError(t, err)
	assert.Equal(t, len(long), n)
	assert.False(t, bytes.Contains(s.all[:len(s.all)-s.left], []byte{1}), "what was given is not kept")
}

func TestStockWithoutASource(t *testing.T) {
	s := &stock{from: iotest.ErrReader(errors.New("none"))}
	n, err := s.Read(make([]byte, 16))
	assert.Error(t, err)
	assert.Zero(t, n)
}
