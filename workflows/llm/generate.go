package llm

import (
	"context"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// Options sets what a Generator does besides. The zero value is good.
type Options struct {
	// Patience is how long a model may say nothing, before its first piece and between two: after once to twice as long it
	// counts as one that broke off. An answer in one piece may take twice as long. Default 30 s.
	Patience time.Duration

	// Replaced is told of each model that did not answer and was replaced by the next, and why: for the log.
	Replaced func(ctx context.Context, s tenants.Scope, model string, err error)
}

// NewGenerator makes the generator that asks m and pays from the tenant's ledger.
func NewGenerator(m Model, gate quota.Gate, o *Options) Generator {
	g := &generator{model: m, gate: gate}
	if o != nil {
		g.options = *o
	}
	if g.options.Patience <= 0 {
		g.options.Patience = 30 * time.Second
	}
	if g.options.Replaced == nil {
		g.options.Replaced = func(context.Context, tenants.Scope, string, error) {}
	}
	return g
}

type generator struct {
	model   Model
	gate    quota.Gate
	options Options
}

// patience is how long the model may say nothing.
func (g *generator) patience(p Prompt) time.Duration {
	if p.Stream {
		return g.options.Patience
	}
	return 2 * g.options.Patience
}

// Generate implements Generator. What is reserved is one answer of the dearest model, and one answer is all that can be
// spent of it: a model that breaks off before its first word, which is paid for, is replaced on a new hold.
func (g *generator) Generate(ctx context.Context, s tenants.Scope, o Order) (Answer, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	models, err := fitting(o)
	if err != nil {
		return nil, err
	}
	for {
		hold, err := g.gate.Acquire(ctx, s, quota.Ask{Amount: most(models, o.Prompt)})
		if err != nil {
			return nil, err
		}
		a, left, err := g.ask(ctx, s, o, models, hold)
		if a != nil {
			return a, nil
		}
		if len(left) == 0 {
			return nil, err
		}
		models = left
	}
}

// fitting is the models whose window the prompt fits, as far as one can tell without their tokenizers.
func fitting(o Order) ([]GenerationModel, error) {
	if len(o.Models) == 0 || o.Prompt.MaxTokens < 1 {
		return nil, fault.New(fault.Internal, "order_invalid", "an order needs a model and the tokens of its answer", nil)
	}
	asked, widest := Estimate(o.Prompt), 0
	var out []GenerationModel
	for _, m := range o.Models {
		if widest = max(widest, m.Window); asked < m.Window {
			out = append(out, m)
		}
	}
	if len(out) == 0 {
		return nil, fault.Invalidf("messages", "prompt_too_long", "about %d tokens do not fit the model's %d", asked, widest)
	}
	return out, nil
}

// most is the most that one answer of one of the models can cost.
func most(models []GenerationModel, p Prompt) (a quota.Amount) {
	bound, answer := Bound(p), int64(p.MaxTokens)
	for _, m := range models {
		asked := min(bound, int64(m.Window)) // more, and the model refuses
		a.Tokens = max(a.Tokens, asked+answer)
		a.Nanos = max(a.Nanos, asked*max(m.Price.Input, m.Price.Cached)+answer*m.Price.Output)
	}
	return a
}

// ask asks the models in their order until one begins to answer, and settles the hold unless the answer takes it over. When
// one broke off before its first word, it returns the models that are left.
func (g *generator) ask(ctx context.Context, s tenants.Scope, o Order, models []GenerationModel, hold quota.Hold) (_ *answer, left []GenerationModel, err error) {
	var used []quota.Use // of the last that was asked
	taken, within, span := false, ctx, (*watch.Span)(nil)
	defer func() {
		if !taken {
			Settle(within, hold, used...)
			span.End(within, err)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, nil, fault.Unavailablef(err, "model_unavailable", "the caller left before a model was asked")
	}
	for i, m := range models {
		within, span = Watched(ctx, m.Name, o.Call)
		a := &answer{ctx: within, span: span, model: m, purpose: o.Call.Purpose, prompt: o.Prompt, hold: hold, silence: await(within, g.patience(o.Prompt))}
		last := i == len(models)-1
		if a.stream, err = g.model.Generate(a.silence.ctx, s, a.call(o.Call, !last), a.fit()); err == nil {
			if err = a.peek(); err == nil {
				taken = true
				return a, nil, nil
			}
			_ = a.stream.Close() // it has failed already
			used, left = []quota.Use{a.use()}, models[i+1:]
		} else if err = a.silence.why(err); Begun(ctx, err) {
			used, left = []quota.Use{a.use()}, models[i+1:]
		}
		a.silence.end()
		if last || ctx.Err() != nil || !replaceable(err) {
			return nil, nil, err
		}
		g.options.Replaced(ctx, s, m.Name, err)
		if used != nil {
			return nil, left, err
		}
		span.End(within, err)
	}
	return nil, nil, err
}

// replaceable reports whether another model may do what one did not.
func replaceable(err error) bool {
	return fault.Is(err, fault.Unavailable) || fault.As(err).Code == "prompt_too_long"
}

// Begun reports whether a call that failed may have cost something: the caller left while the provider was at work, or the
// provider broke off or said what nobody understands. What it refused costs nothing.
func Begun(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	f := fault.As(err)
	return f.Kind == fault.Internal || f.Code == CodeBrokeOff
}

// CodeBrokeOff is the fault of an answer that ended before its end.
const CodeBrokeOff = "model_broke_off"
