package erasure

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Order is what the flow is started with. Its id is the job's.
type Order struct {
	Cause events.Cause `json:"cause"`
}

// Catalogue is what an erasure needs of corpus.Catalogue.
type Catalogue interface {
	List(ctx context.Context, s tenants.Scope, q corpus.Listing) (corpus.DocumentPage, error)
	Jobs(ctx context.Context, s tenants.Scope, q corpus.JobListing) (corpus.JobPage, error)
	Delete(ctx context.Context, s tenants.Scope, d corpus.Deletion) (corpus.Receipt, error)
	Cancel(ctx context.Context, s tenants.Scope, jobID string) (job.Job, error)
}

// Sessions forgets sessions; chat.Sessions does.
type Sessions interface {
	Delete(ctx context.Context, s tenants.Scope, session string) error
}

// Ports are what an Eraser works on. Stores are swept in their order.
type Ports struct {
	Ledger    Ledger
	Catalogue Catalogue
	Shelf     chat.Shelf
	Sessions  Sessions
	Gate      Gate
	Stores    []Store
	// Still is for how long what was let in may go on that no call of a model is in flight for: it reads a body, or writes what it has. 0 is
	// twice as long as Settle; an answer may take 100 seconds.
	Still time.Duration
	// Settle is how long a round waits before it asks what is left. 0 is a minute, which is what KV takes until a removal shows everywhere
	// (https://developers.cloudflare.com/kv/concepts/how-kv-works/), and more than a request needs that had begun to write before the ledger
	// was closed. Where removals show at once it may be shorter.
	Settle time.Duration
}

// Eraser is the flow that erases a tenant. It is safe for concurrent use.
type Eraser struct{ Ports }

// New makes an eraser.
func New(p Ports) *Eraser {
	if p.Settle <= 0 {
		p.Settle = time.Minute
	}
	if p.Still <= 0 {
		p.Still = 2 * p.Settle
	}
	return &Eraser{p}
}

var _ flow.Flow = (*Eraser)(nil).Flow

const (
	// rounds is how often everything is gone through before an erasure gives up.
	rounds = 6
	// lag is how long a store is left alone that has more than one step takes: an index shows for a while what was removed.
	lag = 5 * time.Second
)

// Flow erases the tenant. What it removes is gone however often it is removed, so each step may run again at any time; and however a run
// ends, its job does, and the ledger is open again.
func (e *Eraser) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	x := &erasing{Eraser: e, scope: s, run: r, id: r.ID(), removed: map[string]int{}}
	if err := json.Unmarshal(params, &x.order); err != nil {
		return fault.New(fault.Invalid, "erasure_order", "the erasure cannot be read", err)
	}
	over, err := x.note(ctx, "begin", Note{Stage: "documents"})
	if err != nil || over {
		return err
	}
	why := x.erase(ctx)
	if _, err := flow.Insist(ctx, r, "unbar", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, e.Gate.Unbar(ctx, s, x.id)
	}); err != nil && why == nil {
		why = err // nobody can write until the bar ends by itself
	}
	var failed *job.Problem
	if why != nil {
		f := fault.As(why)
		failed = &job.Problem{Stage: "erase", Code: f.Code, Message: f.Message}
	}
	_, err = flow.Insist(ctx, r, "end", func(ctx context.Context) (job.State, error) {
		j, err := e.Ledger.EndErasure(ctx, s, x.id, failed)
		return j.State, err
	})
	return err
}

// erasing is one run.
type erasing struct {
	*Eraser
	scope   tenants.Scope
	run     flow.Run
	id      string
	order   Order
	removed map[string]int // by store
}

// errRemains is why an erasure fails that found something each time it looked.
var errRemains = fault.New(fault.Conflict, "erasure_incomplete", "something was left in a store, however often it was swept", nil)

