package quota

import (
	"cmp"
	"context"
	"slices"
)

// What tenants pay for: the capabilities by which an account is kept.
const (
	Chat       = "chat"
	Search     = "search"
	Ingest     = "ingest"
	Tools      = "tools"
	Speech     = "speech"
	Embeddings = "embeddings" // of a caller who uses them elsewhere
)

// capabilities is what a call is booked under by its purpose, when nothing else is said (Under).
var capabilities = map[string]string{
	"document": Ingest, "embeddings": Embeddings, "speech": Speech, "tools": Tools,
	"query": Search, "rewrite": Search, "rerank": Search, "answer": Search,
	"chat": Chat, "summary": Chat, "safety": Chat,
}

// Under makes a context whose calls of models are booked under a capability, whatever their purpose: a search that a turn makes is the
// conversation's, and what a tool asks is the tool's. The innermost counts.
func Under(ctx context.Context, capability string) context.Context {
	return context.WithValue(ctx, under{}, capability)
}

type under struct{}

// CapabilityOf is what a call of a purpose is booked under. One that nobody knows is its own.
func CapabilityOf(ctx context.Context, purpose string) string {
	if c, ok := ctx.Value(under{}).(string); ok {
		return c
	}
	return cmp.Or(capabilities[purpose], purpose)
}

// whole is a line as it is read. One of before there were purposes has its purpose for a capability; and what has no neurons, because it is as old
// or was never settled, has those that its money is the price of. A line with a purpose has all of its neurons.
func (l Line) whole() Line {
	if l.Purpose != "" {
		return l
	}
	if c := capabilities[l.Capability]; c != "" {
		l.Capability, l.Purpose = c, l.Capability
	}
	l.Neurons = NeuronsOf(l.Nanos)
	return l
}

// together adds up lines that are the same but for what they took, and puts them in order.
func together(lines []Line) []Line {
	var out []Line
	at := map[lineKey]int{}
	for _, l := range lines {
		l = l.whole()
		i, known := at[l.key()]
		if !known {
			at[l.key()] = len(out)
			out = append(out, l)
			continue
		}
		out[i] = out[i].Add(l)
	}
	slices.SortFunc(out, Line.Compare)
	return out
}

// Compare puts lines in the order of an account: by day, capability, purpose and model.
func (l Line) Compare(o Line) int {
	return cmp.Or(cmp.Compare(l.Day, o.Day), cmp.Compare(l.Capability, o.Capability), cmp.Compare(l.Purpose, o.Purpose), cmp.Compare(l.Model, o.Model))
}
