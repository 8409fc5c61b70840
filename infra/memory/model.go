package memory

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/dialect"
)

// Model is an llm.Model whose answers are dictated by the prompt, as those of the offline platform's @local/script are: the
// last message of the user holds, anywhere in its text, {"script": turn} or {"script": [turn, ...]}, where a list is
// read by how many messages of the assistant follow. A message without a script is answered by itself, word by word. Every model's name
// is known that package llm knows. The zero value is ready. Set the fields before it is used.
type Model struct {
	// Before runs before a call does anything; its error is the call's.
	Before func(c llm.Call, p llm.Prompt) error
	// Silent does not tell the usage.
	Silent bool

	mu     sync.Mutex
	calls  []ModelCall
	open   int
	failed map[string]int
}

var _ llm.Model = (*Model)(nil)

// ModelCall is a call that was made.
type ModelCall struct {
	Tenant tenants.ID
	llm.Call
	Prompt llm.Prompt
}

// Calls is the calls that were made, oldest first.
func (m *Model) Calls() []ModelCall {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]ModelCall(nil), m.calls...)
}

// Open is how many answers nobody has closed.
func (m *Model) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open
}

// Generate implements llm.Model.
func (m *Model) Generate(ctx context.Context, s tenants.Scope, c llm.Call, p llm.Prompt) (llm.Stream, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	model, err := llm.FindGeneration(c.Model)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.Unavailablef(err, "model_unavailable", "model %s did not answer", c.Model)
	}
	m.mu.Lock()
	m.calls = append(m.calls, ModelCall{s.Tenant(), c, p})
	m.mu.Unlock()
	if m.Before != nil {
		if err := m.Before(c, p); err != nil {
			return nil, err
		}
	}
	script, t, err := readScript(model, p)
	if err != nil {
		return nil, err
	}
	if t.Error != nil && m.fails(script, t.Times) {
		body, _ := json.Marshal(map[string]any{"internalCode": t.Error.Code, "description": t.Error.Text})
		return nil, dialect.Refusal(c.Model, t.Error.Status, body, time.Now())
	}
	a := &scripted{model: m, ctx: ctx, source: llm.Source{Model: c.Model, LogID: "test"}, steps: t.steps(model, p, m.Silent)}
	if !p.Stream {
		if err := a.whole(); err != nil {
			return nil, err
		}
	} else if err := a.wait(); err != nil { // the first token is awaited before the answer begins
		return nil, err
	}
	m.mu.Lock()
	m.open++
	m.mu.Unlock()
	return a, nil
}

// fails counts a failure of a script and says whether it still has one to give.
func (m *Model) fails(script string, times int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed == nil {
		m.failed = map[string]int{}
	}
	m.failed[script]++
	return times == 0 || m.failed[script] <= times
}

// step is one piece of an answer, and how long it takes to come. One with cut is where the answer breaks off.
type step struct {
	llm.Delta
	delay time.Duration
	cut   bool
}

// scripted is an answer by a script.
type scripted struct {
	model  *Model
	ctx    context.Context
	source llm.Source
	steps  []step
	end    error
	closed bool
}

// wait lets the time pass that the next step takes, once.
func (a *scripted) wait() error {
	if len(a.steps) == 0 || a.steps[0].delay <= 0 {
		return a.gone()
	}
	timer := time.NewTimer(a.steps[0].delay)
	defer timer.Stop()
	a.steps[0].delay = 0
	select {
	case <-timer.C:
	case <-a.ctx.Done():
	}
	return a.gone()
}

func (a *scripted) gone() error {
	if a.ctx.Err() == nil {
		return nil
	}
	return fault.Unavailablef(context.Cause(a.ctx), llm.CodeBrokeOff, "the caller of model %s left", a.source.Model)
}

// whole makes one piece of all text, when the answer was not asked for as a stream.
func (a *scripted) whole() error {
	var text strings.Builder
	var rest []step
	for len(a.steps) > 0 {
		if err := a.wait(); err != nil {
			return err
		}
		s := a.steps[0]
		a.steps = a.steps[1:]
		if s.cut {
			return fault.New(fault.Unavailable, "model_unavailable", "model "+a.source.Model+" failed", nil)
		}
		if s.Text != "" {
			text.WriteString(s.Text)
			continue
		}
		rest = append(rest, s)
	}
	if text.Len() > 0 {
		a.steps = []step{{Delta: llm.Delta{Text: text.String()}}}
	}
	a.steps = append(a.steps, rest...)
	return nil
}

// Next implements llm.Stream.
func (a *scripted) Next() (llm.Delta, error) {
	if a.end == nil && len(a.steps) == 0 {
		a.end = io.EOF
	}
	if a.end == nil {
		a.end = a.wait()
	}
	if a.end == nil && a.steps[0].cut {
		a.end = fault.Unavailablef(io.ErrUnexpectedEOF, llm.CodeBrokeOff, "model %s broke off", a.source.Model)
	}
	if a.end != nil {
		return llm.Delta{}, a.end
	}
	d := a.steps[0].Delta
	a.steps = a.steps[1:]
	return d, nil
}

// Ready serves llm.Ready.
func (a *scripted) Ready() bool { return a.end != nil || len(a.steps) == 0 || a.steps[0].delay <= 0 }

// Close implements llm.Stream.
func (a *scripted) Close() error {
	if a.end == nil {
		a.end = io.ErrClosedPipe
	}
	if !a.closed {
		a.closed = true
		a.model.mu.Lock()
		a.model.open--
		a.model.mu.Unlock()
	}
	return nil
}

// Source implements llm.Stream.
func (a *scripted) Source() llm.Source { return a.source }
