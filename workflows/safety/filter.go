package safety

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Filter makes of verdicts what a tenant's policy says. Safe for concurrent use.
type Filter struct {
	local Screener
	guard Screener
	wait  time.Duration
	log   *slog.Logger
}

// Options tunes a Filter. The zero value is good.
type Options struct {
	Wait time.Duration // for a guard model, 3 s
	Log  *slog.Logger  // default slog.Default()
}

// New makes a filter of the screen that is always asked, and the guard for tenants that name a model; without one they are told that it does
// not answer.
func New(local, guard Screener, o *Options) *Filter {
	f := &Filter{local: local, guard: guard, wait: 3 * time.Second}
	if o != nil {
		f.log = o.Log
		if o.Wait > 0 {
			f.wait = o.Wait
		}
	}
	if f.log == nil {
		f.log = slog.Default()
	}
	return f
}

// The codes of what is refused.
const (
	CodeBlocked     = "content_blocked"
	CodeUnavailable = "safety_unavailable"
)

// Input asks the local screen of what a user says, or a tool is called with. Found is what is to be told of it; the error is code content_blocked
// where the policy says so. It costs nothing, so it is asked before anything is reserved.
func (f *Filter) Input(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID string, texts ...string) (Verdict, error) {
	if f == nil || p.Input == tenants.ScreenOff {
		return Verdict{}, nil
	}
	return f.ask(ctx, s, f.local, p, requestID, texts)
}

// Guarded asks the tenant's guard model, if there is one, of what a user says. Its call is paid. When it does not answer in its time, a text that
// is to be blocked is refused with safety_unavailable, and any other let through, which the log says.
func (f *Filter) Guarded(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID string, texts ...string) (Verdict, error) {
	if f == nil || p.Input == tenants.ScreenOff || p.Model == "" {
		return Verdict{}, nil
	}
	if f.guard == nil {
		return f.silent(ctx, s, p.Input, requestID, fault.New(fault.Unavailable, CodeUnavailable, "no guard model can be asked here", nil))
	}
	limited, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	v, err := f.ask(limited, s, f.guard, p, requestID, []string{strings.Join(texts, "\n\n")}) // one call, however long the conversation is
	if err == nil || fault.As(err).Code == CodeBlocked {
		return v, err
	}
	if ctx.Err() != nil || fault.As(err).Kind == fault.Limited { // the caller has gone, or has no money left
		return v, err
	}
	return f.silent(ctx, s, p.Input, requestID, err)
}

// silent is what becomes of a text that a guard did not judge.
func (f *Filter) silent(ctx context.Context, s tenants.Scope, p tenants.Screening, requestID string, err error) (Verdict, error) {
	f.log.WarnContext(ctx, "a guard model did not answer", "tenantId", s.Tenant(), "requestId", requestID, "code", fault.As(err).Code)
	if p == tenants.ScreenBlock {
		return Verdict{}, fault.New(fault.Unavailable, CodeUnavailable, "the guard model did not answer, and nothing passes without it", err).WithRetryAfter(time.Second)
	}
	return Verdict{}, nil
}

// ask screens texts, and refuses where the policy does.
func (f *Filter) ask(ctx context.Context, s tenants.Scope, screener Screener, p tenants.Safety, requestID string, texts []string) (worst Verdict, err error) {
	for _, text := range texts {
		if text == "" {
			continue
		}
		v, err := screener.Screen(ctx, s, Ask{Text: text, Model: p.Model, RequestID: requestID})
		if err != nil {
			return Verdict{}, err
		}
		worst = worse(worst, v)
	}
	if worst.Found() && p.Input == tenants.ScreenBlock {
		return worst, Blocked(worst)
	}
	return worst, nil
}

// Blocked is the fault of a text that is refused. What exactly was found it does not say: who wants to know it asks with a policy that flags.
func Blocked(v Verdict) error {
	return fault.New(fault.Invalid, CodeBlocked, "the text was taken for an attempt at "+string(v.Kind)+", and is not answered", nil).
		WithHint("say it in other words; who administers the tenant sets safety.input")
}

// Arguments is Input for what a tool is called with: JSON, whose strings are asked of as they are read, and not as they are written
// (tools.Options.Screen). What was found comes beside the error, too.
func (f *Filter) Arguments(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID, arguments string) (Verdict, error) {
	v, err := f.said(ctx, s, p, requestID, arguments)
	if fault.As(err).Code == CodeBlocked {
		refused := *fault.As(err)
		refused.Field = "params"
		return v, &refused
	}
	return v, err
}

// LeftOut stands where something would that a tool brought and no model is to be shown: a string of its JSON, or all of it.
const LeftOut = "[left out: it was taken for an attempt to give other instructions]"

// Result asks of what a tool has brought, and returns what a model may be shown of it. Of JSON the strings that are bad go, and what is left is still
// JSON of the same shape. All of it goes where it is not JSON, and where the name of a member is bad.
func (f *Filter) Result(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID, text string) (string, Verdict, error) {
	if f == nil || p.Retrieved == tenants.ScreenOff {
		return text, Verdict{}, nil
	}
	r, err := f.read(ctx, s, Ask{Text: text, Strange: true, RequestID: requestID})
	if err != nil {
		return "", Verdict{}, err
	}
	if r.worst.Found() && p.Retrieved == tenants.ScreenBlock {
		return r.shown(text), r.worst, nil
	}
	return text, r.worst, nil
}

// Retrieved asks the local screen of texts that others wrote: sources, and what tools brought. There is a verdict for each. Whoever asks leaves out
// those that are Found where the policy is to block, and tells of them where it is to flag.
func (f *Filter) Retrieved(ctx context.Context, s tenants.Scope, p tenants.Safety, requestID string, texts ...string) ([]Verdict, error) {
	out := make([]Verdict, len(texts))
	if f == nil || p.Retrieved == tenants.ScreenOff {
		return out, nil
	}
	for i, text := range texts {
		v, err := f.local.Screen(ctx, s, Ask{Text: text, Strange: true, RequestID: requestID})
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}
