package chat

import "encoding/json"

// Event is one thing that happens in a turn, as clients see it.
type Event struct {
	ID   int             `json:"id"` // grows within the turn, not always by one
	Type EventType       `json:"type"`
	Data json.RawMessage `json:"data"`
}

// EventType is the kind of an event.
type EventType string

// The kinds. Done and Error end a turn: every turn has exactly one of them, and nothing after it.
const (
	Sources    EventType = "sources"     // {"sources": [...], "rewrittenQuery"?, "degraded"?}: what the answer may rest on, before it begins
	Token      EventType = "token"       // {"token": "..."}
	ToolCalled EventType = "tool_call"   // {"id", "name", "arguments", "platform"?}: the client is to make it, unless the platform does
	ToolCame   EventType = "tool_result" // {"id", "name", "ok", "content", "durationMs"}: what came of a call that the platform made
	Safety     EventType = "safety"      // a safety.Told: what the tenant's policy has found since the last, where it found something
	Citations  EventType = "citations"   // {"citations": [...]}: what the check of an answer from sources has found, when all of it is there
	UsageEvent EventType = "usage"       // what the turn took
	Done       EventType = "done"        // {"usage", "finishReason", "sessionId"}
	Error      EventType = "error"       // {"code", "message"}
)

// Final reports whether an event of the type ends the turn.
func (t EventType) Final() bool { return t == Done || t == Error }
