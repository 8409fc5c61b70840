package speech

import (
	"context"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/price"
	"levada.dev/workflows/speech/audio"
)

// NewPaid makes a synthesizer that asks x and pays from the tenant's ledger: the characters and the most that speaking them may cost are reserved
// before the call, and what it took is booked after it. What the gateway still had was paid by whoever asked first. It adds to what a Synthesizer
// may return fault.Limited, code budget_exhausted, and fault.Invalid, codes text_too_long and audio.CodeEmpty. What comes is held against the same, wherever
// it comes from: an answer that was of no use is of none when the gateway still has it.
func NewPaid(x Synthesizer, gate quota.Gate) Synthesizer { return paid{x, gate} }

type paid struct {
	synthesizer Synthesizer
	gate        quota.Gate
}

// Speak implements Synthesizer.
func (p paid) Speak(ctx context.Context, s tenants.Scope, c llm.Call, l Line) (_ Spoken, err error) {
	if err := s.Check(); err != nil {
		return Spoken{}, err
	}
	m, err := FindModel(c.Model)
	if err != nil {
		return Spoken{}, err
	}
	chars := utf8.RuneCountInString(l.Text)
	if chars > m.MaxChars {
		return Spoken{}, fault.Invalidf("text", "text_too_long", "%s takes %d characters at once, not %d", m.Name, m.MaxChars, chars)
	}
	hold, err := p.gate.Acquire(ctx, s, quota.Ask{Amount: quota.Amount{Chars: int64(chars), Nanos: m.Bound(chars)}, Writes: true})
	if err != nil {
		return Spoken{}, err
	}
	ctx, _, done := llm.Paying(ctx, hold, m.Name, c)
	var used []quota.Use
	defer func() { done(err, used...) }()
	out, err := p.synthesizer.Speak(ctx, s, c, l)
	use := llm.UseOf(ctx, c, m.Name)
	use.Chars = int64(chars)
	took := func(u price.Units, estimated bool) {
		use.Nanos, use.Neurons, use.Estimated = m.USD.Of(u), quota.Neurons(m.Neurons.Of(u)), estimated
		used = append(used, use)
	}
	if err != nil {
		if !out.Cached && (llm.Begun(ctx, err) || fault.As(err).Code == CodeUnreadable) { // it may have been spoken all the same
			took(bound(int64(chars), 1), true)
		}
		return out, err
	}
	d, format, err := audio.Duration(out.Audio)
	out.Format = format
	empty := err != nil && fault.As(err).Code == audio.CodeEmpty
	switch {
	case out.Cached: // and paid
	case err == nil || empty:
		took(units(chars, d), false)
	default:
		took(bound(int64(chars), 1), true)
	}
	if empty {
		return out, ErrEmpty(m.Name, l.Voice)
	}
	if err != nil {
		return out, ErrUnreadable(m.Name, err)
	}
	return out, nil
}
