package llm

import (
	"context"
	"io"

	"levada.dev/events/watch"
	"levada.dev/tenants/quota"
)

// answer is a stream that settles its hold when it ends or is closed, whichever comes first.
type answer struct {
	ctx     context.Context // of the call, which only says whose event the settling is
	span    *watch.Span
	stream  Stream
	model   GenerationModel
	purpose Purpose
	prompt  Prompt
	hold    quota.Hold
	silence *silence

	first  *Delta // read ahead
	err    error  // the end
	ended  bool   // the stream came to io.EOF
	paid   bool
	told   Usage // by the provider
	pieces int   // received, each of a token or more
	got    weight
}

var _ Answer = (*answer)(nil)

// call is the call of this answer's model.
func (a *answer) call(c Call, impatient bool) Call {
	c.Model, c.Impatient = a.model.Name, impatient
	return c
}

// fit is the prompt with an answer that still fits the model's window.
func (a *answer) fit() Prompt {
	p := a.prompt
	p.MaxTokens = max(1, min(p.MaxTokens, a.model.Window-Estimate(p)))
	return p
}

// peek reads the first piece, so that a model that fails before it can be replaced.
func (a *answer) peek() error {
	a.silence.heard() // of the answer's head
	d, err := a.read()
	if err != nil && err != io.EOF {
		return err
	}
	if err == io.EOF {
		a.ended = true
		return nil
	}
	a.first = &d
	a.span.First()
	return nil
}

// Next implements Stream.
func (a *answer) Next() (Delta, error) {
	if d := a.first; d != nil {
		a.first = nil
		return *d, nil
	}
	if a.err != nil {
		return Delta{}, a.err
	}
	if !a.ended {
		d, err := a.read()
		if err == nil {
			return d, nil
		}
		if err != io.EOF {
			a.err = err
			a.finish()
			return Delta{}, err
		}
		a.ended = true
	}
	a.err = io.EOF
	a.finish()
	u, _ := a.Spent()
	return Delta{Usage: &u}, nil
}

// read returns the next piece that is not the usage alone, which waits for the end.
func (a *answer) read() (Delta, error) {
	for {
		a.silence.wait()
		d, err := a.stream.Next()
		a.silence.heard()
		if err != nil {
			return Delta{}, a.silence.why(err)
		}
		if d.Usage != nil {
			a.told, d.Usage = *d.Usage, nil
			if d == (Delta{}) {
				continue
			}
		}
		a.count(d)
		return d, nil
	}
}

func (a *answer) count(d Delta) {
	if d.Text == "" && d.Reasoning == "" && d.Tool == nil {
		return
	}
	a.pieces++
	a.got.add(d.Text)
	a.got.add(d.Reasoning)
	if d.Tool != nil {
		a.got.add(d.Tool.Name)
		a.got.add(d.Tool.Arguments)
	}
}

// Ready serves the function of the same name.
func (a *answer) Ready() bool { return a.first != nil || a.err != nil || a.ended || Ready(a.stream) }

// Close implements Stream.
func (a *answer) Close() error {
	a.settle()
	if a.err == nil {
		a.err = io.ErrClosedPipe
	}
	a.first = nil
	defer a.silence.end()
	return a.stream.Close()
}

// finish is the end of the stream.
func (a *answer) finish() {
	a.silence.end()
	a.settle()
}

func (a *answer) settle() {
	if a.paid {
		return
	}
	a.paid = true
	Settle(a.ctx, a.hold, a.use())
	logged(a.span, a.Source().LogID)
	a.span.End(a.ctx, a.why())
}

// why is how the answer has ended, for who watches. One that was closed before its end was not wanted any more.
func (a *answer) why() error {
	switch {
	case a.ended:
		return nil
	case a.err != nil:
		return a.err
	}
	return context.Canceled
}

// Source implements Stream.
func (a *answer) Source() Source { return a.stream.Source() }

// Spent implements Answer.
func (a *answer) Spent() (Usage, int64) {
	u := a.usage()
	return u, a.model.Price.Of(u.Units())
}

// Cached implements Answer.
func (a *answer) Cached() bool { return false }

// usage is what the provider told, and an estimate where it did not, or told what cannot be: a prompt is never nothing,
// each piece is a token at least, and neither is longer than the model's window.
func (a *answer) usage() Usage {
	u := a.told
	u.Estimated = u.Estimated || !a.ended
	if u.Prompt <= 0 || u.Prompt > a.model.Window {
		u.Prompt, u.Estimated = Estimate(a.prompt), true
	}
	if u.Completion <= 0 || u.Completion > a.model.Window {
		u.Completion = min(max(a.pieces, a.got.tokens()), a.prompt.MaxTokens)
		u.Estimated = u.Estimated || u.Completion > 0
	}
	u.Cached = min(max(u.Cached, 0), u.Prompt)
	return u
}

func (a *answer) use() quota.Use {
	u, nanos := a.Spent()
	used := UseOf(a.ctx, Call{Purpose: a.purpose}, a.model.Name)
	used.Prompt, used.Completion, used.Estimated = int64(u.Prompt), int64(u.Completion), u.Estimated
	used.Nanos, used.Neurons = nanos, quota.Neurons(a.model.Neurons.Of(u.Units()))
	return used
}
