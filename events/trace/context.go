package trace

import "context"

type contextKey struct{}

// With is a context of what a place in a trace has caused, for who passes it on where nobody watches.
func With(ctx context.Context, p Parent) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From is the place that With has put into a context; zero where it did not.
func From(ctx context.Context) Parent {
	p, _ := ctx.Value(contextKey{}).(Parent)
	return p
}
