package llm

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/workflows/llm/price"
)

// Model generates text.
//
// Generate makes one call of c.Model through the gateway, with the tenant and the purpose on record, and returns once the
// provider has begun to answer or has refused. Whatever the provider's dialect, the stream is the same. It retries
// nothing: fault.Unavailable (busy: code model_busy, else model_unavailable) may be tried again or elsewhere, fault.Limited
// (quota used up, code model_quota) not before its RetryAfter, fault.Invalid (code model_refused, or
// prompt_too_long, which a model with a wider window may take) never. What the provider says that nobody understands is
// fault.Internal, code model_answer. The model's answer ends when ctx does. Safe for concurrent use.
type Model interface {
	Generate(ctx context.Context, s tenants.Scope, c Call, p Prompt) (Stream, error)
}

// Stream is an answer, piece by piece; an answer that was not asked for as a stream is one piece of text. It belongs to
// one goroutine and must be closed.
type Stream interface {
	// Next returns the next piece. After the piece that carries Finish, usage may follow; then comes io.EOF. A stream
	// that ends in any other way is fault.Unavailable, code model_broke_off.
	Next() (Delta, error)
	// Close lets go of the answer. When it has not ended, the provider stops as soon as it notices.
	Close() error
	// Source is who answers, known from the beginning.
	Source() Source
}

// Source says where an answer comes from.
type Source struct {
	Model string
	LogID string // the gateway's log entry
}

// Delta is one piece of an answer. Any of its fields may be empty.
type Delta struct {
	Text      string
	Reasoning string     // what the model thought aloud, from models that show it
	Tool      *ToolDelta // a piece of a call of a tool
	Finish    Finish     // why the answer is at its end
	Usage     *Usage     // what it took, once, at or after the end
}

// ToolDelta is a piece of a call of a tool. The first one of an index has id and name; the arguments of all its pieces
// together are a JSON object.
type ToolDelta struct {
	Index     int
	ID        string
	Name      string
	Arguments string
}

// Finish is why an answer ended.
type Finish string

// The reasons, as OpenAI names them.
const (
	FinishStop   Finish = "stop"
	FinishLength Finish = "length" // MaxTokens or the model's window
	FinishTools  Finish = "tool_calls"
	FinishFilter Finish = "content_filter"
)

// Usage is what a call took, in tokens, as the provider counts them.
type Usage struct {
	Prompt     int  `json:"promptTokens"`
	Completion int  `json:"completionTokens"`
	Cached     int  `json:"cachedTokens,omitempty"` // of Prompt, those that were cheaper
	Estimated  bool `json:"estimated,omitempty"`    // the provider did not say, or the answer broke off
}

// Units is the usage as it is priced.
func (u Usage) Units() price.Units {
	return price.Units{Input: int64(u.Prompt), Cached: int64(u.Cached), Output: int64(u.Completion)}
}

// Total is all of it.
func (u Usage) Total() int { return u.Prompt + u.Completion }
