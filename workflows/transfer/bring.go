package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// importID is the job of the import that takes in what a run brings.
func (x *bringing) importID() string { return x.id + "-docs" }

// reached is how far a comparison has come: what its steps return, and the next ones go on with.
type reached struct {
	Next    string       `json:"next,omitempty"`  // the source's cursor
	After   string       `json:"after,omitempty"` // the last document that was compared
	Done    bool         `json:"done,omitempty"`
	Parts   int          `json:"parts,omitempty"`
	Entries int          `json:"entries,omitempty"`
	Report  job.Transfer `json:"report"`
	// Problems are the first ones; Failed is how many there are.
	Problems []job.Problem `json:"problems,omitempty"`
	Failed   int           `json:"failed,omitempty"`
	Gone     int           `json:"gone,omitempty"` // documents that came from the source, and are not there any more
	Over     bool          `json:"over,omitempty"` // the job has ended
}

// problem lists problems as far as there is room.
func (p *reached) problem(ps ...job.Problem) {
	p.Failed += len(ps)
	p.Problems = append(p.Problems, ps[:min(len(ps), imports.MaxProblems-len(p.Problems))]...)
}

const (
	// stepCards is how many documents a step compares, and stepBytes how much text it fetches, until the page that exceeds it.
	stepCards = 1000
	stepBytes = 16 << 20
	// maxSteps is how many steps the comparison of a run makes: a run has 10,000, and the other half is for the check.
	maxSteps = 4000
)

// each is what is done with the difference of two pages.
type each func(ctx context.Context, far *Far, at *reached, d Difference) error

// walk goes through both lists.
func (x *bringing) walk(ctx context.Context, name string, at reached, do each) (_ reached, err error) {
	for n := range maxSteps {
		if at, err = x.step(ctx, fmt.Sprintf("%s %d", name, n), at, do); err != nil || at.Done {
			return at, err
		}
	}
	return at, fault.New(fault.Conflict, "transfer_too_long", "so many documents are not compared by one run", nil)
}

// fewGone is how many documents may be gone at the source whatever it still has.
const fewGone = 100

// compare writes what differs as parts of an import, and deletes here what is gone at the source. That a source has lost most of what it had says more of
// the source than of what is wanted here: then nothing is deleted.
func (x *bringing) compare(ctx context.Context) (reached, error) {
	got, err := x.walk(ctx, "compare", reached{}, x.take)
	if err != nil || got.Gone == 0 {
		return got, err
	}
	if found := got.Report.Found; found == 0 || got.Gone > max(found, fewGone) {
		return got, fault.New(fault.Conflict, "source_shrunk", fmt.Sprintf(
			"%d documents came from the source, and it has %d others or none: is it the right one, was it erased? Nothing was deleted", got.Gone, found), nil)
	}
	deleted, err := x.walk(ctx, "delete", reached{}, x.remove)
	got.Report.Deleted = deleted.Report.Deleted
	x.report(got)
	return got, err
}

// step goes through some pages of both lists, and has the job say so.
func (x *bringing) step(ctx context.Context, name string, from reached, do each) (reached, error) {
	at, err := flow.Insist(ctx, x.run, name, func(ctx context.Context) (reached, error) {
		at := from
		at.Problems = append([]job.Problem(nil), from.Problems...)
		if err := x.pages(ctx, &at, do); err != nil {
			return at, err
		}
		x.report(at)
		j, err := x.Ledger.NoteTransfer(ctx, x.scope, x.note)
		at.Over = j.State.Final()
		return at, err
	})
	if err != nil {
		return at, err
	}
	x.report(at) // also where the step is not run any more
	if at.Over {
		return at, errOver
	}
	return at, nil
}

// report has the note say what was found.
func (x *bringing) report(at reached) {
	id := x.note.Report.ImportID
	x.note.Report, x.note.Problems = at.Report, at.Problems
	x.note.Report.ImportID = id
	x.note.Counts.Total, x.note.Counts.Done, x.note.Counts.Failed = at.Report.Found, at.Report.Same, at.Failed
}

// pages compares pages of the source's list with what is here, until there is enough for a step.
func (x *bringing) pages(ctx context.Context, at *reached, do each) error {
	if err := x.room.Acquire(ctx, 1); err != nil {
		return fault.Unavailablef(err, "memory_busy", "there was no room for it")
	}
	defer x.room.Release(1)
	far, err := x.far(ctx)
	if err != nil {
		return err
	}
	for fetched, found := 0, 0; !at.Done && found < stepCards && fetched < stepBytes; {
		source, next, err := far.Cards(ctx, at.Next)
		if err != nil {
			return err
		}
		if at.Next, at.Done = next, next == ""; len(source) == 0 && !at.Done {
			found += FarPage // it has looked at so many, at least, and found none
			continue
		}
		upTo := ""
		if !at.Done {
			upTo = source[len(source)-1].DocID
		}
		here, err := x.here(ctx, at.After, upTo)
		if err != nil {
			return err
		}
		d := Compare(source, here)
		for _, c := range source {
			at.Report.Bytes += int64(c.Bytes)
		}
		for _, c := range d.Bring {
			fetched += c.Bytes
		}
		at.Gone += len(d.Gone)
		found += len(source)
		at.After = upTo
		at.Report.Found += len(source)
		at.Report.Same += d.Same
		at.Report.Digest = digest(at.Report.Digest, source)
		if err := do(ctx, far, at, d); err != nil {
			return err
		}
	}
	return nil
}

