package book

import (
	"context"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
	"levada.dev/workflows/reembed"
	"levada.dev/workflows/transfer"
)

// The methods of the wire.
const (
	methodSubmit      = "submitAll"
	methodAdvance     = "advance"
	methodDocuments   = "documents"
	methodShown       = "shown"
	methodEdition     = "edition"
	methodJob         = "job"
	methodList        = "list"
	methodJobs        = "jobs"
	methodDelete      = "delete"
	methodCancel      = "cancel"
	methodResubmit    = "resubmit"
	methodOpen        = "openImport"
	methodTake        = "take"
	methodSeal        = "sealImport"
	methodNote        = "noteImport"
	methodProblems    = "problems"
	methodAttest      = "attest"
	methodErase       = "openErasure"
	methodNoteErasure = "noteErasure"
	methodDropErased  = "dropErased"
	methodEndErasure  = "endErasure"
	methodSpaces      = "spaces"
	methodMissing     = "missing"
	methodOpenMove    = "openMove"
	methodTakeWorks   = "takeWorks"
	methodFilled      = "filled"
	methodTurn        = "turn"
	methodSwitch      = "switch"
	methodLate        = "late"
	methodEndMove     = "endMove"
	methodCards       = "cards"
	methodStanding    = "standing"
	methodFreeze      = "freeze"
	methodTransfer    = "openTransfer"
	methodNoteRun     = "noteTransfer"
	methodEndRun      = "endTransfer"
)

// Call runs one method of a port that Client implements inside an open transaction, as call.Serve does.
func (b *Book) Call(r rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodSubmit:
		return call.Serve(r, body, func(s tenants.Scope, subs []corpus.Submission) ([]corpus.Outcome, error) {
			return b.SubmitAll(r, s, subs)
		})
	case methodAdvance:
		return call.Serve(r, body, func(s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) { return b.Advance(r, s, ps) })
	case methodDocuments:
		return call.Serve(r, body, func(_ tenants.Scope, ids []string) ([]shown, error) {
			docs, err := b.Documents(r, ids)
			return wrap(docs), err
		})
	case methodShown:
		return call.Serve(r, body, func(_ tenants.Scope, ids []string) ([]showing, error) { return b.Shown(r, ids) })
	case methodEdition:
		return call.Serve(r, body, func(tenants.Scope, struct{}) (corpus.Edition, error) { return b.Edition(r) })
	case methodJob:
		return call.Serve(r, body, func(_ tenants.Scope, id string) (job.Job, error) { return b.Job(r, id) })
	case methodList:
		return call.Serve(r, body, func(_ tenants.Scope, q corpus.Listing) (shownPage, error) {
			page, err := b.List(r, q)
			return shownPage{wrap(page.Documents), page.Next}, err
		})
	case methodJobs:
		return call.Serve(r, body, func(_ tenants.Scope, q corpus.JobListing) (corpus.JobPage, error) { return b.Jobs(r, q) })
	case methodDelete:
		return call.Serve(r, body, func(s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error) { return b.Delete(r, s, d) })
	case methodCancel:
		return call.Serve(r, body, func(s tenants.Scope, id string) (job.Job, error) { return b.Cancel(r, s, id) })
	case methodResubmit:
		return call.Serve(r, body, func(s tenants.Scope, re corpus.Resubmission) (corpus.Receipt, error) { return b.Resubmit(r, s, re) })
	case methodOpen:
		return call.Serve(r, body, func(s tenants.Scope, im imports.Import) (job.Job, error) { return b.OpenImport(r, s, im) })
	case methodTake:
		return call.Serve(r, body, func(s tenants.Scope, t taking) (imports.Taken, error) { return b.Take(r, s, t.ID, t.From, t.Entries) })
	case methodSeal:
		return call.Serve(r, body, func(s tenants.Scope, q sealing) (job.Job, error) {
			return b.SealImport(r, s, q.ID, q.Entries, q.Failed)
		})
	case methodNote:
		return call.Serve(r, body, func(s tenants.Scope, q noting) (job.Job, error) { return b.NoteImport(r, s, q.ID, q.Note) })
	case methodProblems:
		return call.Serve(r, body, func(_ tenants.Scope, l imports.Listing) (imports.Page, error) { return b.Problems(r, l) })
	case methodAttest:
		return call.Serve(r, body, func(_ tenants.Scope, t testimony) (struct{}, error) { return struct{}{}, b.Attest(r, t.Name, t.Digest) })
	case methodErase:
		return call.Serve(r, body, func(s tenants.Scope, q erasure.Request) (corpus.Receipt, error) { return b.OpenErasure(r, s, q) })
	case methodNoteErasure:
		return call.Serve(r, body, func(_ tenants.Scope, n erasure.Note) (job.Job, error) { return b.NoteErasure(r, n) })
	case methodDropErased:
		return call.Serve(r, body, func(s tenants.Scope, d dropping) (bool, error) { return b.DropErased(r, s, d.JobID, d.Limit) })
	case methodEndErasure:
		return call.Serve(r, body, func(s tenants.Scope, e endingErasure) (job.Job, error) { return b.EndErasure(r, s, e.JobID, e.Failed) })
	}
	return b.callMove(r, method, body)
}

