package reembed

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
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// Order is what the flow is started with. Its id is the job's.
type Order struct {
	Model string       `json:"model"`
	Stay  bool         `json:"stay,omitempty"`
	Drop  bool         `json:"drop,omitempty"`
	Cause events.Cause `json:"cause"`
}

// Ports are what a Mover works on.
type Ports struct {
	Ledger    Ledger
	Documents corpus.Ledger // is told that what was replaced is gone
	Stores    corpus.Stores
	Embedder  llm.Embedder // pays
}

// Mover is the flow that fills a tenant's space of an embedding model and has searches use it, or empties it. It is safe for concurrent use.
type Mover struct {
	Ports
	now  func() time.Time
	room *semaphore.Weighted // of those who have chunks, texts and vectors in memory
}

// atOnce is how many steps of all tenants' moves are embedded at a time in an instance: 1,000 chunks with their vectors are some 20 MB, on their way into
// a call twice as much.
const atOnce = 2

// New makes a mover. Of its clock it needs only that the index's is the same: whether what was written is seen is told by time.
func New(p Ports, now func() time.Time) *Mover { return &Mover{p, now, semaphore.NewWeighted(atOnce)} }

var _ flow.Flow = (*Mover)(nil).Flow

// moving is one run.
type moving struct {
	*Mover
	scope tenants.Scope
	run   flow.Run
	id    string
	order Order
	model llm.EmbeddingModel
	total int   // documents, as far as is known
	wrote wrote // last
	hasty bool  // documents wait for it
	steps int   // made
	limit int   // of them, for now
	looks int   // how often it was looked whether something is late
	ends  int   // how often its end was tried
}

const (
	// maxSteps is how many steps a run makes before it ends by itself: 10,000 are what the platform lets it, with what is tried again
	// (https://developers.cloudflare.com/workflows/reference/limits/).
	maxSteps = 9500
	// settleSteps are those of them that are left to what follows on the switch, where a run that ends fails documents: five a look.
	settleSteps = 5 * settleRounds
)

// errLong is why a run ends that has made so many.
var errLong = fault.New(fault.Conflict, "move_too_long", "so many documents are not brought by one job", nil)

// try does a step, and while nobody waits for it for longer than the run would by itself.
func try[T any](ctx context.Context, x *moving, name string, f func(ctx context.Context) (T, error)) (T, error) {
	if x.steps++; x.steps > x.limit {
		var none T
		return none, errLong
	}
	if x.hasty {
		return flow.Do(ctx, x.run, name, f)
	}
	return flow.Insist(ctx, x.run, name, f)
}

// errOver ends a run whose job has ended.
var errOver = errors.New("the job is over")

// Flow makes the model's space whole, or empty. Each step may run again at any time; and however a run ends, its job does, and the tenant's
// searches use one space, whole.
func (m *Mover) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	x := &moving{Mover: m, scope: s, run: r, id: r.ID(), limit: maxSteps}
	if err := json.Unmarshal(params, &x.order); err != nil {
		return fault.New(fault.Invalid, "reembed_order", "the order cannot be read", err)
	}
	why := x.work(ctx)
	err := x.end(ctx, why)
	for x.looks > 0 && why == nil && fault.As(err).Code == codeIncomplete { // something has become late after the last look
		why = x.settle(ctx)
		err = x.end(ctx, why)
	}
	return err
}

// What the ledger says to a run whose job is not under way any more, and to one that has not come to its end.
const (
	codeOver       = "embedding_over"
	codeIncomplete = "space_incomplete"
)

// end ends the job, unless it has ended.
func (x *moving) end(ctx context.Context, why error) error {
	if errors.Is(why, errOver) || fault.As(why).Code == codeOver {
		return nil
	}
	var failed *job.Problem
	if why != nil {
		f := fault.As(why)
		failed = &job.Problem{Stage: "reembed", Code: f.Code, Message: cmp.Or(f.Message, f.Code)}
	}
	name := "end"
	if x.ends > 0 {
		name = fmt.Sprintf("end %d", x.ends)
	}
	x.ends++
	_, err := flow.Insist(ctx, x.run, name, func(ctx context.Context) (job.State, error) {
		j, err := x.Ledger.EndMove(ctx, x.scope, x.id, failed)
		return j.State, err
	})
	return err
}

func (x *moving) work(ctx context.Context) (err error) {
	if x.model, err = llm.FindEmbedding(x.order.Model); err != nil {
		return err
	}
	if x.order.Drop {
		return x.drop(ctx)
	}
	return x.move(ctx)
}

// move fills the space, and has searches use it.
func (x *moving) move(ctx context.Context) error {
	if !x.order.Stay {
		x.limit = maxSteps - settleSteps
	}
	if err := x.count(ctx); err != nil {
		return err
	}
	if err := x.fill(ctx, "fill"); err != nil {
		return err
	}
	if x.order.Stay {
		return x.show(ctx, "filled", 0)
	}
	if err := x.tell(ctx, "turn", x.Ledger.Turn); err != nil {
		return err
	}
	x.hasty = true // what becomes searchable waits for the target, and had better not if that takes hours
	if err := x.show(ctx, "turn", togetherRounds); err != nil {
		return err
	}
	if err := x.tell(ctx, "switch", x.Ledger.Switch); err != nil {
		return err
	}
	x.hasty, x.limit = false, maxSteps
	return x.settle(ctx)
}

