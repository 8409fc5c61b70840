package events

import (
	"strconv"

	"levada.dev/events/fault"
)

// TypeChatCompleted is the type of the fact about a conversation's turn.
const TypeChatCompleted = "dev.levada.chat.completed.v1"

// ChatCompleted says that a turn of a conversation has ended, well or not. What was said is not in it.
type ChatCompleted struct {
	SessionID        string `json:"sessionId"`
	Turn             int    `json:"turn"` // its number in the session, from 1
	UserID           string `json:"userId,omitempty"`
	Model            string `json:"model,omitempty"` // who answered; nobody, when the turn failed before
	PromptTokens     int    `json:"promptTokens"`
	CompletionTokens int    `json:"completionTokens"`
	CachedTokens     int    `json:"cachedTokens"` // of the prompt's, those that were cheaper
	Estimated        bool   `json:"estimated,omitempty"`
	CostNanos        int64  `json:"costNanos"`              // billionths of a US dollar
	FinishReason     string `json:"finishReason,omitempty"` // stop, length, tool_calls, content_filter
	Code             string `json:"code,omitempty"`         // of the error, when the turn failed
	DurationMS       int64  `json:"durationMs"`
	LogID            string `json:"logId,omitempty"` // the gateway's log entry
}

// Type implements Fact.
func (ChatCompleted) Type() string { return TypeChatCompleted }

// Subject implements Fact.
func (f ChatCompleted) Subject() string { return "sessions/" + f.SessionID }

// Identity implements Fact. A turn ends once.
func (f ChatCompleted) Identity() string { return strconv.Itoa(f.Turn) }

// Check implements Fact.
func (f ChatCompleted) Check() error {
	switch {
	case f.SessionID == "":
		return fault.Invalidf("sessionId", "fact_invalid", "is required")
	case f.Turn < 1:
		return fault.Invalidf("turn", "fact_invalid", "%d is below 1", f.Turn)
	case f.PromptTokens < 0 || f.CompletionTokens < 0 || f.CachedTokens < 0:
		return fault.Invalidf("promptTokens", "fact_invalid", "a number of tokens is below 0")
	case f.CostNanos < 0:
		return fault.Invalidf("costNanos", "fact_invalid", "%d is below 0", f.CostNanos)
	case f.DurationMS < 0:
		return fault.Invalidf("durationMs", "fact_invalid", "%d is below 0", f.DurationMS)
	}
	return nil
}
