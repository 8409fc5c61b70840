package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/rag"
)

// showJob answers how far a job has come.
func showJob(c *call) error {
	began := c.opts.Now()
	j, err := c.Ledger.Job(c.ctx(), c.scope, c.r.PathValue("id"))
	c.stage("ledger", began)
	if err != nil {
		return err
	}
	adviseJob(&j)
	return c.ok(http.StatusOK, j)
}

// listJobs answers the tenant's jobs, newest first. A page may be short, or empty, and have a next one.
func listJobs(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	q := corpus.JobListing{
		Kind: job.Kind(page.query.Get("kind")), State: job.State(page.query.Get("state")), ImportID: page.query.Get("importId"),
		Cursor: page.cursor, Limit: page.limit,
	}
	if q.Kind != "" && !slices.Contains(job.Kinds, q.Kind) {
		return fault.Invalidf("kind", "invalid_query", "is none of %v", job.Kinds)
	}
	if q.State != "" && !slices.Contains(job.States, q.State) {
		return fault.Invalidf("state", "invalid_query", "is none of %v", job.States)
	}
	began := c.opts.Now()
	list, err := c.Catalogue.Jobs(c.ctx(), c.scope, q)
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("list the jobs: %w", err)
	}
	for i := range list.Jobs {
		adviseJob(&list.Jobs[i])
	}
	return c.ok(http.StatusOK, list)
}

// cancelJob ends a job that has not ended, and answers what it is then.
func cancelJob(c *call) error {
	began := c.opts.Now()
	j, err := c.Catalogue.Cancel(c.ctx(), c.scope, c.r.PathValue("id"))
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("cancel: %w", err)
	}
	return c.ok(http.StatusOK, j)
}

// Problems knows what went wrong with jobs; imports.Ledger does.
type Problems interface {
	Problems(ctx context.Context, s tenants.Scope, l imports.Listing) (imports.Page, error)
}

// listProblems answers what went wrong with a job: of an import, with each of its entries.
func listProblems(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	list, err := c.Problems.Problems(c.ctx(), c.scope, imports.Listing{JobID: c.r.PathValue("id"), Cursor: page.cursor, Limit: page.limit})
	c.stage("ledger", began)
	if err != nil {
		return fmt.Errorf("list the problems: %w", err)
	}
	advised(list.Problems)
	return c.ok(http.StatusOK, list)
}

func jobURL(id string) string { return "/jobs/" + url.PathEscape(id) }

// How often a job is looked at by who waits for it.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// follow waits until the job of a receipt is final and, when it succeeded, searches show what it wrote. It reports false
// when ctx ends before; a look that fails is not the end, the job goes on without us.
func (c *call) follow(ctx context.Context, r corpus.Receipt) (job.Job, bool) {
	var last job.Job
	timer := time.NewTimer(0)
	defer timer.Stop()
	for pause := firstLook; ; pause = min(pause*3/2, lastLook) {
		select {
		case <-ctx.Done():
			return last, false
		case <-timer.C:
		}
		if !last.State.Final() {
			if j, err := c.Ledger.Job(ctx, c.scope, r.JobID); err == nil {
				adviseJob(&j)
				last = j
			}
		}
		if last.State.Final() && (last.State != job.Succeeded || c.visible(ctx, r)) {
			return last, true
		}
		timer.Reset(pause)
	}
}

// visible reports whether searches show the generation of a receipt. One that was replaced meanwhile never will be, and
// is not worth waiting for.
func (c *call) visible(ctx context.Context, r corpus.Receipt) bool {
	found, err := c.Ledger.Documents(ctx, c.scope, []string{r.DocID})
	if err != nil || len(found) == 0 {
		return false
	}
	if found[0].Generation != r.Generation {
		return true
	}
	e, err := c.Ledger.Edition(ctx, c.scope)
	if err != nil {
		return false
	}
	visible, err := rag.Visible(ctx, c.scope, c.Vectors, found[0], cmp.Or(e.Space, found[0].Model))
	return err == nil && visible
}
