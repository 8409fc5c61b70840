package loop

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// Order is what a model is asked, with the tools that it may have run.
type Order struct {
	llm.Order
	Kit   *Kit
	Mark  rag.Delimiter // of the results; the prompt has its Instruction
	Key   string        // with it each call has a key of its own: this one and the call's number
	Once  string        // for an answer that nobody keeps, so that a repetition asks the model again: equal calls of a tool that writes are one under it
	Watch Watch         // may be nil
}

// Gap parts what is said from what was said before tools were called.
const Gap = "\n\n"

// answer is the answers of all steps as one: what they say, without the calls of the platform's tools; why the last one ended; what they took.
type answer struct {
	ctx       context.Context
	generator llm.Generator
	scope     tenants.Scope
	order     Order
	choice    bool      // the prompt says which tool to call, which holds once
	most      int       // tokens that all steps may answer
	until     time.Time // for tools

	all    []llm.Answer // of the steps
	now    llm.Answer   // of the step
	open   bool         // and it is not settled
	step   int          // how often tools were asked for
	last   bool         // no tools are offered any more
	sieve  sieve
	text   strings.Builder // of the step
	finish llm.Finish
	due    []llm.ToolCall // that are to be made now

	own    []llm.Tool // the client's
	made   map[string]bool
	ids    map[string]bool
	number int  // of calls
	room   int  // bytes of results that may still be told
	said   bool // some step has said something
	gap    bool // another step begins with a line of its own

	sum   llm.Usage // of the steps before
	nanos int64
	queue []llm.Delta
	err   error
}

var _ llm.Answer = (*answer)(nil)

// Generate asks a model, and has tools run as it wants. Each step is paid for by itself, as g does; what keeps the first from beginning is the
// error here, and of a later one the answer's. A call that fails does not end the answer: the model is told. At the bounds it is
// asked once more, without tools.
func Generate(ctx context.Context, g llm.Generator, s tenants.Scope, o Order) (llm.Answer, error) {
	if o.Watch == nil {
		o.Watch = unwatched{}
	}
	a := &answer{
		ctx: ctx, generator: g, scope: s, order: o, most: o.Prompt.MaxTokens, until: time.Now().Add(o.Kit.Time), own: o.Prompt.Tools,
		choice: len(o.Prompt.ToolChoice) > 0 && o.Prompt.ToolChoice[0] != '"' || string(o.Prompt.ToolChoice) == `"required"`,
		made:   map[string]bool{}, ids: map[string]bool{}, room: MaxResults,
	}
	a.order.Prompt.Tools = slices.Concat(o.Prompt.Tools, o.Kit.Tools)
	a.order.Prompt.Messages = slices.Clip(o.Prompt.Messages)
	if err := a.ask(); err != nil {
		return nil, err
	}
	return a, nil
}

// ask begins a step.
func (a *answer) ask() error {
	now, err := a.generator.Generate(a.ctx, a.scope, a.order.Order)
	if err != nil {
		return err
	}
	a.now, a.open, a.finish = now, true, ""
	a.all = append(a.all, now)
	a.sieve = sieve{own: a.own, deaf: a.last}
	a.text.Reset()
	return nil
}

// Next implements llm.Stream.
func (a *answer) Next() (llm.Delta, error) {
	for {
		if len(a.queue) > 0 {
			d := a.queue[0]
			a.queue = a.queue[1:]
			return d, nil
		}
		if a.err != nil {
			return llm.Delta{}, a.err
		}
		if len(a.due) > 0 {
			a.err = a.goOn()
			continue
		}
		d, err := a.now.Next()
		switch {
		case err == nil:
			if d = a.take(d); d != (llm.Delta{}) {
				return d, nil
			}
		case !errors.Is(err, io.EOF):
			a.err = err
		case a.ended(): // whoever listens is told what there is before tools take their time
			return llm.Delta{}, nil
		}
	}
}

// take is what of a piece is for the client.
func (a *answer) take(d llm.Delta) llm.Delta {
	a.finish = llm.Finish(orElse(string(d.Finish), string(a.finish)))
	d.Finish, d.Usage = "", nil
	if d.Tool != nil {
		d.Tool = a.sieve.take(*d.Tool)
	}
	if d.Text != "" {
		a.text.WriteString(d.Text)
		if a.gap {
			d.Text, a.gap = Gap+d.Text, false
		}
		a.said = true
	}
	return d
}