// taking, sealing and noting are the arguments of Take, SealImport and NoteImport.
type (
	taking struct {
		ID      string           `json:"id"`
		From    int              `json:"from"`
		Entries []imports.Taking `json:"entries"`
	}
	sealing struct {
		ID      string       `json:"id"`
		Entries int          `json:"entries"`
		Failed  *job.Problem `json:"failed,omitempty"`
	}
	noting struct {
		ID   string      `json:"id"`
		Note job.Problem `json:"note"`
	}
)

// dropping and endingErasure are the arguments of DropErased and EndErasure.
type (
	dropping struct {
		JobID string `json:"jobId"`
		Limit int    `json:"limit"`
	}
	endingErasure struct {
		JobID  string       `json:"jobId"`
		Failed *job.Problem `json:"failed,omitempty"`
	}
)

// Client is the far end of Call: a corpus.Ledger and corpus.Catalogue over whatever carries the bytes to the tenant's book and back.
type Client struct{ do call.Carrier }

var (
	_ corpus.Ledger    = (*Client)(nil)
	_ corpus.Catalogue = (*Client)(nil)
	_ imports.Ledger   = (*Client)(nil)
	_ corpus.Witness   = (*Client)(nil)
	_ erasure.Ledger   = (*Client)(nil)
	_ reembed.Ledger   = (*Client)(nil)
	_ transfer.Ledger  = (*Client)(nil)
	_ transfer.Stock   = (*Client)(nil)
)

// NewClient makes a ledger over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// SubmitAll implements corpus.Ledger.
func (c *Client) SubmitAll(ctx context.Context, s tenants.Scope, subs []corpus.Submission) ([]corpus.Outcome, error) {
	outs, err := call.Ask[[]corpus.Outcome](ctx, c.do, s, nil, methodSubmit, subs)
	if err == nil && len(outs) != len(subs) {
		return nil, fault.New(fault.Internal, "ledger_answer", fmt.Sprintf("%d outcomes of %d submissions", len(outs), len(subs)), nil)
	}
	return outs, err
}

// Advance implements corpus.Ledger.
func (c *Client) Advance(ctx context.Context, s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	vs, err := call.Ask[[]corpus.Verdict](ctx, c.do, s, nil, methodAdvance, ps)
	if err == nil && len(vs) != len(ps) {
		return nil, fault.New(fault.Internal, "ledger_answer", fmt.Sprintf("%d verdicts on %d progresses", len(vs), len(ps)), nil)
	}
	return vs, err
}

// Documents implements corpus.Ledger.
func (c *Client) Documents(ctx context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	docs, err := call.Ask[[]shown](ctx, c.do, s, nil, methodDocuments, ids)
	return unwrap(docs), err
}

// Edition implements corpus.Ledger.
func (c *Client) Edition(ctx context.Context, s tenants.Scope) (corpus.Edition, error) {
	return call.Ask[corpus.Edition](ctx, c.do, s, nil, methodEdition, struct{}{})
}

// Job implements corpus.Ledger.
func (c *Client) Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodJob, id)
}

// OpenImport implements imports.Ledger.
func (c *Client) OpenImport(ctx context.Context, s tenants.Scope, im imports.Import) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodOpen, im)
}

