package toolstest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/tools"
)

// Set is tools for tests, and what they did.
type Set struct {
	// Timeout is that of slow and deaf.
	Timeout time.Duration

	mu      sync.Mutex
	writes  map[string]int // effects by tenant and Call.Once: each is one, as of a tool that keeps its promise
	runs    map[string]int // by tool
	entered chan string    // the tools that were entered and wait
	ended   chan error     // why the contexts of slow calls ended
	release chan struct{}  // lets deaf calls go
	held    chan struct{}  // lets one held call go
}

// NewSet makes the tools. Those that wait do so for the timeout at most; a deaf one until Close.
func NewSet(timeout time.Duration) *Set {
	return &Set{
		Timeout: timeout, writes: map[string]int{}, runs: map[string]int{},
		entered: make(chan string, 100), ended: make(chan error, 100), release: make(chan struct{}),
		held: make(chan struct{}, 100),
	}
}

// Close lets deaf calls go.
func (x *Set) Close() { close(x.release) }

// Let lets one held call go.
func (x *Set) Let() { x.held <- struct{}{} }

// Entered tells when a tool that waits has begun.
func (x *Set) Entered() <-chan string { return x.entered }

// Ended tells why the context of a slow call ended.
func (x *Set) Ended() <-chan error { return x.ended }

// Runs is how often a tool was run.
func (x *Set) Runs(tool string) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.runs[tool]
}

// Writes is how many effects the writing tools had for a tenant.
func (x *Set) Writes(s tenants.Scope) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id := range x.writes {
		if strings.HasPrefix(id, string(s.Tenant())+"/") {
			n++
		}
	}
	return n
}

// Names are the names of the tools.
func (x *Set) Names() []string {
	var names []string
	for _, t := range x.Tools() {
		names = append(names, t.Name)
	}
	return names
}

type in struct {
	Text  string   `json:"text"`
	Size  int      `json:"size,omitempty"`
	Tags  []string `json:"tags,omitempty"`
	Where struct {
		Kind string `json:"kind,omitempty"`
	} `json:"where,omitzero"`
}

type out struct {
	Text   string     `json:"text"`
	Tenant tenants.ID `json:"tenant"`
	Size   int        `json:"size,omitempty"`
}

const (
	inSchema = `{"type":"object","additionalProperties":false,"required":["text"],"properties":{
		"text":{"type":"string","minLength":1,"maxLength":1000},
		"size":{"type":"integer","minimum":1,"maximum":100,"default":50},
		"tags":{"type":"array","items":{"type":"string"},"maxItems":5},
		"where":{"type":"object","additionalProperties":false,"properties":{"kind":{"type":"string"}}}}}`
	outSchema = `{"type":"object","additionalProperties":false,"required":["text","tenant"],"properties":{
		"text":{"type":"string"},"tenant":{"type":"string"},"size":{"type":"integer"}}}`
)

// ErrStranger is what a tool fails with whose error nobody has classified.
var ErrStranger = errors.New("stranger: secret of a library")

