package fleet

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
)

// Apply carries out what is pending, wave after wave. In a wave the pools go on whatever becomes of the others, unless failing fast; a
// wave begins only when nothing went wrong in the one before, unless told to continue. What is not begun is skipped, and says why. When
// ctx ends, each deployment takes back what it was rolling out.
func (f *Fleet) Apply(ctx context.Context, all []*Outcome) {
	var failed atomic.Bool // something has gone wrong: for failing fast
	for _, o := range all {
		if o.State.Bad() {
			failed.Store(true)
		}
	}
	stop := ""
	for n, wave := range f.waves(all) {
		var group errgroup.Group
		group.SetLimit(f.options.Concurrency)
		for _, o := range wave {
			o.Wave = n + 1
			group.Go(func() error {
				switch {
				case o.State != Pending:
				case ctx.Err() != nil:
					o.skip("interrupted")
				case stop != "":
					o.skip(stop)
				case f.options.FailFast && failed.Load():
					o.skip("another pool failed")
				default:
					f.apply(ctx, o)
				}
				if o.State.Bad() {
					failed.Store(true)
				}
				return nil
			})
		}
		_ = group.Wait()
		for _, o := range wave {
			if o.State.Bad() && !f.options.Continue {
				stop = "a pool of a wave before failed"
			}
		}
	}
}

// waves are the outcomes that a deployment is about, in the order of the jobs. Those that stay as they are count in none.
func (f *Fleet) waves(all []*Outcome) (waves [][]*Outcome) {
	var open []*Outcome
	for _, o := range all {
		if o.State != Unchanged {
			open = append(open, o)
		}
	}
	for n := 0; len(open) > 0; n++ {
		size := len(open)
		if sizes := f.options.Waves; len(sizes) > 0 {
			size = max(1, min(size, sizes[min(n, len(sizes)-1)]))
		}
		waves = append(waves, open[:size])
		open = open[size:]
	}
	return waves
}

// fresh is how old a plan may be that is applied as it is.
const fresh = 2 * time.Minute

func (f *Fleet) apply(ctx context.Context, o *Outcome) {
	start := f.options.Now()
	defer func() { o.Took += f.options.Now().Sub(start) }()
	if start.Sub(o.planned) > fresh {
		f.say(Step{Unit: o.Unit, Line: "planned again: the plan is old"})
		if f.renew(ctx, o); o.State != Pending {
			return
		}
	}
	options := o.Job.Apply
	options.Progress = func(line string) {
		o.Log = append(o.Log, line)
		f.say(Step{Unit: o.Unit, Line: line, Actions: len(o.carried)})
	}
	options.Done = func(a deploy.Action) {
		o.carried = append(o.carried, a)
		f.say(Step{Unit: o.Unit, Actions: len(o.carried)})
	}
	o.settle(deploy.Apply(ctx, o.Plan, options))
}

// renew plans once more. What nobody was shown is not done.
func (f *Fleet) renew(ctx context.Context, o *Outcome) {
	a, err := f.Open(ctx, o.Job)
	if err != nil {
		o.take(nil, err, f.options.Now())
		return
	}
	shown := o.Plan.Actions
	p, err := o.Job.Plan(ctx, a)
	if o.take(p, err, f.options.Now()); o.State != Pending {
		return
	}
	for _, act := range p.Actions {
		if act.Op != deploy.Same && !slices.ContainsFunc(shown, act.Within) {
			o.settle(fault.New(fault.Conflict, "plan_stale", "since it was planned something has changed: "+act.String(), nil).WithHint("plan and deploy again"))
			return
		}
	}
}
