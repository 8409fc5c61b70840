package batch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/google/uuid"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// partBytes is how large the parts are: each batch that is being read has one in memory.
const partBytes = 1 << 20

// Opener opens imports; imports.Ledger does.
type Opener interface {
	OpenImport(ctx context.Context, s tenants.Scope, im imports.Import) (job.Job, error)
}

// Door takes batches in. It is safe for concurrent use.
type Door struct {
	parts imports.Parts
	opens Opener
	newID func() string
}

// Options tunes a Door.
type Options struct {
	NewID func() string // makes ids of imports and documents, ordered by time. Default: UUIDs of version 7
}

// New makes a door. The options may be nil.
func New(parts imports.Parts, opens Opener, o *Options) *Door {
	d := &Door{parts: parts, opens: opens, newID: func() string { return uuid.Must(uuid.NewV7()).String() }}
	if o != nil && o.NewID != nil {
		d.newID = o.NewID
	}
	return d
}

// Take reads a batch to its end and opens an import of its good lines. When it returns a receipt the documents are safe: each will be
// searchable or fail with a reason, and the import's job tells how many. A stream that breaks off starts nothing (fault.Invalid, code
// body_incomplete); one without a good line neither (code batch_refused, with the receipt that names the lines; body_empty when there was no line at all).
func (d *Door) Take(ctx context.Context, s tenants.Scope, b imports.Batch) (imports.Accepted, error) {
	if err := s.Check(); err != nil {
		return imports.Accepted{}, err
	}
	t := &taking{Door: d, batch: b, scope: s, id: d.newID()}
	t.parts = imports.NewWriter(d.parts, s, t.id, 0)
	t.parts.Limit = partBytes
	err := t.read(ctx)
	switch {
	case err != nil:
	case t.receipt.Entries == 0 && t.receipt.Refused == 0:
		err = fault.New(fault.Invalid, "body_empty", "there is no line in the body", nil).WithHint("send a JSON object a line")
	case t.receipt.Entries == 0:
		err = fault.New(fault.Invalid, "batch_refused", "no line of the batch is a document", nil)
	default:
		return t.open(ctx)
	}
	t.drop(ctx)
	return t.receipt, err
}

// taking is one call of Take.
type taking struct {
	*Door
	batch   imports.Batch
	scope   tenants.Scope
	id      string
	parts   *imports.Writer
	digest  hash.Hash // of the body, when somebody will compare
	receipt imports.Accepted
}

// read takes the stream line by line.
func (t *taking) read(ctx context.Context) error {
	body := t.batch.Body
	if t.batch.Cause.IdempotencyKey != "" {
		t.digest = sha256.New()
		body = io.TeeReader(body, t.digest)
	}
	var room func(int) (func(), error)
	if t.batch.Room != nil {
		room = func(bytes int) (func(), error) { return t.batch.Room(ctx, bytes) }
	}
	in := newLines(body, t.batch.MaxLine, room)
	defer in.drop()
	for {
		line, err := in.next()
		switch {
		case errors.Is(err, io.EOF) && t.receipt.Entries == 0:
			return nil
		case errors.Is(err, io.EOF):
			return t.parts.Flush(ctx)
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err == nil && len(line) > ordinary:
			err = in.need(len(line))
		}
		if err == nil {
			err = t.take(ctx, in.n, line)
		}
		if fault.Is(err, fault.Invalid) && fault.As(err).Code != "body_incomplete" {
			err = t.refuse(ctx, in.n, err)
		}
		if err != nil {
			return err
		}
	}
}

// take adds the document of a line.
func (t *taking) take(ctx context.Context, n int, line []byte) error {
	draft, err := t.batch.Decode(line)
	if err != nil {
		return err
	}
	if err := intake.Check(draft); err != nil {
		return err
	}
	if draft.DocID == "" {
		draft.DocID = t.newID() // now: whoever submits it may do so twice
	}
	t.receipt.Entries++
	return t.keep(ctx, imports.Entry{Line: n, Draft: &draft})
}