// Tools is all of them.
//
//	echo       says what it was given, and what it took
//	finder     needs the scope search
//	writer     changes something, once for each Call.Once
//	breaking   changes something, and fails then
//	counting   tells how far it is
//	slow       waits until its context ends, and says why; patient as well, as long as a tool may
//	held       waits until Let, or its context ends
//	deaf       does not look at its context
//	panicking, failing, strange, limited, picky   fail
//	lying      returns what it does not promise
//	huge       returns more than it may
func (x *Set) Tools() []tools.Tool {
	base := func(name string) tools.Tool {
		return tools.Tool{
			Name: name, Description: "A tool of tests: " + name + ".", Cost: tools.Compute, Effects: tools.NoEffects,
			Input: tools.NewSchema(inSchema), Output: tools.NewSchema(outSchema),
		}
	}
	fails := func(name string, err error) tools.Tool {
		return x.typed(base(name), func(context.Context, *tools.Call, in) (out, error) { return out{}, err })
	}
	finder, writer, breaking := base("finder"), base("writer"), base("breaking")
	finder.Needs, finder.Effects = []tenants.APIScope{tenants.ScopeSearch}, tools.Reads
	writer.Effects, breaking.Effects = tools.Writes, tools.Writes
	slow, deaf, lying, huge := base("slow"), base("deaf"), base("lying"), base("huge")
	patient, held := base("patient"), base("held")
	slow.Timeout, deaf.Timeout, patient.Timeout, held.Timeout = x.Timeout, x.Timeout, tools.MaxTimeout, tools.MaxTimeout
	lying.Run = func(context.Context, *tools.Call) (json.RawMessage, error) { return json.RawMessage(`{"text":7}`), nil }
	huge.Run = func(context.Context, *tools.Call) (json.RawMessage, error) {
		return make([]byte, tools.MaxResultBytes+1), nil
	}
	return []tools.Tool{
		x.typed(base("echo"), x.echo), x.typed(finder, x.echo), x.typed(writer, x.write), x.typed(base("counting"), x.count),
		x.typed(breaking, func(ctx context.Context, c *tools.Call, i in) (out, error) {
			_, _ = x.write(ctx, c, i)
			return out{}, fault.Unavailablef(nil, "shelf_busy", "the shelf did not answer")
		}),
		x.typed(slow, x.wait), x.typed(patient, x.wait), x.typed(held, x.hold), x.typed(deaf, x.ignore),
		x.typed(base("panicking"), func(context.Context, *tools.Call, in) (out, error) { panic("secret of a panic") }),
		fails("failing", fault.Missing("shelf_not_found", "there is no such shelf").WithHint("make one")),
		fails("strange", ErrStranger),
		fails("limited", fault.New(fault.Limited, "budget_exhausted", "the budget is used up", nil).WithRetryAfter(time.Minute)),
		fails("picky", fault.Invalidf("tags[0]", "tag_unknown", "is no tag")),
		lying, huge,
	}
}

// typed is tools.Typed, and counts.
func (x *Set) typed(t tools.Tool, run func(context.Context, *tools.Call, in) (out, error)) tools.Tool {
	return tools.Typed(t, func(ctx context.Context, c *tools.Call, i in) (out, error) {
		x.mu.Lock()
		x.runs[t.Name]++
		x.mu.Unlock()
		return run(ctx, c, i)
	})
}

func (x *Set) echo(_ context.Context, c *tools.Call, i in) (out, error) {
	c.Spent(7, 900)
	return out{Text: i.Text, Tenant: c.Scope.Tenant(), Size: i.Size}, nil
}

func (x *Set) write(_ context.Context, c *tools.Call, i in) (out, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writes[string(c.Scope.Tenant())+"/"+c.Once]++
	return out{Text: i.Text, Tenant: c.Scope.Tenant()}, nil
}

func (x *Set) count(_ context.Context, c *tools.Call, i in) (out, error) {
	for n := range i.Size {
		c.Report(tools.Progress{Done: n + 1, Total: i.Size, Message: i.Text})
	}
	return out{Text: i.Text, Tenant: c.Scope.Tenant()}, nil
}

func (x *Set) wait(ctx context.Context, c *tools.Call, _ in) (out, error) {
	c.Report(tools.Progress{Message: "waiting"})
	x.entered <- "waiting"
	<-ctx.Done()
	x.ended <- context.Cause(ctx)
	return out{}, ctx.Err()
}

func (x *Set) hold(ctx context.Context, c *tools.Call, i in) (out, error) {
	x.entered <- "held"
	select {
	case <-x.held:
		return out{Text: i.Text, Tenant: c.Scope.Tenant()}, nil
	case <-ctx.Done():
		x.ended <- context.Cause(ctx)
		return out{}, ctx.Err()
	}
}

func (x *Set) ignore(_ context.Context, c *tools.Call, _ in) (out, error) {
	x.entered <- "deaf"
	<-x.release
	c.Report(tools.Progress{Message: "too late"})
	c.Spent(1, 1)
	return out{Text: "too late", Tenant: c.Scope.Tenant()}, nil
}