// here are the documents of this pool after one, up to another.
func (x *bringing) here(ctx context.Context, after, upTo string) (cards []Card, err error) {
	for {
		page, err := x.Stock.Cards(ctx, x.scope, Asked{After: after, UpTo: upTo, Limit: MaxCards})
		if err != nil {
			return nil, fmt.Errorf("list what is here: %w", err)
		}
		if cards = append(cards, page.Cards...); !page.More {
			return cards, nil
		}
		after = page.Last
	}
}

// remove deletes here what is gone at the source.
func (x *bringing) remove(ctx context.Context, _ *Far, at *reached, d Difference) error {
	for _, c := range d.Gone {
		_, err := x.Catalogue.Delete(ctx, x.scope, corpus.Deletion{DocID: c.DocID, JobID: x.id + "-" + short(c.DocID), Cause: x.cause()})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return fmt.Errorf("delete %.200q: %w", c.DocID, err)
		}
		at.Report.Deleted++
	}
	return nil
}

// take fetches what is missing here, or has failed here.
func (x *bringing) take(ctx context.Context, far *Far, at *reached, d Difference) error {
	at.problem(d.taken(Comparing)...)
	w := imports.NewWriter(x.Parts, x.scope, x.importID(), at.Parts)
	add := func(c Card, text []byte) error {
		at.Report.Brought++
		return w.Add(ctx, imports.Entry{Line: at.Entries + w.Entries + 1, Draft: draft(c, text)})
	}
	var ids []string
	for _, c := range d.Bring {
		if c.SHA256 != "" {
			ids = append(ids, c.DocID)
			continue
		}
		if c.Fetched == nil {
			at.problem(job.Problem{Stage: Comparing, DocID: c.DocID, Code: "text_not_found", Message: "the source has no text of it"})
			continue
		}
		if err := add(c, nil); err != nil {
			return err
		}
	}
	for _, c := range d.Unsearchable {
		if c.Moved && !c.OnItsWay {
			ids = append(ids, c.DocID)
		}
	}
	err := far.Texts(ctx, ids, func(c Card, text []byte) error {
		if text == nil && c.SHA256 != "" {
			return errTorn("a document without its text", nil)
		}
		return add(c, text)
	})
	if err != nil {
		return err
	}
	if err := w.Flush(ctx); err != nil {
		return err
	}
	at.Parts, at.Entries = w.Parts, at.Entries+w.Entries
	return nil
}

// draft is a document of the source as the intake takes it: what was not to be had at its address is asked for there once more.
func draft(c Card, text []byte) *corpus.Draft {
	d := &corpus.Draft{
		DocID: c.DocID, Text: text, ContentType: c.ContentType, About: c.About, Chunking: c.Chunking,
		Moved: &corpus.Moved{CreatedAt: c.CreatedAt, UpdatedAt: c.UpdatedAt, Fetched: c.Fetched},
	}
	if c.SHA256 == "" {
		d.Fetch, d.ContentType = c.Fetched.URL, c.Fetched.Asked
	}
	return d
}

// short is a name for the job of a deletion, the same each time.
func short(docID string) string {
	sum := sha256.Sum256([]byte(docID))
	return hex.EncodeToString(sum[:8])
}

func (x *bringing) cause() events.Cause {
	return events.Cause{ID: x.id, TraceParent: x.order.Cause.TraceParent}
}

// looked is what a look at the import has found.
type looked struct {
	State  job.State  `json:"state"`
	Counts job.Counts `json:"counts"`
	Over   bool       `json:"over,omitempty"`
}

// bring has the parts taken in as an import, and waits until each of its documents is searchable or has failed.
func (x *bringing) bring(ctx context.Context, at reached) error {
	x.note.Stage, x.note.Report.ImportID = Bringing, x.importID()
	_, err := flow.Insist(ctx, x.run, "open", func(ctx context.Context) (job.State, error) {
		j, err := x.Imports.OpenImport(ctx, x.scope, imports.Import{
			ID: x.importID(), Origin: imports.Origin{Batch: at.Parts}, Entries: at.Entries, Cause: x.cause(),
		})
		return j.State, err
	})
	if err != nil {
		return err
	}
	x.opened = true
	for n := range looks {
		l, err := flow.Insist(ctx, x.run, fmt.Sprintf("look %d", n), func(ctx context.Context) (looked, error) { return x.look(ctx, at) })
		if err != nil {
			return err
		}
		x.count(at, l.Counts)
		switch {
		case l.Over:
			return errOver
		case l.State == job.Cancelled:
			return fault.New(fault.Conflict, "import_cancelled", "the import of what was brought was cancelled; the same run goes on where it was", nil)
		case l.State.Final():
			return nil
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("unfinished %d", n), pause(n)); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "stuck", "the import of what was brought has not ended in a week", nil)
}

// look looks how far the import is, and has the job say so.
func (x *bringing) look(ctx context.Context, at reached) (looked, error) {
	im, err := x.Jobs.Job(ctx, x.scope, x.importID())
	if err != nil {
		return looked{}, err
	}
	x.count(at, im.Counts)
	j, err := x.Ledger.NoteTransfer(ctx, x.scope, x.note)
	return looked{im.State, im.Counts, j.State.Final()}, err
}

// count adds what the import has done to what was here already.
func (x *bringing) count(at reached, of job.Counts) {
	x.note.Counts = job.Counts{Total: at.Report.Found, Done: at.Report.Same + of.Done, Failed: at.Failed + of.Failed, Cancelled: of.Cancelled}
}