// tell has the ledger begin a phase.
func (x *moving) tell(ctx context.Context, name string, f func(context.Context, tenants.Scope, string) error) error {
	_, err := try(ctx, x, name, func(ctx context.Context) (struct{}, error) { return struct{}{}, f(ctx, x.scope, x.id) })
	return err
}

// count finds out how much there is to do, which is only told.
func (x *moving) count(ctx context.Context) error {
	n, err := try(ctx, x, "count", func(ctx context.Context) (int, error) {
		var all Missing
		err := count(ctx, x.Ledger, x.scope, x.model.Name, totalPages, &all)
		return all.Documents, err
	})
	x.total = n
	return err
}

const (
	// togetherRounds is how often what comes is brought to the target while the index has not shown what was written before. After that
	// what comes waits, or a tenant that is never still would never switch.
	togetherRounds = 20
	// shownRounds is how often the index is asked. With growing pauses that is more than half an hour.
	shownRounds = 80
	// settleRounds is how often it is looked whether something is still on its way: a day.
	settleRounds = 400
	// hurriedRounds is how often it is looked soon again: about an hour. What is late then waits for a server, or was lost.
	hurriedRounds = 120
	// longestPause is how long a document may wait for the next look, and slowPause after the hurried ones.
	longestPause = 30 * time.Second
	slowPause    = 5 * time.Minute
)

// pause is the n-th one: 1 s at first.
func pause(n int) time.Duration { return min(time.Second<<min(n, 10), longestPause) }

// unsettled is the pause after the n-th look whether something is late.
func unsettled(n int) time.Duration {
	if n < hurriedRounds {
		return pause(n)
	}
	return slowPause
}

// errBehind is why a move fails whose vectors the index does not show.
var errBehind = fault.New(fault.Unavailable, "index_behind", "the index has not shown for long what was written to it", nil)

// show waits until the index shows all that was written to it, and brings to the target what comes meanwhile, so many times.
func (x *moving) show(ctx context.Context, name string, together int) error {
	for n := range shownRounds {
		if n < together {
			if err := x.fill(ctx, fmt.Sprintf("%s %d", name, n)); err != nil {
				return err
			}
		}
		shown, err := try(ctx, x, fmt.Sprintf("%s shown %d", name, n), func(ctx context.Context) (bool, error) { return x.shown(ctx, n) })
		if err != nil || shown {
			return err
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("%s unseen %d", name, n), pause(n)); err != nil {
			return err
		}
	}
	return errBehind
}

// errUnsettled is why a move fails after its switch: something stays on its way for ever.
var errUnsettled = fault.New(fault.Unavailable, "stuck", "documents were still on their way to the other model's space a day after the switch", nil)

// settle brings to the target what was on its way elsewhere when searches began to use it. Begun again it goes on counting.
func (x *moving) settle(ctx context.Context) error {
	for x.looks < settleRounds {
		n := x.looks
		x.looks++
		late, err := try(ctx, x, fmt.Sprintf("late %d", n), func(ctx context.Context) (int, error) { return x.Ledger.Late(ctx, x.scope, x.id) })
		if err != nil {
			return err
		}
		if err := x.fill(ctx, fmt.Sprintf("settle %d", n)); err != nil || late == 0 {
			return err // what was late before the last look has been brought
		}
		if err := x.run.Sleep(ctx, fmt.Sprintf("unsettled %d", n), unsettled(n)); err != nil {
			return err
		}
	}
	return errUnsettled
}

// wrote is what was written last, which is seen when all that was before it is.
type wrote struct {
	corpus.Generation
	Chunks int       `json:"chunks,omitempty"`
	At     time.Time `json:"at,omitzero"`
}

// looked is how many of the vectors that were written last the index is asked for: as many as it is asked for at once.
const looked = 20

// breath is how many looks a run waits that has written nothing: another, which was cancelled, may have just done so.
const breath = 3

// shown reports whether the index shows what was written. One that tells the time of the last write that it shows may never come to the time
// after ours, so it is asked for those vectors, too; they may be gone by now, but who removed them has written later.
func (x *moving) shown(ctx context.Context, n int) (bool, error) {
	if x.wrote.Chunks == 0 {
		return n >= breath, nil
	}
	at, err := x.Stores.Vectors.Processed(ctx, x.model.Name)
	if err != nil || !at.Before(x.wrote.At) {
		return err == nil, err
	}
	last := min(x.wrote.Chunks, looked)
	ids := corpus.VectorIDs(x.scope, x.wrote.Generation, x.wrote.Chunks)[x.wrote.Chunks-last:]
	found, err := x.Stores.Vectors.Stored(ctx, x.scope, x.model.Name, ids)
	return found == last, err
}
