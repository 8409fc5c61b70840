package imports

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"golang.org/x/sync/semaphore"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// Order is what the flow of an import is started with. Its id is the import's.
type Order struct {
	Origin  Origin       `json:"origin"`
	Source  string       `json:"source,omitempty"`
	Entries int          `json:"entries,omitempty"` // of a batch
	Cause   events.Cause `json:"cause"`
}

// Jobs looks at jobs; corpus.Ledger does.
type Jobs interface {
	Job(ctx context.Context, s tenants.Scope, id string) (job.Job, error)
}

// Ports are what a Feeder works on.
type Ports struct {
	Ledger    Ledger
	Jobs      Jobs
	Parts     Parts
	Texts     corpus.Texts
	Preparer  Preparer
	Fetcher   corpus.Fetcher
	Files     Files
	Directory tenants.Directory
}

// Feeder is the flow that feeds imports. It is safe for concurrent use.
type Feeder struct {
	Ports
	room      *semaphore.Weighted // for files of all runs, in bytes
	partsRoom *semaphore.Weighted // for their parts and what these are taken apart to. Who has some of it may wait for that of files, never the other way round
}

const (
	// maxFiles is how many bytes of files are in memory at a time: a document of the largest size, and some.
	maxFiles = 16 << 20
	// maxParts is how many bytes of parts are, with their entries: five parts, or one with an entry of the largest size.
	maxParts = 10 * MaxPartBytes
)

// New makes a feeder.
func New(p Ports) *Feeder {
	return &Feeder{Ports: p, room: semaphore.NewWeighted(maxFiles), partsRoom: semaphore.NewWeighted(maxParts)}
}

var _ flow.Flow = (*Feeder)(nil).Flow

// Flow lists what the import brings, submits it part by part, waits until all of it is final and drops the parts. What the ledger has
// taken it never takes twice, so each step may run again at any time; and however a run ends, its import does.
func (f *Feeder) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	fd := &feed{Feeder: f, scope: s, run: r, id: r.ID()}
	if err := json.Unmarshal(params, &fd.order); err != nil {
		return fault.New(fault.Invalid, "import_order", "the import cannot be read", err)
	}
	over, err := fd.over(ctx, "begin")
	if err == nil && !over {
		err = fd.feed(ctx)
	}
	if err != nil && !gone(err) {
		err = fd.fail(ctx, err)
	}
	if err != nil && !gone(err) {
		return err
	}
	_, dropped := flow.Insist(ctx, r, "drop", func(ctx context.Context) (bool, error) { return true, f.Parts.Drop(ctx, s, fd.id) })
	return cmp.Or(err, dropped)
}

// gone reports whether the ledger knows nothing of the import any more: its tenant was erased meanwhile.
func gone(err error) bool { return fault.As(err).Code == "job_not_found" }

// feed is one run.
type feed struct {
	*Feeder
	scope tenants.Scope
	run   flow.Run
	id    string
	order Order
	rules *address.Rules // of the tenant, while something is listed
	again int            // how often sitemaps were asked for again
}

// over reports whether the import has ended already: it was cancelled, or this run is told of it late.
func (f *feed) over(ctx context.Context, name string) (bool, error) {
	return flow.Insist(ctx, f.run, name, func(ctx context.Context) (bool, error) {
		j, err := f.Jobs.Job(ctx, f.scope, f.id)
		return j.State.Final(), err
	})
}

func (f *feed) feed(ctx context.Context) error {
	list, err := f.list(ctx)
	if err != nil || list.Over {
		return err
	}
	// From here on the job knows how much there is to do.
	if err := f.seal(ctx, "seal", list.Entries, list.Problem); err != nil {
		return err
	}
	cancelled, err := f.submit(ctx, list.Parts)
	if cancelled || err != nil {
		return err
	}
	return f.settle(ctx)
}

func (f *feed) seal(ctx context.Context, name string, entries int, problem *job.Problem) error {
	_, err := flow.Insist(ctx, f.run, name, func(ctx context.Context) (job.State, error) {
		j, err := f.Ledger.SealImport(ctx, f.scope, f.id, entries, problem)
		return j.State, err
	})
	return err
}

const (
	look  = 24 * time.Hour // how long a signal is waited for before the ledger is asked
	looks = 400            // a year and more
)

// settle waits until every document is final. The signal only says when to look.
func (f *feed) settle(ctx context.Context) error {
	for n := range looks {
		over, err := f.over(ctx, fmt.Sprintf("look %d", n))
		if over || err != nil {
			return err
		}
		if _, err := f.run.Wait(ctx, fmt.Sprintf("settled %d", n), Settled, look); err != nil && err != flow.ErrTimeout {
			return err
		}
	}
	return fault.New(fault.Internal, "import_stuck", "the import does not end", nil)
}

// fail ends an import that cannot go on: what was taken of it is all there is.
func (f *feed) fail(ctx context.Context, why error) error {
	_, err := flow.Insist(ctx, f.run, "fail", func(ctx context.Context) (bool, error) {
		taken, err := f.Ledger.Take(ctx, f.scope, f.id, 0, nil)
		if err != nil {
			return false, err
		}
		_, err = f.Ledger.SealImport(ctx, f.scope, f.id, taken.Entries, problem(why))
		return true, err
	})
	if err != nil {
		return fmt.Errorf("%w (after %w)", err, why)
	}
	return nil
}

// problem is why an import has no more entries.
func problem(err error) *job.Problem {
	f := fault.As(err)
	return &job.Problem{Stage: "import", Field: f.Field, Code: f.Code, Message: f.Message}
}
