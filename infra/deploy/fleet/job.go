package fleet

import (
	"context"
	"errors"
	"slices"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
)

// Job is what is to be done with one pool.
type Job struct {
	Unit    deploy.Unit
	Account string
	Ref     credential.Ref   // of the token, for messages
	Token   credential.Token // of the account

	// Plan makes the plan. It may be called again, when the plan has become old before its turn came.
	Plan func(ctx context.Context, a *account.Account) (*deploy.Plan, error)

	Apply deploy.ApplyOptions // Progress and Done are the fleet's
}

// State is what became of a job.
type State string

// The states.
const (
	Pending    State = "pending"     // planned, and there is something to do
	Unchanged  State = "unchanged"   // planned, and there is nothing to do
	Done       State = "done"        // what was planned has been done, and is well
	Refused    State = "refused"     // the plan must not be carried out, and was not
	Failed     State = "failed"      // stopped on the way: the same again goes on from there
	RolledBack State = "rolled_back" // what was rolled out was not well, and the release before is live
	Stuck      State = "stuck"       // and could not be taken back: somebody has to look
	Skipped    State = "skipped"     // never begun
)

// Ended reports whether nothing more becomes of a job.
func (s State) Ended() bool { return s != Pending }

// Bad reports whether it is a failure of the job itself.
func (s State) Bad() bool { return s == Refused || s == Failed || s == RolledBack || s == Stuck }

// Outcome is a job and how far it has come.
type Outcome struct {
	Job
	State State
	Plan  *deploy.Plan // nil when it could not be made
	Err   error        // of a bad state, and why a job was skipped
	Wave  int          // from 1; 0 when nothing was to be applied
	Took  time.Duration
	Log   []string // the steps of the deployment

	planned time.Time
	carried []deploy.Action // out
}

// Workers is how many Workers of the pool are as planned, of how many.
func (o *Outcome) Workers() (done, all int) {
	if o.Plan == nil {
		return 0, 0
	}
	for _, a := range o.Plan.Actions {
		if a.Kind != "worker" {
			continue
		}
		all++
		if a.Op == deploy.Same || o.State == Done || o.State == Failed && o.did(a) {
			done++
		}
	}
	return done, all
}

// Live is the release that is live in the end: the new one from its note on, whatever becomes of what is done after it.
func (o *Outcome) Live() string {
	switch {
	case o.Plan == nil:
		return ""
	case slices.ContainsFunc(o.carried, func(a deploy.Action) bool { return a.Kind == "release" }):
		return o.Plan.Release
	}
	return o.Plan.Live
}

// did reports whether an action was carried out.
func (o *Outcome) did(a deploy.Action) bool {
	return slices.ContainsFunc(o.carried, func(c deploy.Action) bool { return c.Kind == a.Kind && c.Name == a.Name })
}

// take takes in a plan.
func (o *Outcome) take(p *deploy.Plan, err error, now time.Time) {
	o.Plan, o.planned = p, now
	if err == nil {
		p.Warn(o.Apply.Canary)
	}
	switch {
	case err != nil:
		o.State, o.Err, o.Plan = Failed, err, nil
	case len(p.Refused()) > 0:
		o.State, o.Err = Refused, &deploy.RefusedError{Actions: p.Refused()}
	case p.Changes() == 0:
		o.State = Unchanged
	default:
		o.State = Pending
	}
}

// settle takes in how a deployment ended.
func (o *Outcome) settle(err error) {
	var (
		refused *deploy.RefusedError
		back    *deploy.RolledBackError
		stuck   *deploy.StuckError
	)
	o.Err = err
	switch {
	case err == nil:
		o.State = Done
	case errors.As(err, &stuck):
		o.State = Stuck
	case errors.As(err, &back):
		o.State = RolledBack
	case errors.As(err, &refused):
		o.State = Refused
	default:
		o.State = Failed
	}
}

func (o *Outcome) skip(why string) {
	o.State, o.Err = Skipped, fault.New(fault.Unavailable, "not_begun", "not begun: "+why, nil)
}
