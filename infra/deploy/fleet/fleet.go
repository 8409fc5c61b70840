package fleet

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
)

// Options changes how pools are worked on. The zero value is good.
type Options struct {
	API account.Options // its Pace is the fleet's: see isReal

	Concurrency int   // how many pools at a time, 4
	Waves       []int // how many pools each wave has, the last number again and again; nil is all in one
	Continue    bool  // a wave begins whatever became of the one before
	FailFast    bool  // after the first failure no pool is begun; what runs goes on to its end

	Locks string // the folder of the locks, which keep apart those who share it; the user's cache when empty, so that of another user nothing is known

	// Tell is told each step. It is never called twice at the same time. May be nil.
	Tell func(Step)
	Now  func() time.Time
}

// Step is one thing that happened to a pool.
type Step struct {
	Unit    deploy.Unit
	Line    string // what begins, in words; empty when an action was carried out
	Actions int    // carried out so far
}

// Fleet works on pools. It is closed at the end.
type Fleet struct {
	options Options
	paces   *paces

	mu    sync.Mutex
	doors map[[2]string]*door // by account and token
	locks []io.Closer
	tell  sync.Mutex
}

// New makes a fleet. It does nothing yet.
func New(o Options) *Fleet {
	if o.Concurrency < 1 {
		o.Concurrency = 4
	}
	o.Locks = cmp.Or(o.Locks, lockFolder())
	if o.Tell == nil {
		o.Tell = func(Step) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Fleet{options: o, paces: newPaces(), doors: map[[2]string]*door{}}
}

// Close lets others work on the pools again.
func (f *Fleet) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, l := range f.locks {
		errs = append(errs, l.Close())
	}
	f.locks = nil
	return errors.Join(errs...)
}

// Open is a job's account, after a look whether its token is good and leads there.
func (f *Fleet) Open(ctx context.Context, j Job) (*account.Account, error) {
	f.mu.Lock()
	key := [2]string{j.Account, j.Ref.String()}
	d := f.doors[key]
	if d == nil {
		o := f.options.API
		if isReal(o.URL) {
			o.Pace = f.paces.of(j.Ref.String())
		}
		d = &door{Account: account.Open(j.Account, j.Token, o)}
		f.doors[key] = d
	}
	f.mu.Unlock()
	return d.Account, d.look(ctx, j.Ref)
}

// Each does something for every job, as many at a time as it may, and returns the errors in the jobs' order.
func (f *Fleet) Each(ctx context.Context, jobs []Job, do func(ctx context.Context, i int, a *account.Account) error) []error {
	errs := make([]error, len(jobs))
	var group errgroup.Group
	group.SetLimit(f.options.Concurrency)
	for i, j := range jobs {
		group.Go(func() error {
			a, err := f.Open(ctx, j)
			if err == nil {
				err = do(ctx, i, a)
			}
			errs[i] = err
			return nil
		})
	}
	_ = group.Wait()
	return errs
}

// Plan makes the plans of all jobs. It sends GETs alone. Who will apply them holds their pools from now on, so that nobody else with the
// same locks deploys them meanwhile.
func (f *Fleet) Plan(ctx context.Context, jobs []Job, hold bool) []*Outcome {
	all := make([]*Outcome, len(jobs))
	for i, j := range jobs {
		all[i] = &Outcome{Job: j}
	}
	errs := f.Each(ctx, jobs, func(ctx context.Context, i int, a *account.Account) error {
		if hold {
			if err := f.hold(jobs[i]); err != nil {
				return err
			}
		}
		start := f.options.Now()
		p, err := jobs[i].Plan(ctx, a)
		all[i].take(p, err, f.options.Now())
		all[i].Took = f.options.Now().Sub(start)
		return nil
	})
	for i, err := range errs {
		if err != nil {
			all[i].take(nil, err, f.options.Now())
		}
	}
	return all
}

// hold keeps others off a job's pool until the fleet is closed.
func (f *Fleet) hold(j Job) error {
	l, err := lock(f.options.Locks, j.Account, j.Unit, f.options.Now())
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.locks = append(f.locks, l)
	return nil
}

// say tells a step.
func (f *Fleet) say(s Step) {
	f.tell.Lock()
	defer f.tell.Unlock()
	f.options.Tell(s)
}
