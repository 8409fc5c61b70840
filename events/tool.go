package events

import (
	"slices"
	"strconv"

	"levada.dev/events/fault"
)

// Types of the facts about tools.
const (
	TypeToolStarted  = "dev.levada.tool.started.v1"
	TypeToolExecuted = "dev.levada.tool.executed.v1"
)

// ToolCall says who called which tool, and with what digest of arguments; never the arguments.
type ToolCall struct {
	CallID    string `json:"callId"`            // stays when the call is repeated with its key
	Attempt   int    `json:"attempt,omitempty"` // of a call with a key, from 1; 0 when it has none
	Tool      string `json:"tool"`
	Via       string `json:"via"` // http or chat
	Actor     string `json:"actor,omitempty"`
	UserID    string `json:"userId,omitempty"`
	RequestID string `json:"requestId,omitempty"`
	Arguments string `json:"argumentsSha256,omitempty"` // in canonical form (RFC 8785); none when they have no such form
}

// Subject implements Fact.
func (c ToolCall) Subject() string { return "calls/" + c.CallID }

// Identity implements Fact.
func (c ToolCall) Identity() string { return c.CallID + "/" + strconv.Itoa(c.Attempt) }

func (c ToolCall) check() error {
	switch {
	case c.CallID == "":
		return fault.Invalidf("callId", "fact_invalid", "is required")
	case c.Attempt < 0:
		return fault.Invalidf("attempt", "fact_invalid", "%d is below 0", c.Attempt)
	case c.Tool == "":
		return fault.Invalidf("tool", "fact_invalid", "is required")
	case c.Via == "":
		return fault.Invalidf("via", "fact_invalid", "is required")
	case c.Arguments != "" && !isDigest(c.Arguments):
		return fault.Invalidf("argumentsSha256", "fact_invalid", "is no SHA-256 in hexadecimal")
	}
	return nil
}

func (c ToolCall) act() Act {
	return Act{
		Kind: ActTool, Name: c.Tool, Actor: c.Actor, UserID: c.UserID, RequestID: c.RequestID, Target: c.Subject(), Arguments: c.Arguments,
	}
}

// ToolStarted says that a tool that writes is about to be run. If no ToolExecuted of the same attempt follows, it was cut off.
type ToolStarted struct{ ToolCall }

// Type implements Fact.
func (ToolStarted) Type() string { return TypeToolStarted }

// Check implements Fact.
func (f ToolStarted) Check() error { return f.check() }

// Act implements Audited.
func (f ToolStarted) Act() Act {
	a := f.act()
	a.Outcome = OutcomeBegun
	return a
}

// ToolExecuted says how a call of a tool ended, also that it was refused.
type ToolExecuted struct {
	ToolCall
	Outcome    Outcome `json:"outcome"`
	Code       string  `json:"code,omitempty"` // of the error: the tool's own when it failed
	DurationMS int64   `json:"durationMs"`
	Tokens     int64   `json:"tokens,omitempty"`    // of calls of models
	CostNanos  int64   `json:"costNanos,omitempty"` // billionths of a US dollar
}

// Type implements Fact.
func (ToolExecuted) Type() string { return TypeToolExecuted }

// Check implements Fact.
func (f ToolExecuted) Check() error {
	switch {
	case f.Outcome == OutcomeBegun || f.Outcome == OutcomeFlagged || !slices.Contains(outcomes, f.Outcome):
		return fault.Invalidf("outcome", "fact_invalid", "%.20q is no end of a call", f.Outcome)
	case (f.Outcome == OutcomeSucceeded) != (f.Code == ""):
		return fault.Invalidf("code", "fact_invalid", "there is one, unless the call succeeded")
	case f.DurationMS < 0 || f.Tokens < 0 || f.CostNanos < 0:
		return fault.Invalidf("durationMs", "fact_invalid", "duration, tokens and cost are not below 0")
	}
	return f.check()
}

// Act implements Audited.
func (f ToolExecuted) Act() Act {
	a := f.act()
	a.Outcome, a.Code, a.DurationMS, a.Tokens, a.CostNanos = f.Outcome, f.Code, f.DurationMS, f.Tokens, f.CostNanos
	return a
}

var (
	_ Audited = ToolStarted{}
	_ Audited = ToolExecuted{}
)
