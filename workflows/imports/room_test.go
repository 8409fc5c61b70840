package imports_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

// scales is a store of long files, and a preparer that lets go of them: it weighs what is in memory in between.
type scales struct {
	imports.Files
	imports.Preparer
	mu        sync.Mutex
	now, most int
	limit     int64
}

func (s *scales) Get(ctx context.Context, sc tenants.Scope, name string, limit int64) ([]byte, error) {
	b, err := s.Files.Get(ctx, sc, name, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now += len(b)
	s.most, s.limit = max(s.most, s.now), limit
	return b, err
}

func (s *scales) Prepare(ctx context.Context, sc tenants.Scope, d corpus.Draft) (corpus.Submission, error) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.now -= len(d.Text)
	}()
	return s.Preparer.Prepare(ctx, sc, d)
}

// Files of the largest size that a tenant may have are in memory one after the other: five of them are more than an instance has.
func TestLongFilesAreInMemoryOneAfterTheOther(t *testing.T) {
	w := newWorld(t, "acme")
	const size = 9 << 20
	directory, _ := tenantstest.Directory(t, tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Limits.DocumentBytes, c.Limits.BodyBytes = size, size
	}))
	held := &scales{Files: w.files, Preparer: w.feeder.Preparer}
	ports := w.feeder.Ports
	ports.Directory, ports.Files, ports.Preparer = directory, held, held
	w.feeder = imports.New(ports)
	for i := range 6 {
		w.files.Put(w.scope, fmt.Sprintf("f%d.txt", i), "text/plain", append(make([]byte, size-1), byte('a'+i)))
	}
	require.NoError(t, w.run(imports.Origin{Prefix: "f"}, 0).Run(t.Context()))
	w.whole(t, "f0.txt", "f1.txt", "f2.txt", "f3.txt", "f4.txt", "f5.txt")
	assert.Equal(t, []any{size, int64(size)}, []any{held.most, held.limit})
}
