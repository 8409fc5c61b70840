package events

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
