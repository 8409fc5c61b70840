package imports_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
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

// heavy notes how many large parts are in memory, from when they are read until their entry is prepared.
type heavy struct {
	imports.Parts
	imports.Preparer
	mu        sync.Mutex
	now, most int
}

func (h *heavy) Get(ctx context.Context, s tenants.Scope, id string, part int, limit int64) ([]byte, error) {
	b, err := h.Parts.Get(ctx, s, id, part, limit)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(b) > imports.MaxPartBytes {
		h.now++
		h.most = max(h.most, h.now)
	}
	return b, err
}

func (h *heavy) Prepare(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Submission, error) {
	runtime.Gosched() // others may read meanwhile
	if len(d.Text) > imports.MaxPartBytes {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.now--
	}
	return h.Preparer.Prepare(ctx, s, d)
}

// byTenant is the ledgers of two tenants.
type byTenant struct {
	imports.Ledger
	of map[tenants.ID]*clerk
}

func (b byTenant) Take(ctx context.Context, s tenants.Scope, id string, n int, entries []imports.Taking) (imports.Taken, error) {
	return b.of[s.Tenant()].Take(ctx, s, id, n, entries)
}

func (b byTenant) NoteImport(ctx context.Context, s tenants.Scope, id string, note job.Problem) (job.Job, error) {
	return b.of[s.Tenant()].NoteImport(ctx, s, id, note)
}

func (b byTenant) SealImport(ctx context.Context, s tenants.Scope, id string, entries int, p *job.Problem) (job.Job, error) {
	return b.of[s.Tenant()].SealImport(ctx, s, id, entries, p)
}

func (b byTenant) Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error) {
	return b.of[s.Tenant()].Job(ctx, s, id)
}

// Parts with an entry of the largest size are in memory one after the other, whatever imports they are of; small ones go on beside each other.
func TestLargePartsAreInMemoryOneAfterTheOther(t *testing.T) {
	first, second := newWorld(t, "acme"), newWorld(t, "globex")
	directory, _ := tenantstest.Directory(t, tenantstest.Config(t, "acme", nil), tenantstest.Config(t, "globex", nil))
	held := &heavy{Parts: first.parts, Preparer: first.feeder.Preparer}
	var all sync.WaitGroup
	var feeder *imports.Feeder
	for _, w := range []*world{first, second} {
		w.parts, w.texts = first.parts, first.texts
		p := imports.NewWriter(w.parts, w.scope, importID, 0)
		for i, size := range []int{10, imports.MaxPartBytes + 1, 10, imports.MaxPartBytes + 1} {
			require.NoError(t, p.Add(t.Context(), imports.Entry{Line: i + 1, Draft: &corpus.Draft{
				DocID: fmt.Sprint("doc-", i), Text: append(make([]byte, size-1), 'x'), ContentType: "text/plain", Model: "@cf/baai/bge-small-en-v1.5", MaxBytes: 2 * imports.MaxPartBytes,
			}}))
		}
		require.NoError(t, p.Flush(t.Context()))
		if feeder == nil {
			ports := w.feeder.Ports
			ledgers := byTenant{of: map[tenants.ID]*clerk{"acme": first.ledger, "globex": second.ledger}}
			ports.Directory, ports.Parts, ports.Preparer, ports.Ledger, ports.Jobs = directory, held, held, ledgers, ledgers
			feeder = imports.New(ports)
		}
		w.feeder = feeder
	}
	for _, w := range []*world{first, second} {
		all.Go(func() { assert.NoError(t, w.run(imports.Origin{Batch: 4}, 4).Run(t.Context())) })
	}
	all.Wait()
	assert.Equal(t, []int{0, 1}, []int{held.now, held.most})
}
