package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/tally"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// slack is how much longer than its tool may take a call with a key is taken for alive.
const slack = 15 * time.Second

// execution is an order on its way.
type execution struct {
	r      *Runner
	scope  tenants.Scope
	caller Caller
	order  Order

	id        string
	attempt   int // of a call with a key
	tool      Tool
	stay      *stay
	waited    time.Duration
	begun     bool
	large     error  // the input holds too much
	canonical []byte // the input in canonical form; nil when it has none, or holds too much to have one made
}

// Execute implements Box.
func (r *Runner) Execute(ctx context.Context, s tenants.Scope, c Caller, o Order) (Result, error) {
	if err := s.Check(); err != nil {
		return Result{}, err
	}
	if c.Config == nil || c.Config.ID != s.Tenant() {
		return Result{}, fault.New(fault.Denied, "tenant_mismatch", "the caller is of another tenant", nil)
	}
	ctx = quota.Under(ctx, quota.Tools)
	if len(o.Input) == 0 {
		o.Input = json.RawMessage(`{}`)
	}
	x := &execution{r: r, scope: s, caller: c, order: o, id: r.opts.NewID(), stay: &stay{room: r.room, size: r.opts.Room}}
	var unfit error
	if x.tool, unfit = r.find(c, o.Tool); unfit == nil {
		if unfit = x.takeRoom(ctx); unfit == nil {
			defer func() {
				if !x.begun { // else whoever makes the call leaves when it has ended
					x.stay.end()
				}
			}()
		}
	}
	if unfit == nil || len(o.Input) <= smallInput { // the digest of what is refused is on record, too
		if x.large = tally.Check(o.Input, argumentsAt, MaxValues); x.large == nil {
			x.canonical = canonical(o.Input)
		}
	}
	if unfit == nil {
		unfit = x.admit()
	}
	if unfit != nil {
		return x.refuse(ctx, unfit)
	}
	if err := x.screen(ctx); err != nil {
		return x.refuse(ctx, err)
	}
	if o.DryRun {
		return x.plan()
	}
	if o.Key == "" {
		return x.inBackground(ctx)
	}
	begun, err := r.ports.Calls.Begin(ctx, s, Opening{Key: x.key(), Hash: x.hash(), ID: x.id, Lease: x.tool.timeout() + slack})
	if err != nil {
		return x.refuse(ctx, err)
	}
	x.id, x.attempt = begun.ID, begun.Lease
	if begun.Kept != nil {
		return x.replay(ctx, *begun.Kept)
	}
	return x.inBackground(ctx)
}

// argumentsAt is the place of the arguments in a request.
const argumentsAt = "params"

// admit is all that is asked of the arguments before anything happens.
func (x *execution) admit() error {
	const at = argumentsAt
	if x.large != nil {
		f := fault.As(x.large)
		return fault.Invalidf(f.Field, CodeInvalid, "%s", f.Message).WithHint(f.Hint)
	}
	if x.canonical == nil {
		return formless(x.order.Input, at)
	}
	for _, schema := range []*Schema{x.tool.Input, x.tool.Output} { // before anything is done: a tenant's own are compiled here first
		if err := schema.Err(); err != nil {
			x.r.opts.Log.Error("a tool does not exist: nobody could call it", "tenantId", x.scope.Tenant(), "tool", x.tool.Name, "error", err)
			return noTool(x.tool.Name)
		}
	}
	x.canonical = x.tool.Input.present(x.canonical)
	if err := x.tool.Input.Check(x.canonical, at, CodeInvalid); err != nil {
		return err
	}
	return checkPolicies(x.caller.Config.Tools.Policies, x.tool, x.canonical, at)
}

// screen asks of the arguments what the tenant's policy wants asked, and tells the caller what was found.
func (x *execution) screen(ctx context.Context) error {
	if x.r.opts.Screen == nil {
		return nil
	}
	v, err := x.r.opts.Screen(ctx, x.scope, x.caller.Config.Safety, x.caller.RequestID, string(x.canonical))
	if v.Found() && x.caller.Flagged != nil {
		x.caller.Flagged(x.tool.Name, v, err != nil)
	}
	return err
}

// plan is what a dry run says.
func (x *execution) plan() (Result, error) {
	data, err := json.Marshal(struct {
		Tool      string  `json:"tool"`
		Effects   Effects `json:"effects"`
		Cost      Cost    `json:"cost"`
		TimeoutMS int64   `json:"timeoutMs"`
	}{x.tool.Name, x.tool.Effects, x.tool.Cost, x.tool.timeout().Milliseconds()})
	if err != nil {
		return Result{}, fault.New(fault.Internal, "tool_output", x.tool.Name, err)
	}
	return Result{Data: data, DryRun: true}, nil // nothing is on record, so it has no id
}

// key is the call's key: those of turns and of requests are apart, and of a shared one those of calls that differ.
func (x *execution) key() string {
	key := string(x.caller.Via) + "/" + x.order.Key
	if !x.order.Shared {
		return key
	}
	sum := sha256.Sum256([]byte(key + "\x00" + x.hash()))
	return "shared/" + hex.EncodeToString(sum[:])
}

