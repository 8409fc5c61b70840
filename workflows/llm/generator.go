package llm

import (
	"context"
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/quota"
)

// Generator generates text that is paid for.
//
// The most the answer may cost is reserved in the tenant's ledger before a model is asked, and what it took is booked when
// the answer is closed, whichever way it ended: so an answer must be closed. A model that is busy or fails
// before its answer has begun is replaced by the next of the order; one that the provider's quota refuses is not, as the
// others share it. What a Model may return, it may, too, and fault.Limited, code budget_exhausted. Safe for concurrent use.
type Generator interface {
	Generate(ctx context.Context, s tenants.Scope, o Order) (Answer, error)
}

// Order is a call of one of several models.
type Order struct {
	Models []GenerationModel // to be asked in this order; at least one
	Call   Call              // without the model
	Prompt Prompt            // with MaxTokens
	Cache  time.Duration     // for how long an equal order of the tenant may get this answer; 0 is never
	// Version is of what the caller makes of an answer. One that was kept is given to orders of the same version alone.
	Version string
	// Redact puts the kinds of personal data in its place in what the answer says (safety.NewGenerator). So it is kept (Cache), and an order that
	// does not want it redacted is another.
	Redact bool
}

// Answer is a Stream that knows what it cost. Just before io.EOF it has told the usage, estimated if the provider did not.
type Answer interface {
	Stream
	// Spent is what the answer took and cost so far. It is final once the stream has ended or was closed.
	Spent() (Usage, int64)
	// Cached reports whether the answer was given before, and so costs nothing now.
	Cached() bool
}

// Most is what the order can cost at most, and what is reserved for it.
func (o Order) Most() quota.Amount { return most(o.Models, o.Prompt) }

// Redacted is the kinds of what was left out of what an answer has said so far; none of one that cannot tell, because it has no method Redacted.
func Redacted(a Answer) []string {
	if r, ok := a.(interface{ Redacted() []string }); ok {
		return r.Redacted()
	}
	return nil
}

// Ready reports whether Next would return at once, so that several pieces can go to a client in one write. A stream that
// cannot tell, because it has no method Ready, never is.
func Ready(s Stream) bool {
	r, ok := s.(interface{ Ready() bool })
	return ok && r.Ready()
}