// Take implements imports.Ledger.
func (c *Client) Take(ctx context.Context, s tenants.Scope, id string, n int, entries []imports.Taking) (imports.Taken, error) {
	return call.Ask[imports.Taken](ctx, c.do, s, nil, methodTake, taking{id, n, entries})
}

// SealImport implements imports.Ledger.
func (c *Client) SealImport(ctx context.Context, s tenants.Scope, id string, entries int, failed *job.Problem) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodSeal, sealing{id, entries, failed})
}

// NoteImport implements imports.Ledger.
func (c *Client) NoteImport(ctx context.Context, s tenants.Scope, id string, note job.Problem) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodNote, noting{id, note})
}

// Problems implements imports.Ledger.
func (c *Client) Problems(ctx context.Context, s tenants.Scope, l imports.Listing) (imports.Page, error) {
	return call.Ask[imports.Page](ctx, c.do, s, nil, methodProblems, l)
}

// Attest implements corpus.Witness.
func (c *Client) Attest(ctx context.Context, s tenants.Scope, name, digest string) error {
	_, err := call.Ask[struct{}](ctx, c.do, s, nil, methodAttest, testimony{name, digest})
	return err
}

// OpenErasure implements erasure.Ledger.
func (c *Client) OpenErasure(ctx context.Context, s tenants.Scope, r erasure.Request) (corpus.Receipt, error) {
	return call.Ask[corpus.Receipt](ctx, c.do, s, nil, methodErase, r)
}

// NoteErasure implements erasure.Ledger.
func (c *Client) NoteErasure(ctx context.Context, s tenants.Scope, n erasure.Note) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodNoteErasure, n)
}

// DropErased implements erasure.Ledger.
func (c *Client) DropErased(ctx context.Context, s tenants.Scope, jobID string, limit int) (bool, error) {
	return call.Ask[bool](ctx, c.do, s, nil, methodDropErased, dropping{jobID, limit})
}

// EndErasure implements erasure.Ledger.
func (c *Client) EndErasure(ctx context.Context, s tenants.Scope, jobID string, failed *job.Problem) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodEndErasure, endingErasure{jobID, failed})
}

// List implements corpus.Catalogue.
func (c *Client) List(ctx context.Context, s tenants.Scope, q corpus.Listing) (corpus.DocumentPage, error) {
	page, err := call.Ask[shownPage](ctx, c.do, s, nil, methodList, q)
	return corpus.DocumentPage{Documents: unwrap(page.Documents), Next: page.Next}, err
}

// Jobs implements corpus.Catalogue.
func (c *Client) Jobs(ctx context.Context, s tenants.Scope, q corpus.JobListing) (corpus.JobPage, error) {
	return call.Ask[corpus.JobPage](ctx, c.do, s, nil, methodJobs, q)
}

// Delete implements corpus.Catalogue.
func (c *Client) Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error) {
	return call.Ask[corpus.Receipt](ctx, c.do, s, nil, methodDelete, d)
}

// Cancel implements corpus.Catalogue.
func (c *Client) Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error) {
	return call.Ask[job.Job](ctx, c.do, s, nil, methodCancel, jobID)
}

// Resubmit implements corpus.Catalogue.
func (c *Client) Resubmit(ctx context.Context, s tenants.Scope, r corpus.Resubmission) (corpus.Receipt, error) {
	return call.Ask[corpus.Receipt](ctx, c.do, s, nil, methodResubmit, r)
}

// shownPage is a page of them.
type shownPage struct {
	Documents []shown `json:"documents"`
	Next      string  `json:"next,omitempty"`
}

// shown is a document on the wire, with what its JSON keeps from API clients.
type shown struct {
	corpus.Document
	TextKey string          `json:"textKey,omitempty"`
	Derived *corpus.Derived `json:"derived,omitempty"`
}

func wrap(docs []corpus.Document) []shown {
	out := make([]shown, len(docs))
	for i, d := range docs {
		out[i] = shown{d, d.TextKey, d.Derived}
	}
	return out
}

func unwrap(docs []shown) []corpus.Document {
	out := make([]corpus.Document, len(docs))
	for i, d := range docs {
		out[i] = d.Document
		out[i].TextKey, out[i].Derived = d.TextKey, d.Derived
	}
	return out
}
