package chat

import (
	"context"
	"encoding/json"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools/loop"
)

// Conversation runs turns and shows them; *Chat is the one there is.
type Conversation interface {
	// Start begins a turn, whose events the Live tells from its first one. What keeps a turn from beginning (a session
	// that is busy, a budget, a model that refuses within a second) is an error here; what goes wrong later is the turn's
	// Error event.
	// The turn goes on when ctx ends and when nobody listens.
	Start(ctx context.Context, s tenants.Scope, r Request) (Live, error)
	// Follow tells the events of a turn after the given one, as they come, until its end; code stream_not_found.
	Follow(ctx context.Context, s tenants.Scope, stream StreamID, after int) (Live, error)
}

// Live is a turn as one client follows it. It belongs to one goroutine.
type Live interface {
	Stream() StreamID
	// Next waits for the next event. After the final one it returns io.EOF; when ctx ends first, its error. It returns an
	// event of type "" when nothing has happened for a while, so that the client can be told that the turn lives. Any other
	// error means that the turn's end is not known here: the client is to come back, with no final event made up for it.
	Next(ctx context.Context) (Event, error)
	// Ready reports whether Next would return at once, be it the end, so that several events can go to a client in one
	// write. A turn that is over is always ready.
	Ready() bool
	// Close stops listening. The turn goes on.
	Close()
}

// Request is what a client wants said.
type Request struct {
	Session   string        // "" begins one
	Key       string        // see Opening
	User      string        // the tenant's own name for who speaks
	Messages  []llm.Message // a user's message, or the outcomes of tools
	System    string
	Models    []llm.GenerationModel // to be asked in this order
	Tools     []llm.Tool            // the client's
	Kit       *loop.Kit             // the platform's; nil: none
	Ran       *loop.Outcome         // of a tool that was run before, and whose result the answer rests on
	MaxTokens int
	Grounding *Grounding // nil: the model answers from what it knows

	Policy tenants.Safety
	Report *safety.Report            // what was found so far of what the client says, and of what tools brought; it is told, and taken further
	Over   func(ctx context.Context) // is called once when nothing is found any more, also of a turn that did not begin; may be nil

	Temperature *float64
	Keep        Retention
	RequestID   string
	Cause       events.Cause
}

// Grounding is the search whose sources an answer rests on.
type Grounding struct {
	TopK   int
	Filter json.RawMessage
	Model  string // the embedding model
	Fields rag.Fields
	Boosts []tenants.Boost

	Drop    bool   // what no source says is left out of the answer
	Unknown string // what is said when that leaves nothing; "" says so in the question's language
}
