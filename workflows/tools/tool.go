package tools

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Tool is something that can be done.
type Tool struct {
	Name        string // as models call it: lower-case letters, digits and underscores, at most 64
	Description string // what it is for, to whoever chooses among tools
	Input       *Schema
	Output      *Schema
	Needs       []tenants.APIScope // what the caller's key has to hold besides the scope tools
	Timeout     time.Duration      // DefaultTimeout when 0, MaxTimeout at most
	Cost        Cost
	Effects     Effects

	// Run does it. The input fits the schema, and so has what it returns. A fault of kind Invalid says what is wrong with an argument, by its
	// name in the input. It returns soon after ctx has ended; whoever does not is not waited for.
	Run func(ctx context.Context, c *Call) (json.RawMessage, error)
}

// How long a tool may take.
const (
	DefaultTimeout = 10 * time.Second
	MaxTimeout     = 30 * time.Second // what the platform gives to what goes on after an answer
)

// timeout is how long a call may take.
func (t *Tool) timeout() time.Duration {
	if t.Timeout == 0 {
		return DefaultTimeout
	}
	return t.Timeout
}

// Cost is what a call costs, by its class.
type Cost string

// The classes of cost.
const (
	Free    Cost = "free"    // next to nothing
	Compute Cost = "compute" // our own time, by the length of the input
	Models  Cost = "model"   // calls of models, which the tenant's budgets pay
	Outside Cost = "outside" // a call of somebody else's server
)

// Effects are what a call changes.
type Effects string

// The effects.
const (
	NoEffects Effects = "none"   // the same input has the same result, whoever asks and when
	Reads     Effects = "reads"  // what the tenant has, or what an outside server says
	Writes    Effects = "writes" // something is changed; under one Call.Once it happens once
)

// Call is one call, in the hands of its tool.
type Call struct {
	ID        string // of the call, as the trail has it; stays when the call is repeated with its key
	Once      string // what the call does is to be done once under this name; that of a call with a key is the same in every pool its tenant moves to
	Scope     tenants.Scope
	Config    *tenants.Config
	Input     json.RawMessage // in canonical form (RFC 8785), so 3.0 is 3
	User      string
	RequestID string
	Cause     events.Cause

	stay *stay // nil when there is no room to be had

	mu     sync.Mutex
	report func(Progress) // nil when nobody listens any more
	tokens int64
	nanos  int64
}

// Progress is how far a call is.
type Progress struct {
	Done    int    `json:"done"`
	Total   int    `json:"total,omitempty"`
	Message string `json:"message,omitempty"`
}

// Report tells how far the call is, to whoever listens.
func (c *Call) Report(p Progress) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.report != nil {
		c.report(p)
	}
}

// Spent adds what calls of models took, for the record: whoever called them has paid already.
func (c *Call) Spent(tokens, nanos int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens += tokens
	c.nanos += nanos
}

// close is the end of the call for whoever asked. What a tool that was left behind still tells reaches nobody.
func (c *Call) close() (tokens, nanos int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report = nil
	return c.tokens, c.nanos
}

// Typed gives a tool a function over types. Members of the input that In does not have are refused.
func Typed[In, Out any](t Tool, run func(ctx context.Context, c *Call, in In) (Out, error)) Tool {
	t.Run = func(ctx context.Context, c *Call) (json.RawMessage, error) {
		if err := c.Scope.Check(); err != nil {
			return nil, err
		}
		var in In
		if err := decode(c.Input, &in); err != nil {
			return nil, err
		}
		out, err := run(ctx, c, in)
		if err != nil {
			return nil, err
		}
		b, err := json.Marshal(out)
		if err != nil {
			return nil, fault.New(fault.Internal, "tool_output", t.Name, err)
		}
		return b, nil
	}
	return t
}