// ended is the end of a step. It reports whether there are calls to be made.
func (a *answer) ended() bool {
	a.settle()
	calls := a.sieve.stayed()
	if len(calls) > 0 && a.finish != llm.FinishLength && a.finish != llm.FinishFilter { // else they may not be whole
		a.due = calls
		return true
	}
	a.conclude()
	return false
}

// conclude ends the answer.
func (a *answer) conclude() {
	switch {
	case a.sieve.sent > 0 && a.finish != llm.FinishLength && a.finish != llm.FinishFilter:
		a.finish = llm.FinishTools
	case a.finish == llm.FinishTools || a.finish == "":
		a.finish = llm.FinishStop
	}
	usage, _ := a.Spent()
	a.queue, a.err = []llm.Delta{{Finish: a.finish}, {Usage: &usage}}, io.EOF
}

// settle ends the step's answer, and adds what it took.
func (a *answer) settle() {
	if !a.open {
		return
	}
	a.open = false
	_ = a.now.Close() // whatever it says, there was no more
	usage, nanos := a.now.Spent()
	a.sum, a.nanos = plus(a.sum, usage), a.nanos+nanos
}

func plus(a, b llm.Usage) llm.Usage {
	return llm.Usage{Prompt: a.Prompt + b.Prompt, Completion: a.Completion + b.Completion, Cached: a.Cached + b.Cached, Estimated: a.Estimated || b.Estimated}
}

// goOn makes the calls that are due, and asks the model again, unless the client has to make calls, too.
func (a *answer) goOn() error {
	messages, err := a.make(a.due)
	a.due = nil
	if err != nil {
		return err
	}
	a.step++
	if a.sieve.sent > 0 {
		a.conclude()
		return a.err
	}
	p := &a.order.Prompt
	p.Messages = append(p.Messages, messages...)
	if p.MaxTokens = a.most - a.sum.Completion; p.MaxTokens < 1 {
		a.finish = llm.FinishLength
		a.conclude()
		return a.err
	}
	if a.choice {
		p.ToolChoice, a.choice = nil, false
	}
	if a.over() {
		a.withoutTools()
	}
	a.gap = a.said
	err = a.ask()
	if tooLong(err) && !a.last { // there is more room without them
		a.withoutTools()
		err = a.ask()
	}
	if tooLong(err) { // what was said and done is there
		a.finish = llm.FinishLength
		a.conclude()
		return a.err
	}
	return err
}

// withoutTools has the model asked without tools from now on.
func (a *answer) withoutTools() {
	a.last = true
	p := &a.order.Prompt
	p.Tools, p.ToolChoice, p.Parallel = nil, nil, nil
}

// tooLong reports whether no model has the window for what it would be asked.
func tooLong(err error) bool { return err != nil && fault.As(err).Code == "prompt_too_long" }

// over reports whether the model is not to ask for tools any more: so that it ends with words, a quarter of its tokens is left for them.
func (a *answer) over() bool {
	return a.step >= a.order.Kit.Steps || !time.Now().Before(a.until) || a.order.Prompt.MaxTokens < a.most/4 || a.room < minResult
}

// Ready serves llm.Ready. While tools run, there is nothing to wait for.
func (a *answer) Ready() bool {
	return len(a.queue) > 0 || a.err != nil || len(a.due) == 0 && llm.Ready(a.now)
}

// Close implements llm.Stream.
func (a *answer) Close() error {
	a.settle()
	a.queue, a.due = nil, nil
	if a.err == nil {
		a.err = io.ErrClosedPipe
	}
	return nil
}

// Source implements llm.Stream.
func (a *answer) Source() llm.Source { return a.now.Source() }

// Spent implements llm.Answer.
func (a *answer) Spent() (llm.Usage, int64) {
	if !a.open {
		return a.sum, a.nanos
	}
	usage, nanos := a.now.Spent()
	return plus(a.sum, usage), a.nanos + nanos
}

// Redacted serves llm.Redacted: of all steps so far.
func (a *answer) Redacted() (kinds []string) {
	for _, step := range a.all {
		kinds = append(kinds, llm.Redacted(step)...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// Cached implements llm.Answer.
func (a *answer) Cached() bool { return false }

// errOurs is for what nobody should see.
var errOurs error = fault.New(fault.Internal, "internal", "the call was cut off", nil)
