package imports_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// world is what an import of a test lives in.
type world struct {
	t      *testing.T
	scope  tenants.Scope
	ledger *clerk
	parts  *memory.Parts
	files  *memory.Files
	texts  *memory.Texts
	web    *memory.Web
	feeder *imports.Feeder
	ids    int
}

const importID = "import-1"

func newWorld(t *testing.T, tenant string, edit ...func(acme *tenants.Config)) *world {
	directory, _ := tenantstest.Directory(t, tenantstest.Config(t, "acme", func(c *tenants.Config) {
		c.Limits.DocumentBytes = 1000
		c.Models.Embedding = "@cf/baai/bge-small-en-v1.5"
		for _, e := range edit {
			e(c)
		}
	}), tenantstest.Config(t, "globex", nil))
	w := &world{t: t, scope: tenantstest.Scope(t, tenant), ledger: &clerk{}, parts: &memory.Parts{}, files: &memory.Files{}, texts: &memory.Texts{}, web: &memory.Web{}}
	w.feeder = imports.New(imports.Ports{
		Ledger: w.ledger, Jobs: w.ledger, Parts: w.parts, Texts: w.texts, Files: w.files, Fetcher: w.web, Directory: directory,
		Preparer: intake.New(w.texts, nil, &intake.Options{NewID: func() string { w.ids++; return fmt.Sprintf("id-%d", w.ids) }}),
	})
	return w
}

// run is the import's run. When it waits, all that was taken becomes final.
func (w *world) run(o imports.Origin, entries int) *flowtest.Engine {
	w.ledger.open = true
	e := &flowtest.Engine{
		Flow: w.feeder.Flow, Scope: w.scope, ID: importID,
		Params: imports.Order{Origin: o, Source: "docs", Entries: entries, Cause: events.Cause{ID: "request", IdempotencyKey: "key"}},
	}
	e.Asleep = func(time.Duration) { w.ledger.room += 150 }
	e.Idle = func(string) {
		if w.ledger.settle() {
			e.Signal(imports.Settled, nil)
		}
	}
	return e
}

// batch writes a batch of n lines, as its door does.
func (w *world) batch(n int) imports.Origin {
	p := imports.NewWriter(w.parts, w.scope, importID, 0)
	for i := range n {
		require.NoError(w.t, p.Add(w.t.Context(), imports.Entry{Line: i + 1, Draft: &corpus.Draft{
			DocID: fmt.Sprintf("doc-%d", i), Text: fmt.Appendf(nil, "Text %d of %s", i, w.scope.Tenant()), ContentType: "text/plain", Model: "@cf/baai/bge-small-en-v1.5",
		}}))
	}
	require.NoError(w.t, p.Flush(w.t.Context()))
	return imports.Origin{Batch: p.Parts}
}

// clerk is the ledger of one import: it obeys imports.Ledger and has room for so many more.
type clerk struct {
	open      bool
	taken     []imports.Taking
	sealed    int // -1: not
	wasSealed bool
	failed    *job.Problem
	notes     []job.Problem
	room      int // documents that may wait; the clerk has no limit until a test gives it one
	limited   bool
	settled   bool
	cancelled bool
	unchanged map[string]bool // documents by their ids
	hooks     memory.Hooks
}