// refuse names a line in the answer, and among the entries, so that the job names it as well; from some number on it only counts it.
func (t *taking) refuse(ctx context.Context, n int, err error) error {
	f := fault.As(err)
	if t.receipt.Refused++; t.receipt.Refused <= imports.MaxNamed {
		t.receipt.Problems = append(t.receipt.Problems, job.Problem{
			Stage: string(corpus.StageSubmit), Line: n, Field: f.Field, Code: f.Code, Message: f.Message, Hint: f.Hint,
		})
	}
	if t.receipt.Refused > imports.MaxKept {
		return nil
	}
	return t.keep(ctx, imports.Entry{Line: n, Refuse: &fault.Error{Kind: fault.Invalid, Code: f.Code, Message: f.Message, Field: f.Field}})
}

// keep adds an entry to the parts.
func (t *taking) keep(ctx context.Context, e imports.Entry) error {
	if err := t.parts.Add(ctx, e); err != nil {
		return fmt.Errorf("keep line %d: %w", e.Line, err)
	}
	return nil
}

// open opens the import.
func (t *taking) open(ctx context.Context) (imports.Accepted, error) {
	im := imports.Import{
		ID: t.id, Origin: imports.Origin{Batch: t.parts.Parts}, Entries: t.parts.Entries,
		LeftOut: max(0, t.receipt.Refused-imports.MaxKept), Cause: t.batch.Cause,
	}
	if t.digest != nil {
		im.RequestHash = hex.EncodeToString(t.digest.Sum(nil))
	}
	j, err := t.opens.OpenImport(ctx, t.scope, im)
	if err != nil {
		if !unknown(err) {
			t.drop(ctx)
		}
		return imports.Accepted{}, fmt.Errorf("open the import: %w", err)
	}
	t.receipt.Job = j
	if t.receipt.Replayed = j.ID != t.id; t.receipt.Replayed {
		t.drop(ctx)
	}
	return t.receipt, nil
}

// unknown reports whether the import may have been opened although its opening failed. Then its parts stay.
func unknown(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Unavailable || kind == fault.Internal
}

// drop removes the parts of an import that will not be. That it fails changes nothing for the client, and what is left is of no import.
func (t *taking) drop(ctx context.Context) {
	if t.parts.Parts > 0 {
		_ = t.Door.parts.Drop(context.WithoutCancel(ctx), t.scope, t.id)
	}
}

// Open opens an import of what is elsewhere: addresses, a sitemap, the tenant's files. Addresses that are none are named, and the others go
// on; when none is left it is fault.Invalid, code batch_refused, with the receipt that names them.
func (d *Door) Open(ctx context.Context, s tenants.Scope, o imports.Origin, source string, cause events.Cause) (imports.Accepted, error) {
	refused, err := o.Check()
	if err != nil {
		return imports.Accepted{}, err
	}
	a := imports.Accepted{Refused: len(refused), Problems: refused}
	if len(refused) > 0 && len(refused) == len(o.URLs) {
		return a, fault.New(fault.Invalid, "batch_refused", "none of the addresses is one", nil)
	}
	im := imports.Import{ID: d.newID(), Origin: o, Source: source, Entries: len(o.URLs), Cause: cause}
	if cause.IdempotencyKey != "" {
		said, err := json.Marshal(struct {
			imports.Origin
			Source string
		}{o, source})
		if err != nil {
			return a, fault.New(fault.Invalid, "invalid_value", "the origin cannot be written as JSON", err)
		}
		sum := sha256.Sum256(said)
		im.RequestHash = hex.EncodeToString(sum[:])
	}
	if a.Job, err = d.opens.OpenImport(ctx, s, im); err != nil {
		return a, fmt.Errorf("open the import: %w", err)
	}
	a.Replayed = a.Job.ID != im.ID
	return a, nil
}