// hash is what another call with the key must have, too.
func (x *execution) hash() string {
	sum := sha256.Sum256([]byte(x.tool.Name + "\x00" + x.caller.User + "\x00" + x.arguments()))
	return hex.EncodeToString(sum[:])
}

// once is Call.Once. It follows from the call alone: what is kept of calls does not move with a tenant.
func (x *execution) once() string {
	if x.order.Key == "" {
		return x.id
	}
	sum := sha256.Sum256([]byte(string(x.scope.Tenant()) + "\x00" + x.key() + "\x00" + x.hash()))
	return hex.EncodeToString(sum[:16])
}

// arguments is the digest of the input, which is all of it that is kept.
func (x *execution) arguments() string { return digest(x.canonical) }

// refuse ends a call that was not made.
func (x *execution) refuse(ctx context.Context, why error) (Result, error) {
	res := Result{ID: x.id}
	if err := x.executed(ctx, events.OutcomeRefused, why, res); err != nil {
		return res, err
	}
	return res, why
}

// replay answers with what was kept. It is recorded again, in case its first record was not taken: the trail knows the event.
func (x *execution) replay(ctx context.Context, kept Result) (Result, error) {
	if err := x.executed(ctx, events.OutcomeSucceeded, nil, kept); err != nil {
		return Result{ID: x.id}, err
	}
	kept.Replayed = true
	return kept, nil
}

// ended is what came of a call.
type ended struct {
	result Result
	err    error
}

// inBackground makes the call beside the caller, who may leave. A call without a key is cancelled then, and waited for, as that does not
// take long.
func (x *execution) inBackground(ctx context.Context) (Result, error) {
	done := make(chan ended, 1)
	err := x.r.opts.Background(ctx, func(bg context.Context) {
		defer x.stay.end()
		e := ended{Result{ID: x.id}, fault.New(fault.Internal, "internal", "the call was cut off", nil)}
		defer func() { done <- e }()
		e.result, e.err = x.perform(bg, ctx)
	})
	if err != nil {
		x.settle(ctx, Result{}, errUndone)
		return x.refuse(ctx, fault.Unavailablef(err, "call_cut_off", "the call was not begun"))
	}
	x.begun = true
	select {
	case e := <-done:
		return e.result, e.err
	case <-ctx.Done():
	}
	if x.order.Key != "" {
		return Result{ID: x.id}, context.Cause(ctx)
	}
	e := <-done
	return e.result, e.err
}

// perform makes the call: its record before it when it writes, the tool, what is kept under the key, its record after it.
func (x *execution) perform(ctx, caller context.Context) (Result, error) {
	if x.tool.Effects == Writes {
		if err := x.started(ctx); err != nil {
			x.settle(ctx, Result{}, errUndone)
			return Result{ID: x.id}, err
		}
	}
	began := x.r.opts.Now()
	within, span := watch.Start(ctx, trace.Tool, x.tool.Name)
	span.Note(func(f *trace.Facts) { f.RequestID, f.Attempt = x.caller.RequestID, x.attempt })
	out := x.run(within, caller)
	res := Result{ID: x.id, Duration: x.r.opts.Now().Sub(began), Tokens: out.tokens, Nanos: out.nanos}
	outcome, err := x.judge(out)
	span.End(within, err)
	if err == nil {
		res.Data = out.data
	}
	x.settle(ctx, res, err)
	if unrecorded := x.executed(ctx, outcome, err, res); unrecorded != nil {
		res.Data = nil
		return res, unrecorded
	}
	return res, err
}

// settle tells what became of a call with a key: a result is kept, a call that did nothing is forgotten, and one that may have done something
// can be made again under its id. When that is not taken the lease ends by itself, which comes to the last.
func (x *execution) settle(ctx context.Context, res Result, failed error) {
	if x.order.Key == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	calls, err := x.r.ports.Calls, error(nil)
	switch {
	case failed == nil:
		err = calls.End(ctx, x.scope, x.key(), x.id, x.attempt, res)
	case x.attempt == 1 && fault.Is(failed, fault.Invalid): // an earlier attempt may have got further
		err = calls.Drop(ctx, x.scope, x.key(), x.id, x.attempt)
	default:
		err = calls.Lapse(ctx, x.scope, x.key(), x.id, x.attempt)
	}
	if err != nil {
		x.r.opts.Log.WarnContext(ctx, "what became of a call is not kept", "tenantId", x.scope.Tenant(), "tool", x.tool.Name, "callId", x.id, "error", err)
	}
}

// errUndone is that of a call whose tool was not run.
var errUndone error = fault.New(fault.Invalid, "not_begun", "the tool was not run", nil)

// Why a tool's context ends.
var (
	errTime = errors.New("tools: the time of the call is over")
	errLeft = errors.New("tools: the caller left")
)
