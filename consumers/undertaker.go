package consumers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/speech"
)

// Deceased is an event that nobody could handle, and the letter that is to be kept of it.
type Deceased struct {
	letters.Letter
	Event events.Event
}

// Undertaker buries events that nobody could handle.
type Undertaker struct {
	ledger corpus.Ledger
	stores corpus.Stores
	box    letters.Keeper
	unread letters.Unread
	takes  speech.Closer // nil: nothing is spoken
}

// NewUndertaker makes an undertaker. Letters go to their tenant's box, those that cannot be read to unread.
func NewUndertaker(ledger corpus.Ledger, stores corpus.Stores, box letters.Keeper, unread letters.Unread) *Undertaker {
	return &Undertaker{ledger: ledger, stores: stores, box: box, unread: unread}
}

// With makes the undertaker fail the takes of dead events, too, and returns it.
func (u *Undertaker) With(takes speech.Closer) *Undertaker {
	u.takes = takes
	return u
}

// Bury fails the documents and takes of dead events of one tenant, removes what was written for documents, and keeps the letters. There is none about
// a generation that nobody waited for any more, since it was cancelled, deleted or overtaken: it would only be sent again; nor about a take that is over. It may be repeated.
// It answers an error for each letter; what has one is to be buried again.
func (u *Undertaker) Bury(ctx context.Context, s tenants.Scope, ds []Deceased) []error {
	return fault.Isolate(len(ds), func(from, to int) error {
		works, err := u.fail(ctx, s, ds[from:to])
		if err != nil {
			return err
		}
		takes, err := u.claim(ctx, s, ds[from:to], works)
		if err != nil {
			return err
		}
		var ls []letters.Letter
		for i, d := range ds[from:to] {
			if works[i].unwanted {
				continue
			}
			d.DocID, d.Generation = works[i].DocID, works[i].Generation
			ls = append(ls, d.Letter)
		}
		if len(ls) == 0 {
			return nil
		}
		if err := u.box.Keep(ctx, s, ls); err != nil {
			return fmt.Errorf("keep %d dead letters: %w", len(ls), err)
		}
		return u.silence(ctx, s, takes)
	})
}

// silent is a take that nobody will speak, and why.
type silent struct {
	speech.Ticket
	problem job.Problem
}

// claim claims the takes of dead events, so that nobody makes them any more. Those that are over nobody waits for, nor for
// the message of one that was asked for again since. They are ended when the letters are kept: a burial
// that is repeated finds them as they are until then.
func (u *Undertaker) claim(ctx context.Context, s tenants.Scope, ds []Deceased, works []work) (takes []silent, err error) {
	for i, d := range ds {
		take, ok := strings.CutPrefix(d.Event.Subject, "speech/")
		if u.takes == nil || d.Type != events.TypeSpeechRequested || !ok {
			continue
		}
		var f events.SpeechRequested
		_ = d.Event.As(&f) // one that cannot be read is taken for the first
		k, err := u.takes.ClaimDead(ctx, s, take, f.Try)
		switch {
		case err == nil:
			takes = append(takes, silent{k, job.Problem{Stage: "speak", Code: d.Code, Message: d.Message}})
		case fault.As(err).Code == speech.CodeOver:
			works[i].unwanted = true
		default:
			return nil, fmt.Errorf("claim %s: %w", take, err)
		}
	}
	return takes, nil
}

// silence ends takes as failed.
func (u *Undertaker) silence(ctx context.Context, s tenants.Scope, takes []silent) error {
	for _, t := range takes {
		if err := u.takes.End(ctx, s, t.Ticket, &t.problem); err != nil && fault.As(err).Code != speech.CodeOver {
			return fmt.Errorf("end %s: %w", t.Take, err)
		}
	}
	return nil
}

// BuryUnread keeps the letter of a message that names no tenant.
func (u *Undertaker) BuryUnread(ctx context.Context, l letters.Letter) error {
	if err := u.unread.Keep(ctx, []letters.Letter{l}); err != nil {
		return fmt.Errorf("keep a dead letter: %w", err)
	}
	return nil
}

// work is what the facts of all stages have in common.
type work struct {
	events.DocumentRef
	events.Slice
	Model string `json:"model"`

	unwanted bool // nobody waited for it any more
}

// work is what a dead event was about, empty when no document depends on it, and whether the document's generation is still
// to fail. When the event's data is lost (a claim that is not there) or cannot be read, nothing says which generation it was;
// then it is the newest, if that one is still on its way or has failed.
func (u *Undertaker) work(ctx context.Context, s tenants.Scope, d Deceased) (w work, fails bool, err error) {
	if d.Stage == "" {
		return work{}, false, nil
	}
	if len(d.Event.Data) > 0 && json.Unmarshal(d.Event.Data, &w) == nil && w.DocID != "" {
		return w, true, nil
	}
	id, ok := strings.CutPrefix(d.Event.Subject, "documents/")
	if !ok {
		return work{}, false, nil
	}
	w = work{DocumentRef: events.DocumentRef{DocID: id}}
	docs, err := u.ledger.Documents(ctx, s, []string{id})
	if err != nil || len(docs) == 0 {
		return w, false, err
	}
	erasing := docs[0].State == corpus.Deleted && corpus.Stage(d.Stage) == corpus.StageErase // its job is the erasure's
	fails = docs[0].State.OnItsWay() || erasing
	w.unwanted = !erasing && (docs[0].State == corpus.Cancelled || docs[0].State == corpus.Deleted)
	if fails || docs[0].State == corpus.Failed {
		w.Generation, w.JobID = docs[0].Generation, docs[0].JobID
	}
	return w, fails, nil
}

// fail marks the generations of dead events as failed and removes their vectors: those the ledger knows of, and, for an
// event that may have been written without the ledger being told, those of its whole generation. It answers what each
// event was about.
func (u *Undertaker) fail(ctx context.Context, s tenants.Scope, ds []Deceased) ([]work, error) {
	all := make([]work, len(ds))
	var ps []corpus.Progress
	var works []*work
	for i, d := range ds {
		w, fails, err := u.work(ctx, s, d)
		if err != nil {
			return nil, err
		}
		all[i] = w
		if !fails {
			continue
		}
		works = append(works, &all[i])
		ps = append(ps, corpus.Progress{
			DocumentRef: w.DocumentRef, Slice: w.Slice, Stage: corpus.Stage(d.Stage), Attempts: d.Attempts,
			Code: d.Code, Message: d.Message, Cause: d.Event.Cause(),
		})
	}
	if len(ps) == 0 {
		return all, nil
	}
	verdicts, err := u.ledger.Advance(ctx, s, ps)
	if err != nil {
		return nil, fmt.Errorf("fail %d documents: %w", len(ps), err)
	}
	var gone []corpus.Retirement
	for i, v := range verdicts {
		works[i].unwanted = v.Unwanted
		for _, r := range v.Retired {
			gone = append(gone, corpus.Retirement{DocID: ps[i].DocID, Retired: r})
		}
		if v.Stale && ps[i].Stage == corpus.StageIndex {
			gone = append(gone, corpus.Retirement{DocID: ps[i].DocID, Retired: corpus.Retired{
				Generation: works[i].Generation, Chunks: works[i].Chunks, Model: works[i].Model,
			}})
		}
	}
	return all, corpus.Erase(ctx, s, u.stores, u.ledger, gone)
}
