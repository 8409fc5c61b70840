package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// When is a moment of a run's call.
type When string

// The moments: nothing has happened yet; the step's effect has happened, and its result is not kept; the result is kept.
const (
	Before  When = "before"
	Between When = "between effect and result"
	After   When = "after"
)

// Point is a moment at which a run can die.
type Point struct {
	Call int // of the run's methods, from 1
	Op   string
	Name string
	When When
}

func (p Point) String() string { return fmt.Sprintf("%s call %d, %s %s", p.When, p.Call, p.Op, p.Name) }

// Engine makes one run of a flow durable, in memory. Set the fields before Run; it is used by one goroutine.
type Engine struct {
	Flow   flow.Flow
	Scope  tenants.Scope
	ID     string
	Params any
	// Die says whether the run dies at a moment. Nil: it never does.
	Die func(Point) bool
	// Idle is called when the run waits for a signal that has not come: there the world goes on, and may Signal. Nil, or nothing
	// coming of it: the wait times out.
	Idle func(signal string)
	// Asleep is called with the length of each sleep, once.
	Asleep func(d time.Duration)
	// Twice has every signal come twice.
	Twice bool

	kept  []byte // the journal, as text: nothing else survives a death
	mail  flow.Mailbox
	Sent  []Signal // so far
	Lives int      // how often the run was started
}

// Signal is what Engine.Signal was told.
type Signal struct {
	Name    string
	Payload []byte
}

// entry is what is kept of a call that has ended.
type entry struct {
	Op     string       `json:"op"`
	Name   string       `json:"name"`
	Result []byte       `json:"result,omitempty"`
	Fault  *fault.Error `json:"fault,omitempty"`
}

// maxResult is the most that a step may return: https://developers.cloudflare.com/workflows/reference/limits/.
const maxResult = 1 << 20

// Signal sends a signal to the run.
func (e *Engine) Signal(name string, payload any) {
	raw, err := json.Marshal(payload)
	if err != nil {
		panic(err) // a test's mistake
	}
	e.Sent = append(e.Sent, Signal{name, raw})
	e.mail.Put(name, raw)
	if e.Twice {
		e.mail.Put(name, raw)
	}
}

// Run runs the flow to its end, over and over as it dies, and returns what the flow returned. A flow that takes another way than
// before is fault.Internal, code flow_not_deterministic. Run again, it is the run after its end: only what was kept answers.
func (e *Engine) Run(ctx context.Context) error {
	params, err := json.Marshal(e.Params)
	if err != nil {
		return err
	}
	for {
		dead, err := e.live(ctx, params)
		if !dead {
			return err
		}
	}
}

// Names are the calls that the run has made, in order.
func (e *Engine) Names() (names []string) {
	for _, k := range e.journal() {
		names = append(names, k.Op+" "+k.Name)
	}
	return names
}

// live is one life of the run.
func (e *Engine) live(ctx context.Context, params []byte) (dead bool, err error) {
	e.Lives++
	l := &life{Engine: e, journal: e.journal()}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case death:
			dead, err = true, nil
		case wayward:
			err = p.err
		default:
			panic(p)
		}
	}()
	if err = e.Flow(ctx, e.Scope, l, params); l.calls < len(l.journal) {
		return false, notDeterministic("ended, and before it went on with %s %s", l.journal[l.calls].Op, l.journal[l.calls].Name)
	}
	return false, err
}

// death ends a life at once, past everything that the flow would do about an error.
type death struct{}

// wayward ends a run that took another way than before.
type wayward struct{ err error }

func (e *Engine) journal() (all []entry) {
	if len(e.kept) == 0 {
		return nil
	}
	if err := json.Unmarshal(e.kept, &all); err != nil {
		panic(err) // we wrote it
	}
	return all
}

// life is a run between two deaths.
type life struct {
	*Engine
	journal []entry
	calls   int
}

var _ flow.Run = (*life)(nil)

// ID implements flow.Run.
func (l *life) ID() string { return l.Engine.ID }

// Step implements flow.Run.
func (l *life) Step(ctx context.Context, name string, f func(ctx context.Context) ([]byte, error)) ([]byte, error) {
	return l.call("step", name, func(at Point) ([]byte, error) {
		for n := 1; ; n++ {
			result, err := f(ctx)
			if err == nil && len(result) > maxResult {
				err = fault.Invalidf("", "step_result_too_large", "step %s returned %d bytes; %d are kept", name, len(result), maxResult)
			}
			at.When = Between
			l.mayDie(at)
			if err == nil || !fault.Retryable(err) || n > flow.Retries {
				return result, err
			}
		}
	})
}

// Sleep implements flow.Run. It takes no time.
func (l *life) Sleep(_ context.Context, name string, d time.Duration) error {
	_, err := l.call("sleep", name, func(Point) ([]byte, error) {
		if l.Asleep != nil {
			l.Asleep(d)
		}
		return nil, nil
	})
	return err
}

// Wait implements flow.Run. It takes no time.
func (l *life) Wait(_ context.Context, name, signal string, timeout time.Duration) ([]byte, error) {
	payload, err := l.call("wait", name, func(Point) ([]byte, error) {
		if timeout <= 0 {
			return nil, fault.Invalidf("", "timeout_invalid", "a wait of %s", timeout)
		}
		payload, ok := l.mail.Take(signal)
		if !ok && l.Idle != nil {
			l.Idle(signal)
			payload, ok = l.mail.Take(signal)
		}
		if !ok {
			return nil, flow.ErrTimeout
		}
		return payload, nil
	})
	if err != nil && fault.As(err).Code == flow.ErrTimeout.Code {
		return nil, flow.ErrTimeout
	}
	return payload, err
}

// call makes a call once, keeps what came of it, and answers with that in every later life.
func (l *life) call(op, name string, f func(Point) ([]byte, error)) ([]byte, error) {
	l.calls++
	at := Point{Call: l.calls, Op: op, Name: name, When: Before}
	if l.calls <= len(l.journal) {
		k := l.journal[l.calls-1]
		if k.Op != op || k.Name != name {
			panic(wayward{notDeterministic("call %d is %s %s, and was %s %s", l.calls, op, name, k.Op, k.Name)})
		}
		return k.outcome()
	}
	l.mayDie(at)
	result, err := f(at)
	k := entry{Op: op, Name: name, Result: result}
	if err != nil {
		k.Result, k.Fault = nil, fault.As(err)
	}
	l.keep(k)
	at.When = After
	l.mayDie(at)
	return l.journal[l.calls-1].outcome()
}

func (k entry) outcome() ([]byte, error) {
	if k.Fault != nil {
		return nil, k.Fault
	}
	return k.Result, nil
}

// keep writes the journal anew, and reads it, so that nothing passes but what text can carry.
func (l *life) keep(k entry) {
	kept, err := json.Marshal(append(l.journal, k))
	if err != nil {
		panic(err) // bytes and faults encode
	}
	l.kept = kept
	l.journal = l.Engine.journal()
}

func (l *life) mayDie(at Point) {
	if l.Die != nil && l.Die(at) {
		panic(death{})
	}
}

func notDeterministic(format string, args ...any) error {
	return fault.New(fault.Internal, "flow_not_deterministic", "", fmt.Errorf(format, args...))
}
