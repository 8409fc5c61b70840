package loop

import (
	"context"
	"slices"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
)

// How many calls of a step are made, and how many of them at a time: the platform connects to six places at once
// (https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections).
const (
	maxCalls = 16
	atOnce   = 4
)

// make makes the calls of a step side by side, and returns what the model is shown of them.
func (a *answer) make(calls []llm.ToolCall) ([]llm.Message, error) {
	for i := range calls {
		a.name(&calls[i])
	}
	if err := a.order.Watch.Called(calls); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithDeadlineCause(a.ctx, a.until, errTime)
	defer cancel()
	outcomes, most := make([]Outcome, len(calls)), a.share(calls)
	came := make(chan int, len(calls))
	slots := make(chan struct{}, atOnce)
	step := map[string]bool{}
	for i, call := range calls {
		a.number++
		same := call.Name + "\x00" + call.Arguments
		if refused := a.refuse(call, i, a.made[same] || step[same]); refused != nil {
			outcomes[i] = Failed(call, refused)
			came <- i
			continue
		}
		step[same] = true
		next := a.under(call.Name)
		outcomes[i] = Failed(call, errOurs)
		go func() {
			defer func() { came <- i }()
			slots <- struct{}{}
			defer func() { <-slots }()
			outcomes[i] = a.order.Kit.Make(ctx, call, next, most)
		}()
	}
	for range calls {
		o := outcomes[<-came]
		a.room -= len(o.Content)
		a.made[o.Name+"\x00"+o.Arguments] = a.made[o.Name+"\x00"+o.Arguments] || o.OK
		a.order.Watch.Came(o)
	}
	messages := []llm.Message{{Role: llm.Assistant, Content: a.text.String(), ToolCalls: calls}}
	for _, o := range outcomes {
		m := o.Message()
		m.Content = Fence(a.order.Mark, m.Content)
		messages = append(messages, m)
	}
	return messages, context.Cause(a.ctx)
}

// under is the key of the next call. A repetition may have the model ask in another order, or for something else first, so no call of a tool that
// writes is known by its place: an equal call is made once, wherever it stands. What reads is read again.
func (a *answer) under(tool string) (next Call) {
	switch {
	case a.order.Key != "":
		next.Key = a.order.Key + "/" + strconv.Itoa(a.number)
	case a.order.Once != "" && slices.Contains(a.order.Kit.Writes, tool):
		next.Key, next.Shared = a.order.Once, true
	}
	return next
}

// name gives a call an id that no other of the turn has.
func (a *answer) name(call *llm.ToolCall) {
	if call.ID == "" {
		call.ID = "call"
	}
	for base, n := call.ID, a.step+1; a.ids[call.ID]; n++ {
		call.ID = base + "_" + strconv.Itoa(n)
	}
	a.ids[call.ID] = true
}

// refuse is why a call is not made at all.
func (a *answer) refuse(call llm.ToolCall, i int, repeated bool) error {
	switch {
	case i >= maxCalls:
		return errTooMany
	case !a.order.Kit.offers(call.Name):
		return fault.Missing(CodeNotOffered, "there is no tool %.64q", call.Name)
	case repeated:
		return errRepeated
	}
	return nil
}

// share is how many bytes the result of each call may have: what is left of the turn's, and of the widest model's window beside the calls.
func (a *answer) share(calls []llm.ToolCall) int {
	widest := 0
	for _, m := range a.order.Models {
		widest = max(widest, m.Window)
	}
	p := a.order.Prompt
	p.Messages = append(slices.Clip(p.Messages), llm.Message{Role: llm.Assistant, Content: a.text.String(), ToolCalls: calls})
	for _, call := range calls {
		p.Messages = append(p.Messages, llm.Message{Role: llm.ToolRole, Name: call.Name, ToolCallID: call.ID, Content: Fence(a.order.Mark, "")})
	}
	const bytes = 2 // of a token of JSON, or less
	window := (widest - llm.Estimate(p) - a.most) * bytes
	return max(minResult, min(MaxResult, a.room/len(calls), window/len(calls)))
}
