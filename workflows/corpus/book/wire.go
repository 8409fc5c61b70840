package book

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// The methods of the wire.
const (
	methodSubmit    = "submit"
	methodAdvance   = "advance"
	methodDocuments = "documents"
	methodJob       = "job"
)

// request is a call on its way to the book, which belongs to one tenant for ever.
type request[A any] struct {
	Tenant tenants.ID `json:"tenant"`
	Args   A          `json:"args"`
}

// answer is what comes back: a value, or a fault as data.
type answer[V any] struct {
	Value V            `json:"value,omitzero"`
	Fault *fault.Error `json:"fault,omitempty"`
}

// Call runs one method of corpus.Ledger inside an open transaction. There is always an answer to send back. When
// commit is false the transaction is to be rolled back first; nothing of it may stay.
func (b *Book) Call(r Rows, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodSubmit:
		return serve(r, body, func(s tenants.Scope, sub corpus.Submission) (corpus.Receipt, error) { return b.Submit(r, s, sub) })
	case methodAdvance:
		return serve(r, body, func(s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) { return b.Advance(r, s, ps) })
	case methodDocuments:
		return serve(r, body, func(_ tenants.Scope, ids []string) ([]shown, error) {
			docs, err := b.Documents(r, ids)
			return wrap(docs), err
		})
	case methodJob:
		return serve(r, body, func(_ tenants.Scope, id string) (job.Job, error) { return b.Job(r, id) })
	}
	return Refuse(fault.Invalidf("", "method_unknown", "the ledger has no method %.32q", method)), false
}

func serve[A, V any](r Rows, body []byte, f func(tenants.Scope, A) (V, error)) ([]byte, bool) {
	var req request[A]
	if err := json.Unmarshal(body, &req); err != nil {
		return Refuse(fault.New(fault.Invalid, "request_invalid", "not a call on a ledger", err)), false
	}
	s, err := admit(r, req.Tenant)
	if err != nil {
		return Refuse(err), false
	}
	v, err := f(s, req.Args)
	if err != nil {
		return Refuse(err), false
	}
	reply, err := json.Marshal(answer[V]{Value: v})
	if err != nil {
		return Refuse(err), false
	}
	return reply, true
}

// admit resumes the caller's tenant and holds the book to the first it ever served.
func admit(r Rows, tenant tenants.ID) (tenants.Scope, error) {
	s, err := tenants.Resume(string(tenant))
	if err != nil {
		return s, err
	}
	owner, err := r.Get(tenantKey)
	if err != nil {
		return s, fmt.Errorf("book: get: %w", err)
	}
	if owner == nil {
		err = r.Put(tenantKey, []byte(tenant))
	} else if string(owner) != string(tenant) {
		err = fault.New(fault.Denied, "tenant_mismatch", "the ledger belongs to another tenant", nil)
	}
	return s, err
}

// Refuse is the answer that carries an error, for an adapter that turns a call away before the book sees it. What the book did not classify is a failure of the store: worth another try.
func Refuse(err error) []byte {
	var f *fault.Error
	if !errors.As(err, &f) {
		f = fault.Unavailablef(err, "ledger_storage", "the ledger could not read or write")
	}
	b, err := json.Marshal(answer[struct{}]{Fault: f})
	if err != nil {
		panic(err) // strings and a number always encode
	}
	return b
}

// Client is the far end of Call: a corpus.Ledger over whatever carries the bytes to the tenant's book and back. An
// error of the carrier itself reaches the caller as it is.
type Client struct {
	do func(ctx context.Context, s tenants.Scope, method string, body []byte) ([]byte, error)
}

var _ corpus.Ledger = (*Client)(nil)

// NewClient makes a ledger over do.
func NewClient(do func(ctx context.Context, s tenants.Scope, method string, body []byte) ([]byte, error)) *Client {
	return &Client{do: do}
}

// Submit implements corpus.Ledger.
func (c *Client) Submit(ctx context.Context, s tenants.Scope, sub corpus.Submission) (corpus.Receipt, error) {
	return ask[corpus.Receipt](ctx, c, s, methodSubmit, sub)
}

// Advance implements corpus.Ledger.
func (c *Client) Advance(ctx context.Context, s tenants.Scope, ps []corpus.Progress) ([]corpus.Verdict, error) {
	vs, err := ask[[]corpus.Verdict](ctx, c, s, methodAdvance, ps)
	if err == nil && len(vs) != len(ps) {
		return nil, fault.New(fault.Internal, "ledger_answer", fmt.Sprintf("%d verdicts on %d progresses", len(vs), len(ps)), nil)
	}
	return vs, err
}

// Documents implements corpus.Ledger.
func (c *Client) Documents(ctx context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	docs, err := ask[[]shown](ctx, c, s, methodDocuments, ids)
	return unwrap(docs), err
}

// Job implements corpus.Ledger.
func (c *Client) Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error) {
	return ask[job.Job](ctx, c, s, methodJob, id)
}

// shown is a document on the wire, with what its JSON keeps from API clients.
type shown struct {
	corpus.Document
	TextKey string `json:"textKey,omitempty"`
}

func wrap(docs []corpus.Document) []shown {
	out := make([]shown, len(docs))
	for i, d := range docs {
		out[i] = shown{d, d.TextKey}
	}
	return out
}

func unwrap(docs []shown) []corpus.Document {
	out := make([]corpus.Document, len(docs))
	for i, d := range docs {
		out[i] = d.Document
		out[i].TextKey = d.TextKey
	}
	return out
}

func ask[V, A any](ctx context.Context, c *Client, s tenants.Scope, method string, args A) (V, error) {
	var a answer[V]
	if err := s.Check(); err != nil {
		return a.Value, err
	}
	body, err := json.Marshal(request[A]{Tenant: s.Tenant(), Args: args})
	if err != nil {
		return a.Value, fault.New(fault.Internal, "ledger_request", method, err)
	}
	reply, err := c.do(ctx, s, method, body)
	if err != nil {
		return a.Value, fmt.Errorf("ledger %s: %w", method, err)
	}
	if err := json.Unmarshal(reply, &a); err != nil {
		return a.Value, fault.New(fault.Internal, "ledger_answer", method, err)
	}
	if a.Fault != nil {
		return a.Value, a.Fault
	}
	return a.Value, nil
}
