package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

// maxBatchBytes is how much of files goes into one import. An account takes requests of up to 100 MB, and base64 and JSON make
// more of a file: https://developers.cloudflare.com/workers/platform/limits/#request-and-response-limits
const maxBatchBytes = 48 << 20

// imported is one import that was begun, and what people call its entries, by line.
type imported struct {
	client.Imported
	names []named
}

// named is an entry of an import: its document, and the file or page that it was made of.
type named struct{ file, docID string }

// send hands the documents in, as one import where they fit, and follows it when the options say so.
func (o *ingestOptions) send(ctx context.Context, c *client.Client, p *plan) error {
	begun := time.Now()
	all, err := o.open(ctx, c, p)
	if err != nil {
		return o.brokenOff(ctx, all, err)
	}
	if len(all) == 0 && len(p.failed) == 0 {
		return fmt.Errorf("the files have gone since they were counted")
	}
	if !o.Wait {
		return o.leave(ctx, c, p, all)
	}
	failed := p.failed
	var cancelled error
	for i, im := range all {
		j, err := o.View.follow(ctx, c, im.JobID)
		if err != nil {
			return o.View.goesOn(err, all[i+1:])
		}
		if j.State == job.Cancelled {
			cancelled = fmt.Errorf("import %s was cancelled", j.ID)
		}
		if err := o.View.outcome(j, ", in "+time.Since(begun).Round(100*time.Millisecond).String()); err != nil {
			return err
		}
		failed = append(failed, o.fitting(o.View.together(im.Errors, im.Refused, j, im.names))...)
	}
	return errors.Join(o.View.fail(failed), cancelled)
}

// open begins the imports.
func (o *ingestOptions) open(ctx context.Context, c *client.Client, p *plan) (all []imported, err error) {
	if o.Sitemap != "" {
		im, err := c.Import(ctx, client.Import{Sitemap: o.Sitemap, Source: o.Load.Source})
		if err != nil {
			return nil, err
		}
		return []imported{{Imported: im}}, nil
	}
	m := o.View.meter("sending", p.count)
	defer m.clear()
	for start := 0; start < p.count; {
		b := &batch{options: o, plan: p, start: start, failed: len(p.failed), meter: m}
		im, err := c.IngestBatch(ctx, client.Batch{IdempotencyKey: uuid.NewString(), Documents: b.documents})
		var refused *client.Error
		switch {
		case err == nil:
			all = append(all, imported{im, b.names})
		case errors.As(err, &refused) && refused.Fault.Code == "batch_refused":
			p.failed = append(p.failed, o.fitting(problems(refused.Refused, b.names))...)
		case errors.As(err, &refused) && refused.Fault.Code == "body_empty":
			// None of its files could be read any more, which the plan's failures say.
		default:
			return all, err
		}
		start = b.end
	}
	return all, nil
}

// batch is the part of a plan that goes into one import.
type batch struct {
	options    *ingestOptions
	plan       *plan
	start, end int // documents of the plan
	failed     int // of the plan, before this batch
	names      []named
	meter      *meter
}

// documents reads them, from the beginning each time that the batch is sent.
func (b *batch) documents(yield func(client.Document) bool) {
	b.names, b.plan.failed = b.names[:0], b.plan.failed[:b.failed]
	b.end = 0
	var size int64
	for it := range b.options.items(b.plan) {
		switch b.end++; {
		case b.end <= b.start:
			continue
		case size > 0 && size+it.bytes > b.options.BatchBytes:
			b.end--
			return
		}
		size += it.bytes
		d, err := it.read()
		if err != nil {
			b.plan.failed = append(b.plan.failed, failure{File: it.name, Code: unreadable, Message: err.Error()})
			continue
		}
		b.names = append(b.names, named{it.name, d.DocID})
		if !yield(d) {
			return
		}
		b.meter.show(job.Job{State: "sending", Counts: job.Counts{Total: b.plan.count, Done: b.end}})
	}
	b.end = max(b.end, b.plan.count) // files may have gone since they were counted
}

// brokenOff says what goes on although the rest could not be handed in.
func (o *ingestOptions) brokenOff(ctx context.Context, all []imported, err error) error {
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted before everything was sent; of a batch that was being sent nothing was taken")
	}
	return o.View.goesOn(err, all)
}

// goesOn names the imports that are not concerned.
func (v view) goesOn(err error, others []imported) error {
	for _, im := range others {
		err = fmt.Errorf("%w\n  another goes on:   %s", err, v.command("levada jobs follow "+im.JobID))
	}
	return err
}

// leave shows imports that nobody follows.
func (o *ingestOptions) leave(ctx context.Context, c *client.Client, p *plan, all []imported) error {
	failed := p.failed
	for _, im := range all {
		j, err := c.Job(ctx, im.JobID)
		if err != nil {
			return err
		}
		if err := o.View.outcome(j, ""); err != nil {
			return err
		}
		if !o.View.JSON {
			fmt.Fprintf(o.View.Stdout, "  follow it:   %s\n", o.View.command("levada jobs follow "+j.ID))
		}
		failed = append(failed, o.fitting(o.View.together(im.Errors, im.Refused, j, im.names))...)
	}
	return o.View.fail(failed)
}

// advice is what to do about what is refused of a folder, by its code, where that is another thing than what the platform says.
var advice = map[string]string{
	"document_empty":           "leave it out with --exclude",
	"document_too_large":       "split it, or raise limits.documentBytes of the tenant",
	"line_too_long":            "split it, or raise limits.bodyBytes of the tenant",
	"content_type_unsupported": "name its type with --type, or leave it out with --exclude",
}

// fitting takes back an advice that was followed already: the type that is unsupported is the one that --type names.
func (o *ingestOptions) fitting(failed []failure) []failure {
	for i, f := range failed {
		if f.Code == "content_type_unsupported" && o.Load.Type != "" {
			failed[i].Hint = "leave --type out to have the type found out, or leave it out with --exclude"
		}
	}
	return failed
}

// together is the problems of the answer to the batch, which has counted so many, and of its job, each once.
func (v view) together(refused []job.Problem, counted int, j job.Job, names []named) []failure {
	all, lines := refused, map[int]bool{}
	for _, p := range refused {
		lines[p.Line] = true
	}
	for _, p := range j.Errors {
		if p.Line == 0 || !lines[p.Line] {
			all = append(all, p)
		}
	}
	failed := problems(all, names)
	if more := max(j.Counts.Failed, counted) - len(failed); more > 0 {
		failed = append(failed, failure{File: fmt.Sprintf("and %d more", more), Message: v.command("levada jobs problems "+j.ID) + " lists all", more: more})
	}
	return failed
}
