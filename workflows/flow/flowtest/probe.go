package flowtest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
)

// Kind is the flow of the suite. Whatever makes runs for TestRuns runs Probe.Flow under it.
const Kind flow.Kind = "suite"

// Probe is the flow of the suite, which does what its parameters say, and what its runs have noted. It notes in memory, so runs and suite
// must share that. The zero value is ready.
type Probe struct {
	mu    sync.Mutex
	notes map[string][]string
	more  chan struct{}
}

// act is one thing that a run of the probe is to do.
type act struct {
	Do      string        `json:"do"` // note, traced, flaky, refuse, sleep, wait
	Text    string        `json:"text,omitempty"`
	Times   int           `json:"times,omitempty"`
	For     time.Duration `json:"for,omitempty"`
	Invalid *fault.Error  `json:"invalid,omitempty"`
}

// Flow is the flow.
func (p *Probe) Flow(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
	var acts []act
	if err := json.Unmarshal(params, &acts); err != nil {
		return fault.New(fault.Invalid, "probe_params", "", err)
	}
	for i, a := range acts {
		if err := p.do(ctx, s, r, fmt.Sprintf("%s %d", a.Do, i), a); err != nil {
			return err
		}
	}
	return nil
}

func (p *Probe) do(ctx context.Context, s tenants.Scope, r flow.Run, name string, a act) error {
	at := place(s, r.ID())
	switch a.Do {
	case "flaky":
		n, err := flow.Do(ctx, r, name, func(context.Context) (int, error) {
			if tried := p.note(at, "tried"); tried <= a.Times {
				return 0, fault.Unavailablef(nil, "probe_flaky", "not yet")
			}
			return 1 << 60, nil // more than JavaScript's numbers hold
		})
		if err != nil {
			return err
		}
		return p.step(ctx, r, at, name+" returned", fmt.Sprint(n))
	case "refuse":
		_, err := r.Step(ctx, name, func(context.Context) ([]byte, error) {
			p.note(at, "tried")
			return nil, fmt.Errorf("context: %w", a.Invalid)
		})
		text, _ := json.Marshal(fault.As(err)) // kinds and texts encode
		return p.step(ctx, r, at, name+" was", string(text))
	case "traced":
		return p.step(ctx, r, at, name, trace.From(ctx).String())
	case "sleep":
		return r.Sleep(ctx, name, a.For)
	case "wait":
		payload, err := r.Wait(ctx, name, a.Text, a.For)
		if err == flow.ErrTimeout {
			payload, err = []byte("timeout"), nil
		}
		if err != nil {
			return err
		}
		return p.step(ctx, r, at, name+" heard", string(payload))
	}
	return p.step(ctx, r, at, name, a.Text)
}

func (p *Probe) step(ctx context.Context, r flow.Run, at, name, text string) error {
	_, err := r.Step(ctx, name, func(context.Context) ([]byte, error) { p.note(at, text); return nil, nil })
	return err
}

func place(s tenants.Scope, id string) string { return s.Key(id) }

// note writes a line of a run and says how many it has.
func (p *Probe) note(at, text string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.notes == nil {
		p.notes = map[string][]string{}
	}
	p.notes[at] = append(p.notes[at], text)
	if p.more != nil {
		close(p.more)
		p.more = nil
	}
	return len(p.notes[at])
}

// lines waits until a run has noted n lines, and returns all it has.
func (p *Probe) lines(ctx context.Context, at string, n int) ([]string, error) {
	for {
		p.mu.Lock()
		noted := append([]string(nil), p.notes[at]...)
		if p.more == nil {
			p.more = make(chan struct{})
		}
		more := p.more
		p.mu.Unlock()
		if len(noted) >= n {
			return noted, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return noted, context.Cause(ctx)
		}
	}
}
