package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// Imports takes documents in by the thousand: as a stream of lines, or from where they are. *batch.Door is the one there is.
//
// When a call returns nil an import is open, and each of its documents will be searchable or fail with a reason, even if the process dies. The same
// again under its idempotency key is the first import (Replayed), or fault.Conflict when it differs. An error of code batch_refused comes with what
// was refused. Safe for concurrent use.
type Imports interface {
	Take(ctx context.Context, s tenants.Scope, b imports.Batch) (imports.Accepted, error)
	Open(ctx context.Context, s tenants.Scope, o imports.Origin, source string, cause events.Cause) (imports.Accepted, error)
}

// importReceipt is the answer to a request to import. What was refused is told, the rest goes on.
type importReceipt struct {
	JobID     string        `json:"jobId"`
	StatusURL string        `json:"statusUrl"`
	Entries   *int          `json:"entries,omitempty"` // of a batch: the documents that were taken
	Refused   int           `json:"refused"`
	Errors    []refusedLine `json:"errors"`
}

// refusedLine is an entry that is no document. Line counts from 1.
type refusedLine struct {
	Line    int    `json:"line"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

func refusedLines(ps []job.Problem) []refusedLine {
	all := make([]refusedLine, len(ps))
	for i, p := range advised(ps) {
		all[i] = refusedLine{Line: p.Line, Code: p.Code, Message: p.Message, Field: p.Field, Hint: p.Hint}
	}
	return all
}

// maxBatches is how many batches an instance reads at a time. Each has a part and a line in memory.
const maxBatches = 4

// ingestBatch takes a stream of documents in, a line each. Its body is not read beforehand, whatever its size.
func ingestBatch(c *call) error {
	if err := isLines(c.r.Header); err != nil {
		return err
	}
	if err := Afford(c.ctx(), c.Gate, c.scope, c.config.Models.Embedding, bytesPerToken); err != nil {
		return err
	}
	release, err := c.wait(c.batches.Acquire, 1, c.batches.Release)
	if err != nil {
		return err
	}
	defer release()
	began := c.opts.Now()
	a, err := c.Imports.Take(c.ctx(), c.scope, imports.Batch{
		Body: c.r.Body, MaxLine: min(c.config.Limits.BodyBytes, c.opts.MaxBodyBytes), Decode: c.decodeLine, Cause: c.cause(),
		Room: func(_ context.Context, bytes int) (func(), error) {
			return c.wait(c.room.Acquire, min(int64(bytes), c.opts.MaxBodyBytes), c.room.Release)
		},
	})
	c.stage("intake", began)
	return c.imported(a, &a.Entries, err)
}

// decodeLine makes a draft of a line, as of a body of POST /ingest.
func (c *call) decodeLine(line []byte) (corpus.Draft, error) {
	draft, err := ReadDraft(c.config, line)
	var more *detailed
	if errors.As(err, &more) && more.details.Offset != nil {
		f := *fault.As(err)
		f.Message = fmt.Sprintf("%s, at byte %d", f.Message, *more.details.Offset)
		return draft, &f
	}
	return draft, err
}

// wait waits for a place, for as long as a body waits for its room, and returns what gives it back.
func (c *call) wait(acquire func(context.Context, int64) error, n int64, release func(int64)) (func(), error) {
	ctx, cancel := context.WithTimeout(c.ctx(), roomWait)
	defer cancel()
	if err := acquire(ctx, n); err != nil {
		if c.ctx().Err() != nil {
			return nil, c.ctx().Err()
		}
		return nil, errBusy()
	}
	return func() { release(n) }, nil
}

func errBusy() error {
	return fault.New(fault.Unavailable, "bodies_busy", "there is no room for a body of this size now", nil).WithRetryAfter(roomWait)
}

// lineTypes are the names that NDJSON goes by.
var lineTypes = []string{"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"}

func isLines(h http.Header) error {
	if err := isPlain(h); err != nil {
		return err
	}
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err == nil && slices.Contains(lineTypes, media) && (params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8")) {
		return nil
	}
	return fault.Invalidf("", "unsupported_media_type", "content-type %.80q is not supported", h.Get("Content-Type")).
		WithHint("send content-type: application/x-ndjson")
}

type importRequest struct {
	URLs    []string `json:"urls"`
	Sitemap string   `json:"sitemap"`
	Prefix  string   `json:"prefix"`
	Source  string   `json:"source"`
}

var importForm = formOf[importRequest]()

// openImport imports what is elsewhere: addresses, a sitemap, files of the tenant.
func openImport(c *call) error {
	req, err := importForm.decode(c.body)
	if err != nil {
		return err
	}
	if err := checkUser("source", req.Source); err != nil { // a name in one line, as that of a user is
		return err
	}
	began := c.opts.Now()
	a, err := c.Imports.Open(c.ctx(), c.scope, imports.Origin{URLs: req.URLs, Sitemap: req.Sitemap, Prefix: req.Prefix, Rules: corpus.RulesOf(c.config)}, req.Source, c.cause())
	c.stage("intake", began)
	return c.imported(a, nil, err)
}

// imported answers 202 and where to look, and names what was refused.
func (c *call) imported(a imports.Accepted, entries *int, err error) error {
	if err != nil {
		if fault.As(err).Code == "batch_refused" {
			return withDetails(err, details{Errors: refusedLines(a.Problems)})
		}
		return fmt.Errorf("import: %w", err)
	}
	statusURL := jobURL(a.Job.ID)
	c.w.Header().Set("Location", statusURL)
	if a.Replayed {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return c.ok(http.StatusAccepted, importReceipt{a.Job.ID, statusURL, entries, a.Refused, refusedLines(a.Problems)})
}
