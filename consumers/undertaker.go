package consumers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Letter is a message that nobody could handle, with why.
type Letter struct {
	Queue       string     `json:"queue"`
	MessageID   string     `json:"messageId"`
	Tenant      tenants.ID `json:"tenant,omitempty"` // empty when the message could not be read
	Handler     string     `json:"handler,omitempty"`
	EventID     string     `json:"eventId,omitempty"`
	Type        string     `json:"type,omitempty"`
	Subject     string     `json:"subject,omitempty"`
	TraceParent string     `json:"traceparent,omitempty"`
	Code        string     `json:"code"`
	Message     string     `json:"message"` // for whoever asks about the document
	Reason      string     `json:"reason"`  // for operators, with the cause
	Attempts    int        `json:"attempts"`
	At          time.Time  `json:"at"`
	Body        []byte     `json:"body"` // as it was delivered, to be sent again

	event events.Event
	stage corpus.Stage
}

// Letters keeps dead letters for operators: to look at, and to send again. It takes no scope because a message that
// cannot be read has no tenant; a letter names the tenant where it is known.
//
// What Keep returned nil for is durable. A letter with the queue and message id of an earlier one replaces it. Safe
// for concurrent use.
type Letters interface {
	Keep(ctx context.Context, ls []Letter) error
}

// Undertaker buries events that nobody could handle.
type Undertaker struct {
	ledger  corpus.Ledger
	vectors corpus.Vectors
	letters Letters
}

// NewUndertaker makes an undertaker.
func NewUndertaker(ledger corpus.Ledger, vectors corpus.Vectors, letters Letters) *Undertaker {
	return &Undertaker{ledger: ledger, vectors: vectors, letters: letters}
}

// Bury fails the documents of dead events of one tenant, removes what was written for them, and keeps the letters. It
// may be repeated. It answers an error for each letter; what has one is to be buried again.
func (u *Undertaker) Bury(ctx context.Context, s tenants.Scope, ls []Letter) []error {
	return Isolate(len(ls), func(from, to int) error {
		if err := u.fail(ctx, s, ls[from:to]); err != nil {
			return err
		}
		return u.keep(ctx, ls[from:to])
	})
}

func (u *Undertaker) keep(ctx context.Context, ls []Letter) error {
	if err := u.letters.Keep(ctx, ls); err != nil {
		return fmt.Errorf("keep %d dead letters: %w", len(ls), err)
	}
	return nil
}

// work is what the facts of all stages have in common.
type work struct {
	events.DocumentRef
	events.Slice
	Model string `json:"model"`
}

// work is what a dead event was about, empty when no document depends on it. When the event's data is lost (a claim
// that is not there) or cannot be read, nothing says which generation it was; then it is the newest, if that one is
// still on its way.
func (u *Undertaker) work(ctx context.Context, s tenants.Scope, l Letter) (w work, err error) {
	if l.stage == "" {
		return work{}, nil
	}
	if len(l.event.Data) > 0 && json.Unmarshal(l.event.Data, &w) == nil && w.DocID != "" {
		return w, nil
	}
	id, ok := strings.CutPrefix(l.event.Subject, "documents/")
	if !ok {
		return work{}, nil
	}
	docs, err := u.ledger.Documents(ctx, s, []string{id})
	if err != nil || len(docs) == 0 || docs[0].State == corpus.Indexed || docs[0].State == corpus.Failed {
		return work{}, err
	}
	return work{DocumentRef: events.DocumentRef{DocID: id, Generation: docs[0].Generation, JobID: docs[0].JobID}}, nil
}

// fail marks the generations of dead events as failed and removes their vectors: those the ledger knows of, and, for an
// event that may have been written without the ledger being told, those of its whole generation.
func (u *Undertaker) fail(ctx context.Context, s tenants.Scope, ls []Letter) error {
	var ps []corpus.Progress
	var works []work
	for _, l := range ls {
		w, err := u.work(ctx, s, l)
		if err != nil {
			return err
		}
		if w.DocID == "" {
			continue
		}
		works = append(works, w)
		ps = append(ps, corpus.Progress{
			DocumentRef: w.DocumentRef, Slice: w.Slice, Stage: l.stage, Attempts: l.Attempts,
			Code: l.Code, Message: l.Message, Cause: l.event.Cause(),
		})
	}
	if len(ps) == 0 {
		return nil
	}
	verdicts, err := u.ledger.Advance(ctx, s, ps)
	if err != nil {
		return fmt.Errorf("fail %d documents: %w", len(ps), err)
	}
	var gone []corpus.Retirement
	for i, v := range verdicts {
		for _, r := range v.Retired {
			gone = append(gone, corpus.Retirement{DocID: ps[i].DocID, Retired: r})
		}
		if v.Stale && ps[i].Stage == corpus.StageIndex {
			gone = append(gone, corpus.Retirement{DocID: ps[i].DocID, Retired: corpus.Retired{
				Generation: works[i].Generation, Chunks: works[i].Chunks, Model: works[i].Model,
			}})
		}
	}
	return corpus.Erase(ctx, s, u.vectors, u.ledger, gone)
}
