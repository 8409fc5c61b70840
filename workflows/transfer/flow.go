package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/job"
)

// Order is what the flow is started with. Its id is the job's.
type Order struct {
	From  string       `json:"from"`
	Key   string       `json:"key"` // sealed
	Last  bool         `json:"last,omitempty"`
	Usage bool         `json:"usage,omitempty"`
	Cause events.Cause `json:"cause"`
}

// Ports are what a Mover works on.
type Ports struct {
	Ledger    Ledger
	Stock     Stock // of this pool
	Jobs      imports.Jobs
	Imports   imports.Ledger
	Parts     imports.Parts
	Catalogue corpus.Catalogue
	Account   Account
	Shelf     chat.Shelf
	Parcels   chat.Parcels
	Directory tenants.Directory
	Do        Do
	// Open opens what was sealed; seal.Key does.
	Open func(sealed string, context ...string) (string, error)
	// Settle is how long a last run leaves who was let in at the source before it took no turns any more. 0 is a minute: permits live for some
	// seconds, and a turn begins right after it has one.
	Settle time.Duration
}

// Mover is the flow that brings a tenant here. It is safe for concurrent use.
type Mover struct {
	Ports
	private bool
	room    *semaphore.Weighted // of those who have pages and texts in memory
}

// New makes a mover. Private lets the tenants' configurations open private networks; without it they stay closed.
func New(p Ports, private bool) *Mover {
	if p.Settle <= 0 {
		p.Settle = time.Minute
	}
	return &Mover{p, private, semaphore.NewWeighted(1)}
}

var _ flow.Flow = (*Mover)(nil).Flow

// bringing is one run.
type bringing struct {
	*Mover
	scope  tenants.Scope
	run    flow.Run
	id     string
	order  Order
	note   Note // what the job says
	opened bool // the import
}

// errOver ends a run whose job has ended.
var errOver = errors.New("the job is over")

// Flow compares what the source has with what is here, brings what differs, and of the last run looks whether anything differs still. Each step may run
// again at any time; and however a run ends, its job does.
func (m *Mover) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	x := &bringing{Mover: m, scope: s, run: r, id: r.ID()}
	if err := json.Unmarshal(params, &x.order); err != nil {
		return fault.New(fault.Invalid, "transfer_order", "the order cannot be read", err)
	}
	x.note = Note{JobID: x.id, Stage: Comparing}
	err := x.work(ctx)
	if gone(err) {
		return x.clear(ctx)
	}
	return errors.Join(x.end(ctx, err), x.clear(ctx))
}

// gone reports whether the ledger knows nothing of the job any more: everything of the tenant was erased meanwhile.
func gone(err error) bool { return fault.As(err).Code == "job_not_found" }

func (x *bringing) work(ctx context.Context) error {
	switch {
	case x.order.Last:
		x.note.Stage = Settling
	case x.order.Usage:
		x.note.Stage = Counting
	}
	if err := x.tell(ctx, "begin"); err != nil {
		return err
	}
	if x.order.Usage {
		return x.carry(ctx)
	}
	if x.order.Last {
		if err := x.settle(ctx); err != nil {
			return err
		}
	}
	got, err := x.compare(ctx)
	if err != nil {
		return err
	}
	if got.Entries > 0 {
		if err := x.bring(ctx, got); err != nil {
			return err
		}
	}
	if x.order.Last {
		if err := x.verify(ctx, got); err != nil {
			return err
		}
	}
	if err := x.talks(ctx); err != nil {
		return err
	}
	x.note.Report.Verified = x.order.Last
	return x.carry(ctx)
}

// tell has the job say how far the run has come.
func (x *bringing) tell(ctx context.Context, name string) error {
	state, err := flow.Insist(ctx, x.run, name, func(ctx context.Context) (job.State, error) {
		j, err := x.Ledger.NoteTransfer(ctx, x.scope, x.note)
		return j.State, err
	})
	return x.goesOn(state, err)
}

// goesOn ends a run whose job has ended.
func (x *bringing) goesOn(state job.State, err error) error {
	if err == nil && state.Final() {
		return errOver
	}
	return err
}

// end ends the job, unless it has ended.
func (x *bringing) end(ctx context.Context, why error) error {
	if errors.Is(why, errOver) {
		return x.cancel(ctx)
	}
	var failed *job.Problem
	if why != nil {
		f := fault.As(why)
		failed = &job.Problem{Stage: x.note.Stage, Code: f.Code, Message: cmp.Or(f.Message, f.Code)}
		if err := x.cancel(ctx); err != nil {
			return err
		}
	}
	_, err := flow.Insist(ctx, x.run, "end", func(ctx context.Context) (job.State, error) {
		j, err := x.Ledger.EndTransfer(ctx, x.scope, x.note, failed)
		return j.State, err
	})
	if gone(err) {
		return nil
	}
	return err
}

// cancel ends the import of a run that has ended before it.
func (x *bringing) cancel(ctx context.Context) error {
	if !x.opened {
		return nil
	}
	_, err := flow.Insist(ctx, x.run, "cancel", func(ctx context.Context) (job.State, error) {
		j, err := x.Catalogue.Cancel(ctx, x.scope, x.importID())
		return j.State, err
	})
	if gone(err) {
		return nil
	}
	return err
}

// clear drops the parts of an import that was never opened; one that was drops them itself.
func (x *bringing) clear(ctx context.Context) error {
	if x.opened {
		return nil
	}
	_, err := flow.Insist(ctx, x.run, "clear", func(ctx context.Context) (bool, error) { return true, x.Parts.Drop(ctx, x.scope, x.importID()) })
	return err
}

// far is the source, as the order names it. The key is opened when it is needed, and in nothing that is kept.
func (x *bringing) far(ctx context.Context) (*Far, error) {
	c, err := x.Directory.Config(ctx, x.scope.Tenant())
	if err != nil {
		return nil, err
	}
	if _, err := Address(x.order.From, address.Rules{Private: x.private && c.Ingest.Fetch.Private}); err != nil {
		return nil, err
	}
	key, err := x.Open(x.order.Key, SealedFor(x.scope, x.order.From)...)
	if err != nil {
		return nil, err
	}
	return NewFar(x.Do, x.order.From, key, x.scope.Tenant()), nil
}

const (
	// hurried is how often it is looked soon again, about an hour, and looks how often at all: more than a week.
	hurried      = 120
	looks        = 2300
	longestPause = 30 * time.Second
	slowPause    = 5 * time.Minute
	// settleLooks is how often the source is asked whether it has settled: two hours.
	settleLooks = 240
)

func pause(n int) time.Duration {
	if n >= hurried {
		return slowPause
	}
	return min(time.Second<<min(n, 10), longestPause)
}

// settle waits until the source's documents stay as they are.
func (x *bringing) settle(ctx context.Context) error {
	for n := range settleLooks {
		st, err := flow.Insist(ctx, x.run, fmt.Sprintf("standing %d", n), func(ctx context.Context) (Standing, error) {
			far, err := x.far(ctx)
			if err != nil {
				return Standing{}, err
			}
			return far.Standing(ctx)
		})
		switch {
		case err != nil:
			return err
		case !st.Readonly:
			return fault.New(fault.Conflict, "source_not_readonly", `the source still takes changes; POST /tenant/transfer {"state": "readonly"} there, and ask again`, nil)
		case st.Settled():
			x.note.Stage = Comparing
			return nil
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("unsettled %d", n), min(pause(n), longestPause)); err != nil {
			return err
		}
	}
	return fault.New(fault.Conflict, "source_unsettled", "documents or imports were still on their way at the source after two hours; cancel them there, or ask again", nil)
}
