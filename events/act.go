package events

import (
	"encoding/json"
	"slices"
	"unicode/utf8"

	"levada.dev/events/fault"
)

// Act is who did what, as the audit trail shows it. What it was done with, and what came of it, is not in it.
type Act struct {
	Kind      ActKind `json:"kind"`
	Name      string  `json:"name"`                // the tool, or what was done: "documents.delete"
	Actor     string  `json:"actor,omitempty"`     // the name of the caller's key, "source:<id>" of a webhook's; empty when there was none
	UserID    string  `json:"userId,omitempty"`    // the tenant's own name for who asked
	RequestID string  `json:"requestId,omitempty"` // of the request
	Target    string  `json:"target,omitempty"`    // what it was done to: "documents/guide.md"

	Arguments string `json:"argumentsSha256,omitempty"` // SHA-256 of a tool's arguments in canonical form (RFC 8785)

	Outcome    Outcome `json:"outcome"`
	Code       string  `json:"code,omitempty"` // of the error
	DurationMS int64   `json:"durationMs,omitempty"`
	Tokens     int64   `json:"tokens,omitempty"`
	CostNanos  int64   `json:"costNanos,omitempty"` // billionths of a US dollar
	Count      int     `json:"count,omitempty"`     // of equal ones that are told together; 0 is one
}

// ActKind is what sort of act it is.
type ActKind string

// The kinds of acts.
const (
	ActTool     ActKind = "tool"
	ActAdmin    ActKind = "admin"
	ActDeletion ActKind = "deletion"
	ActReplay   ActKind = "replay"
	ActAccess   ActKind = "access" // that was refused
)

// Outcome is how an act ended.
type Outcome string

// The outcomes. An act that was begun and has no other entry was cut off, and it is not known how it ended.
const (
	OutcomeBegun     Outcome = "begun"
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeFailed    Outcome = "failed"    // it was tried
	OutcomeRefused   Outcome = "refused"   // it was not
	OutcomeTimeout   Outcome = "timeout"   // it was tried, and took too long
	OutcomeCancelled Outcome = "cancelled" // the caller left
)

// Audited is a fact about an act.
type Audited interface {
	Fact
	Act() Act
}

// How long the texts of an act may be, so that a record always has room for it.
const (
	maxActName   = 128 // also of the actor, the user and the request
	maxActTarget = 512
	maxActCode   = 64
)

// Check reports the first thing that is wrong with the act, with its path below at.
func (a Act) Check(at string) error {
	switch {
	case !slices.Contains(actKinds, a.Kind):
		return fault.Invalidf(at+".kind", "fact_invalid", "%.32q is no kind of act", a.Kind)
	case a.Name == "":
		return fault.Invalidf(at+".name", "fact_invalid", "is required")
	case !slices.Contains(outcomes, a.Outcome):
		return fault.Invalidf(at+".outcome", "fact_invalid", "%.32q is no outcome", a.Outcome)
	case a.Arguments != "" && !isDigest(a.Arguments):
		return fault.Invalidf(at+".argumentsSha256", "fact_invalid", "is no digest")
	case a.DurationMS < 0 || a.Tokens < 0 || a.CostNanos < 0 || a.Count < 0:
		return fault.Invalidf(at, "fact_invalid", "a number is below 0")
	}
	for _, text := range []struct {
		name, value string
		most        int
	}{
		{"name", a.Name, maxActName}, {"actor", a.Actor, maxActName}, {"userId", a.UserID, maxActName},
		{"requestId", a.RequestID, maxActName}, {"target", a.Target, maxActTarget}, {"code", a.Code, maxActCode},
	} {
		if utf8.RuneCountInString(text.value) > text.most {
			return fault.Invalidf(at+"."+text.name, "fact_invalid", "is longer than %d characters", text.most)
		}
	}
	return nil
}

var (
	actKinds = []ActKind{ActTool, ActAdmin, ActDeletion, ActReplay, ActAccess}
	outcomes = []Outcome{OutcomeBegun, OutcomeSucceeded, OutcomeFailed, OutcomeRefused, OutcomeTimeout, OutcomeCancelled}
)

// ActKinds lists the kinds of acts.
func ActKinds() []ActKind { return slices.Clone(actKinds) }

// Outcomes lists how acts end.
func Outcomes() []Outcome { return slices.Clone(outcomes) }

// actOf is the act that an event tells, nil when it tells none. Of data that is claimed already it is not known.
func actOf(e Event, spec Spec) (*Act, error) {
	f, audited := spec.New().(Audited)
	if !audited || len(e.Data) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(e.Data, f); err != nil {
		return nil, invalid("data", "%s: %v", e.Type, err)
	}
	act := f.Act()
	return &act, act.Check("act")
}