func (c *clerk) do(op string, f func() error) error {
	if c.hooks.Before != nil {
		if err := c.hooks.Before(op); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	if c.hooks.After != nil {
		return c.hooks.After(op)
	}
	return nil
}

func (c *clerk) OpenImport(context.Context, tenants.Scope, imports.Import) (job.Job, error) {
	return job.Job{}, errors.New("the flow opens nothing")
}

func (c *clerk) Problems(context.Context, tenants.Scope, imports.Listing) (imports.Page, error) {
	return imports.Page{}, errors.New("the flow lists nothing")
}

func (c *clerk) Take(_ context.Context, _ tenants.Scope, id string, n int, entries []imports.Taking) (t imports.Taken, err error) {
	err = c.do("take", func() error {
		if !c.open || id != importID {
			return fault.Missing("job_not_found", "")
		}
		if t.Cancelled = c.cancelled; c.cancelled {
			t.Entries = len(c.taken)
			return nil
		}
		if n > len(c.taken) {
			return fault.New(fault.Internal, "entries_left_out", fmt.Sprintf("from %d, and %d were taken", n, len(c.taken)), nil)
		}
		fresh := entries[min(len(c.taken)-n, len(entries)):]
		if c.limited && len(fresh) > c.room {
			if fresh = fresh[:c.room]; len(fresh) == 0 {
				return fault.New(fault.Limited, "backlog_full", "later", nil).WithRetryAfter(90 * time.Second)
			}
		}
		known := entries[:min(len(c.taken)-n, len(entries))] // whoever stored their texts once more is told once more
		for _, taking := range append(known[:len(known):len(known)], fresh...) {
			if sub := taking.Submission; sub != nil && c.unchanged[sub.DocID] {
				t.Unused = append(t.Unused, sub.TextKey)
			}
		}
		c.room -= len(fresh)
		c.taken = append(c.taken, fresh...)
		t.Entries = len(c.taken)
		return nil
	})
	return t, err
}

func (c *clerk) SealImport(_ context.Context, _ tenants.Scope, id string, entries int, failed *job.Problem) (j job.Job, err error) {
	err = c.do("seal", func() error {
		if !c.open || id != importID {
			return fault.Missing("job_not_found", "")
		}
		c.sealed, c.wasSealed = entries, true
		if failed != nil {
			c.failed = failed
		}
		j = c.job()
		return nil
	})
	return j, err
}

func (c *clerk) NoteImport(_ context.Context, _ tenants.Scope, id string, note job.Problem) (j job.Job, err error) {
	err = c.do("note", func() error {
		if !c.open || id != importID {
			return fault.Missing("job_not_found", "")
		}
		c.notes = append(c.notes, note)
		j = c.job()
		return nil
	})
	return j, err
}

func (c *clerk) Job(_ context.Context, _ tenants.Scope, id string) (j job.Job, err error) {
	err = c.do("job", func() error {
		if !c.open || id != importID {
			return fault.Missing("job_not_found", "")
		}
		j = c.job()
		return nil
	})
	return j, err
}

func (c *clerk) job() job.Job {
	j := job.Job{ID: importID, Kind: job.Import, State: job.Running}
	switch {
	case c.cancelled:
		j.State = job.Cancelled
	case c.settled:
		j.State = job.Succeeded
	}
	return j
}

// settle ends the documents that were taken, and says whether that was all.
func (c *clerk) settle() bool {
	c.settled = c.wasSealed && c.sealed == len(c.taken)
	return c.settled
}

// docs are the documents that were taken.
func (c *clerk) docs() (ids []string) {
	for _, t := range c.taken {
		if t.Submission != nil {
			ids = append(ids, t.Submission.DocID)
		}
	}
	return ids
}

// problems are the entries that were refused: line, code.
func (c *clerk) problems() (all []string) {
	for _, t := range c.taken {
		if t.Problem != nil {
			all = append(all, fmt.Sprintf("%d %s", t.Problem.Line, t.Problem.Code))
		}
	}
	return all
}

// whole requires that the import has ended with exactly these documents, once and in order, and that nothing else is left of it.
func (w *world) whole(t *testing.T, want ...string) {
	t.Helper()
	assert.Equal(t, want, w.ledger.docs())
	assert.True(t, w.ledger.settled)
	assert.Equal(t, w.ledger.sealed, len(w.ledger.taken))
	assert.Zero(t, w.parts.Len(w.scope), "parts are left")
	texts := 0
	for _, taking := range w.ledger.taken {
		if sub := taking.Submission; sub != nil {
			assert.Equal(t, events.Cause{ID: "request"}, sub.Cause)
			assert.NotEmpty(t, sub.Model)
			if sub.Fetch == nil {
				texts++
			}
		}
	}
	assert.Equal(t, texts, w.texts.Len(w.scope), "texts")
}

func docs(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("doc-%d", i))
	}
	return ids
}

// serve puts a page on the web; nothing at an address is a 404.
func (w *world) serve(url, body string) { w.web.Serve(url, memory.Page{Body: []byte(body)}) }
