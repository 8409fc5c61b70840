package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"

	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// Job asks for a job.
func (c *Client) Job(ctx context.Context, id string) (job.Job, error) {
	return get[job.Job](ctx, c, jobPath(id), nil)
}

func jobPath(id string) string { return "/jobs/" + url.PathEscape(id) }

// Follow tells of a job whenever it has changed, and returns it when it is final. A connection that breaks off is made anew for as
// long as the client is patient without a word.
func (c *Client) Follow(ctx context.Context, id string, changed func(job.Job)) (job.Job, error) {
	f := follower{path: jobPath(id) + "/events", changed: changed}
	heard := time.Now()
	for {
		before := f.events
		err := c.patiently(ctx, func() error { return c.follow(ctx, &f) })
		if f.job.State.Final() {
			return f.job, nil
		}
		if f.events > before {
			heard = time.Now()
		}
		var refused *Error
		switch {
		case ctx.Err() != nil:
			return f.job, context.Cause(ctx)
		case errors.As(err, &refused), f.events == 0 && err != nil:
			return f.job, err // it has never been followed, or may not be any more
		case time.Since(heard) > c.opts.Patience:
			return f.job, fmt.Errorf("job %s: %w", id, err)
		}
		if err := Sleep(ctx, firstPause+c.opts.Jitter(time.Second)); err != nil {
			return f.job, err
		}
	}
}

// follower is how far a job was followed.
type follower struct {
	path    string
	changed func(job.Job)
	job     job.Job
	last    string // id of the last event
	events  int
}

// errCut is a stream that has ended without its last event.
var errCut = errors.New("the stream has broken off")

// follow reads one connection to its end.
func (c *Client) follow(ctx context.Context, f *follower) error {
	r := request{method: http.MethodGet, path: f.path, header: http.Header{}}
	if f.last != "" {
		r.header.Set("Last-Event-ID", f.last)
	}
	_, events, err := c.stream(ctx, r)
	if errors.Is(err, io.EOF) {
		f.last = "" // it was the last, and this follower has not taken it in
		return errCut
	}
	if err != nil {
		return err
	}
	for ev, err := range events {
		if err != nil {
			return err
		}
		if err := f.hear(ev.Type, ev.LastEventID, ev.Data); err != nil {
			return fmt.Errorf("GET %s: %w", f.path, err)
		}
		if ev.Type == "done" {
			return nil
		}
	}
	return errCut
}

// hear takes one event in; those of a later version of the API are passed over.
func (f *follower) hear(event, id, data string) error {
	if event != "progress" && event != "done" {
		return nil
	}
	var j job.Job
	if err := json.Unmarshal([]byte(data), &j); err != nil {
		return fmt.Errorf("event %s: %w", event, err)
	}
	f.job, f.last = j, id
	f.events++
	f.changed(j)
	return nil
}

// CancelJob ends a job that has not ended.
func (c *Client) CancelJob(ctx context.Context, id string) (job.Job, error) {
	return call[job.Job](ctx, c, request{method: http.MethodDelete, path: jobPath(id)})
}

// Problems lists all that went wrong with a job, a page at a time as they are asked for.
func (c *Client) Problems(ctx context.Context, id string) iter.Seq2[job.Problem, error] {
	return pages(ctx, c, jobPath(id)+"/problems", url.Values{}, func(p imports.Page) ([]job.Problem, string) { return p.Problems, p.Next })
}

// JobQuery says which jobs; what is empty is any.
type JobQuery struct{ Kind, State, ImportID string }

// Jobs lists jobs, newest first, a page at a time as they are asked for.
func (c *Client) Jobs(ctx context.Context, q JobQuery) iter.Seq2[job.Job, error] {
	return pages(ctx, c, "/jobs", url.Values{"kind": {q.Kind}, "state": {q.State}, "importId": {q.ImportID}}, func(p corpus.JobPage) ([]job.Job, string) { return p.Jobs, p.Next })
}
