package events

import "levada.dev/events/fault"

// Types of the facts that are told for the audit trail alone.
const (
	TypeActAttempted  = "dev.levada.act.attempted.v1"
	TypeActPerformed  = "dev.levada.act.performed.v1"
	TypeAccessRefused = "dev.levada.access.refused.v1"
	TypeTextFlagged   = "dev.levada.text.flagged.v1"
)

// ActAttempted says that somebody is going to do something. It is recorded first: what cannot be, does not happen.
type ActAttempted struct {
	What Act    `json:"act"`
	Span string `json:"span,omitempty"` // of the request in its trace: no other has it, while its id is the client's to choose
}

// Type implements Fact.
func (ActAttempted) Type() string { return TypeActAttempted }

// Subject implements Fact.
func (f ActAttempted) Subject() string { return "acts/" + f.What.Name }

// Identity implements Fact: a request attempts an act once, however often its id comes again.
func (f ActAttempted) Identity() string { return identified(f.Span, f.What.Target) }

// Act implements Audited.
func (f ActAttempted) Act() Act { return f.What }

// Check implements Fact.
func (f ActAttempted) Check() error {
	if f.What.Outcome != OutcomeBegun {
		return fault.Invalidf("act.outcome", "fact_invalid", "is not %s", OutcomeBegun)
	}
	return f.What.Check("act")
}

// ActPerformed says how an act ended that was attempted.
type ActPerformed struct {
	What Act    `json:"act"`
	Span string `json:"span,omitempty"` // that of the attempt
}

// Type implements Fact.
func (ActPerformed) Type() string { return TypeActPerformed }

// Subject implements Fact.
func (f ActPerformed) Subject() string { return "acts/" + f.What.Name }

// Identity implements Fact.
func (f ActPerformed) Identity() string { return identified(f.Span, f.What.Target) }

// Act implements Audited.
func (f ActPerformed) Act() Act { return f.What }

// Check implements Fact.
func (f ActPerformed) Check() error {
	if f.What.Outcome == OutcomeBegun || f.What.Outcome == OutcomeFlagged {
		return fault.Invalidf("act.outcome", "fact_invalid", "is how it ended, not %s", f.What.Outcome)
	}
	return f.What.Check("act")
}

// AccessRefused says that somebody was not let in, and how often within some seconds. It names no address and no key, but a key of the
// tenant's own by its name.
type AccessRefused struct {
	What Act    `json:"act"`            // its request is the first of them
	Span string `json:"span,omitempty"` // of that request
}

// Type implements Fact.
func (AccessRefused) Type() string { return TypeAccessRefused }

// Subject implements Fact.
func (AccessRefused) Subject() string { return "access" }

// Identity implements Fact.
func (f AccessRefused) Identity() string { return identified(f.Span, f.What.Code+" "+f.What.Actor) }

// Act implements Audited.
func (f AccessRefused) Act() Act { return f.What }

// Check implements Fact.
func (f AccessRefused) Check() error {
	if f.What.Kind != ActAccess || f.What.Outcome != OutcomeRefused || f.What.Code == "" {
		return fault.Invalidf("act", "fact_invalid", "is no access that was refused, with its code")
	}
	return f.What.Check("act")
}

// TextFlagged says that the tenant's safety policy has found something in the texts of a request: one for each request, and none where nothing was
// found. Where the request was refused for it, the act says so with the code.
type TextFlagged struct {
	What Act    `json:"act"` // its name is the route
	Span string `json:"span,omitempty"`
}

// Type implements Fact.
func (TextFlagged) Type() string { return TypeTextFlagged }

// Subject implements Fact.
func (TextFlagged) Subject() string { return "safety" }

// Identity implements Fact.
func (f TextFlagged) Identity() string { return identified(f.Span, "") }

// Act implements Audited.
func (f TextFlagged) Act() Act { return f.What }

// Check implements Fact.
func (f TextFlagged) Check() error {
	refused := f.What.Outcome == OutcomeRefused
	switch {
	case f.What.Kind != ActSafety || !refused && f.What.Outcome != OutcomeFlagged || refused != (f.What.Code != ""):
		return fault.Invalidf("act", "fact_invalid", "is no request that was flagged, or refused with its code")
	case len(f.What.Findings) == 0:
		return fault.Invalidf("act.findings", "fact_invalid", "is empty")
	}
	return f.What.Check("act")
}

// identified is an identity with the span, if there is one.
func identified(span, what string) string {
	if span == "" {
		return what
	}
	return span + " " + what
}

var (
	_ Audited = ActAttempted{}
	_ Audited = ActPerformed{}
	_ Audited = AccessRefused{}
	_ Audited = TextFlagged{}
	_ Audited = TenantErased{}
	_ Audited = DocumentDeleted{}
)
