package events

import (
	"encoding/json"
	"fmt"
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

	Arguments string `json:"argumentsSha256,omitempty"` // SHA-256 of what it was done with, in canonical form (RFC 8785): a tool's arguments, a request's body or else its query

	Outcome    Outcome `json:"outcome"`
	Code       string  `json:"code,omitempty"` // of the error
	DurationMS int64   `json:"durationMs,omitempty"`
	Tokens     int64   `json:"tokens,omitempty"`
	CostNanos  int64   `json:"costNanos,omitempty"` // billionths of a US dollar
	Count      int     `json:"count,omitempty"`     // of equal ones that are told together; 0 is one

	Findings []Finding `json:"findings,omitempty"` // what the safety policy has found
}

// Finding is what the tenant's safety policy has found in one of a request's texts, or in several of the same sort; never the text.
type Finding struct {
	In       TextRole `json:"in"`
	Target   string   `json:"target,omitempty"` // whose text it was: "documents/guide.md", "tools/search_docs"
	Category string   `json:"category"`         // injection, jailbreak, unsafe
	Rule     string   `json:"rule"`             // that found it; a guard model's category
	Score    float64  `json:"score"`            // 0 to 1, in hundredths
	Blocked  bool     `json:"blocked,omitempty"`
	Count    int      `json:"count,omitempty"` // of the texts; 0 is one, and of several this is the worst
}

// TextRole is what a text was in its request.
type TextRole string

// The roles.
const (
	InInput     TextRole = "input"     // the user said it
	InArguments TextRole = "arguments" // a tool was to be called with it
	InSources   TextRole = "sources"   // a search found it
	InResults   TextRole = "results"   // a tool brought it
)

// ActKind is what sort of act it is.
type ActKind string

// The kinds of acts.
const (
	ActTool     ActKind = "tool"
	ActAdmin    ActKind = "admin"
	ActDeletion ActKind = "deletion"
	ActReplay   ActKind = "replay"
	ActAccess   ActKind = "access" // that was refused
	ActSafety   ActKind = "safety" // texts in which the tenant's policy has found something
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
	OutcomeFlagged   Outcome = "flagged"   // it went on, and is noted
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

	maxFindings = 16
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
	if len(a.Findings) > maxFindings {
		return fault.Invalidf(at+".findings", "fact_invalid", "are %d, above %d", len(a.Findings), maxFindings)
	}
	for i, f := range a.Findings {
		if err := f.check(fmt.Sprintf("%s.findings[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

// check reports the first thing that is wrong with the finding.
func (f Finding) check(at string) error {
	switch {
	case !slices.Contains(textRoles, f.In):
		return fault.Invalidf(at+".in", "fact_invalid", "%.32q is no role of a text", f.In)
	case f.Category == "" || len(f.Category) > maxActCode:
		return fault.Invalidf(at+".category", "fact_invalid", "is not 1 to %d bytes long", maxActCode)
	case len(f.Rule) > maxActCode:
		return fault.Invalidf(at+".rule", "fact_invalid", "is longer than %d bytes", maxActCode)
	case !(f.Score >= 0 && f.Score <= 1):
		return fault.Invalidf(at+".score", "fact_invalid", "is not between 0 and 1")
	case utf8.RuneCountInString(f.Target) > maxActTarget:
		return fault.Invalidf(at+".target", "fact_invalid", "is longer than %d characters", maxActTarget)
	case f.Count < 0:
		return fault.Invalidf(at+".count", "fact_invalid", "is below 0")
	}
	return nil
}

var (
	actKinds = []ActKind{ActTool, ActAdmin, ActDeletion, ActReplay, ActAccess, ActSafety}
	outcomes = []Outcome{OutcomeBegun, OutcomeSucceeded, OutcomeFailed, OutcomeRefused, OutcomeTimeout, OutcomeCancelled, OutcomeFlagged}

	textRoles = []TextRole{InInput, InArguments, InSources, InResults}
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