func (x *erasing) erase(ctx context.Context) error {
	for n := range rounds {
		if n > 0 {
			if err := x.run.Sleep(ctx, fmt.Sprintf("round %d", n), time.Duration(n)*x.Settle); err != nil {
				return err
			}
		}
		if _, err := x.bar(ctx, fmt.Sprintf("bar %d", n)); err != nil {
			return err
		}
		clean, err := x.round(ctx, n)
		if err != nil {
			return err
		}
		if clean {
			return x.drop(ctx)
		}
	}
	return errRemains
}

// round goes through everything once, and reports whether nothing was left after that.
func (x *erasing) round(ctx context.Context, n int) (clean bool, err error) {
	if err := x.documents(ctx, n); err != nil {
		return false, err
	}
	if n == 0 {
		if err := x.quiet(ctx); err != nil {
			return false, err
		}
	}
	if _, err := x.note(ctx, fmt.Sprintf("note sessions %d", n), Note{Stage: "sessions", Stores: x.counts(nil)}); err != nil {
		return false, err
	}
	if err := x.sessions(ctx, n); err != nil {
		return false, err
	}
	for _, st := range x.Stores {
		if _, err := x.note(ctx, fmt.Sprintf("note %s %d", st.Name(), n), Note{Stage: st.Name(), Stores: x.counts(nil)}); err != nil {
			return false, err
		}
		if err := x.sweep(ctx, st, n); err != nil {
			return false, err
		}
	}
	if err := x.run.Sleep(ctx, fmt.Sprintf("settle %d", n), x.Settle); err != nil {
		return false, err
	}
	left, err := flow.Insist(ctx, x.run, fmt.Sprintf("check %d", n), x.left)
	if err != nil {
		return false, err
	}
	clean = true
	for _, some := range left {
		clean = clean && some == 0
	}
	_, err = x.note(ctx, fmt.Sprintf("checked %d", n), Note{Stage: "check", Stores: x.counts(left), Checked: true})
	return clean, err
}

// The names of what no Store keeps.
const (
	documents = "documents"
	sessions  = "sessions"
)

// counts is what was removed so far, store by store.
func (x *erasing) counts(left map[string]int) []job.Store {
	all := []job.Store{{Name: documents}, {Name: sessions}}
	for _, st := range x.Stores {
		all = append(all, job.Store{Name: st.Name()})
	}
	for i := range all {
		all[i].Removed, all[i].Remaining = x.removed[all[i].Name], left[all[i].Name]
	}
	return all
}

// left asks everything what it has.
func (x *erasing) left(ctx context.Context) (map[string]int, error) {
	left := map[string]int{}
	for cursor, more := "", true; more; {
		page, err := x.Catalogue.List(ctx, x.scope, corpus.Listing{Cursor: cursor, Limit: corpus.MaxListed})
		if err != nil {
			return nil, err
		}
		left[documents] += len(page.Documents)
		cursor, more = page.Next, page.Next != "" && left[documents] == 0
	}
	list, err := x.Shelf.List(ctx, x.scope, "", "", shelfPage)
	if err != nil {
		return nil, err
	}
	left[sessions] = len(list.Sessions)
	for _, st := range x.Stores {
		if left[st.Name()], err = st.Left(ctx, x.scope); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// drop has the ledger forget.
func (x *erasing) drop(ctx context.Context) error {
	for n, more := 0, true; more; n++ {
		var err error
		more, err = flow.Insist(ctx, x.run, fmt.Sprintf("drop %d", n), func(ctx context.Context) (more bool, err error) {
			for range 10 {
				if more, err = x.Ledger.DropErased(ctx, x.scope, x.id, 200); err != nil || !more {
					return more, err
				}
			}
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// note tells the ledger how far the erasure has come, and whether its job is over.
func (x *erasing) note(ctx context.Context, name string, n Note) (over bool, err error) {
	n.JobID = x.id
	return flow.Insist(ctx, x.run, name, func(ctx context.Context) (bool, error) {
		j, err := x.Ledger.NoteErasure(ctx, x.scope, n)
		return j.State.Final(), err
	})
}
