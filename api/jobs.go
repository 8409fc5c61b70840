package api

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"levada.dev/workflows/job"
)

// showJob answers how far a job has come.
func showJob(c *call) error {
	began := c.opts.Now()
	j, err := c.Ledger.Job(c.ctx(), c.scope, c.r.PathValue("id"))
	c.stage("ledger", began)
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, j)
}

func jobURL(id string) string { return "/jobs/" + url.PathEscape(id) }

// How often a job is looked at by who waits for it.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// follow waits until the job is final and, when it succeeded, its writes are visible to searches. It reports false when
// ctx ends before; a look that fails is not the end, the job goes on without us.
func (c *call) follow(ctx context.Context, jobID string) (job.Job, bool) {
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
			if j, err := c.Ledger.Job(ctx, c.scope, jobID); err == nil {
				last = j
			}
		}
		if last.State.Final() && (last.State != job.Succeeded || c.visible(ctx, last)) {
			return last, true
		}
		timer.Reset(pause)
	}
}

// visible reports whether the index shows what the job wrote, all of which was accepted before the job ended.
func (c *call) visible(ctx context.Context, j job.Job) bool {
	processed, err := c.Vectors.Processed(ctx, c.config.Models.Embedding)
	return err == nil && !processed.Before(j.UpdatedAt)
}
