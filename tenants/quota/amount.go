package quota

// Amount is a sum of all currencies. Each budget counts one of them.
type Amount struct {
	Tokens int64 `json:"tokens,omitempty"`
	Chars  int64 `json:"chars,omitempty"` // characters of text that is spoken
	Nanos  int64 `json:"nanos,omitempty"` // billionths of a US dollar
}

// Add is the sum of two amounts.
func (a Amount) Add(b Amount) Amount {
	return Amount{Tokens: a.Tokens + b.Tokens, Chars: a.Chars + b.Chars, Nanos: a.Nanos + b.Nanos}
}

// Sub is the difference.
func (a Amount) Sub(b Amount) Amount { return a.Add(b.Times(-1)) }

// Times is the amount so many times.
func (a Amount) Times(n int) Amount {
	return Amount{Tokens: a.Tokens * int64(n), Chars: a.Chars * int64(n), Nanos: a.Nanos * int64(n)}
}

// Part is an equal part of the amount, rounded towards nothing.
func (a Amount) Part(of int64) Amount {
	return Amount{Tokens: a.Tokens / of, Chars: a.Chars / of, Nanos: a.Nanos / of}
}

// Max has of each currency the larger side.
func (a Amount) Max(b Amount) Amount {
	return Amount{Tokens: max(a.Tokens, b.Tokens), Chars: max(a.Chars, b.Chars), Nanos: max(a.Nanos, b.Nanos)}
}

// Min has of each currency the smaller side.
func (a Amount) Min(b Amount) Amount {
	return Amount{Tokens: min(a.Tokens, b.Tokens), Chars: min(a.Chars, b.Chars), Nanos: min(a.Nanos, b.Nanos)}
}

// Covers reports whether b can be taken out of the amount.
func (a Amount) Covers(b Amount) bool {
	return a.Tokens >= b.Tokens && a.Chars >= b.Chars && a.Nanos >= b.Nanos
}

// Negative reports whether there is less than nothing of a currency.
func (a Amount) Negative() bool { return a.Tokens < 0 || a.Chars < 0 || a.Nanos < 0 }

// Part is the budget's side of an amount.
func (b Budget) Part(a Amount) int64 {
	switch b.Unit {
	case "tokens":
		return a.Tokens
	case "characters":
		return a.Chars
	}
	return a.Nanos
}

// Amount is what the use costs.
func (u Use) Amount() Amount {
	return Amount{Tokens: u.Prompt + u.Completion, Chars: u.Chars, Nanos: u.Nanos}
}

// Line is the use as the account has it on a day.
func (u Use) Line(day Day) Line {
	l := u.line(day)
	l.Calls, l.Prompt, l.Completion, l.Chars, l.Neurons, l.Nanos = 1, u.Prompt, u.Completion, u.Chars, u.Neurons, u.Nanos
	if u.Estimated {
		l.Estimated = 1
	}
	return l
}

// line is the line that the use belongs to, with nothing in it.
func (u Use) line(day Day) Line {
	return Line{Day: day, Capability: u.Capability, Purpose: u.Purpose, Model: u.Model}
}

// Amount is what the line costs.
func (l Line) Amount() Amount {
	return Amount{Tokens: l.Prompt + l.Completion, Chars: l.Chars, Nanos: l.Nanos}
}

// Add is the line with what another took beside it.
func (l Line) Add(o Line) Line { return l.plus(o, 1) }

// Sub is the line without what another took.
func (l Line) Sub(o Line) Line { return l.plus(o, -1) }

func (l Line) plus(o Line, sign int64) Line {
	l.Calls, l.Estimated = l.Calls+sign*o.Calls, l.Estimated+sign*o.Estimated
	l.Prompt, l.Completion = l.Prompt+sign*o.Prompt, l.Completion+sign*o.Completion
	l.Chars, l.Neurons, l.Nanos = l.Chars+sign*o.Chars, l.Neurons+Neurons(sign)*o.Neurons, l.Nanos+sign*o.Nanos
	return l
}

// Zero reports whether the line takes nothing.
func (l Line) Zero() bool { return l == l.Empty() }

// Empty is the line with nothing in it.
func (l Line) Empty() Line {
	return Line{Day: l.Day, Capability: l.Capability, Purpose: l.Purpose, Model: l.Model}
}
