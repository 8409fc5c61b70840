package watch_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// Of a trace that is not sampled all is kept that this isolate knows, as soon as something of it has failed; of what went well, or was refused, nothing is. The
// other tenant, whose requests are the same and go well, has no trace.
func TestWhatFailsIsKeptAlthoughItIsNotSampled(t *testing.T) {
	broken, refused := errors.New("it broke"), fault.Invalidf("", "bad", "no")
	part := func(ctx context.Context, name string, err error) {
		ctx, s := watch.Start(ctx, trace.Search, name)
		s.End(ctx, err)
	}
	for name, tc := range map[string]struct {
		do   func(w *watch.Watch, ctx context.Context, err error, root *watch.Span)
		fail error
		want []string // in the order in which they are kept
	}{
		"nothing fails": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			root.End(ctx, nil)
		}, broken, nil},
		"it is refused": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", err)
			root.End(ctx, err)
		}, refused, nil},
		"who asked has left": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) { root.End(ctx, err) }, context.Canceled, nil},
		"the request fails": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			root.End(ctx, err)
		}, broken, []string{"words", "/search"}},
		"a part fails, and the rest goes": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			part(ctx, "vectors", err)
			part(ctx, "rerank", nil)
			root.End(ctx, nil)
		}, broken, []string{"words", "vectors", "rerank", "/search"}},
		"a part of a part fails": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			in, s := watch.Start(ctx, trace.Tool, "search")
			part(in, "vectors", err)
			s.End(in, nil)
			root.End(ctx, nil)
		}, broken, []string{"vectors", "search", "/search"}},
		"it fails after the end": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			root.End(ctx, nil)
			part(ctx, "late", nil)
			part(ctx, "later", err)
		}, broken, []string{"later"}},
		"nobody knows who asked": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			root.Unkept()
			part(ctx, "words", err)
			root.End(ctx, err)
		}, broken, nil},
		"a request within fails": {func(w *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			in, s := w.Begin(ctx, trace.Request, "/tools/execute", w.Child(root.Parent()), root.Parent())
			s.For(tenants.Scope{})
			part(in, "nobody's", err)
			in, s = w.Begin(ctx, trace.Request, "/tools/execute", w.Child(root.Parent()), root.Parent())
			s.For(whose(ctx))
			s.End(in, err)
			root.End(ctx, nil)
		}, broken, []string{"words", "/tools/execute", "/search"}},
		"another trace within fails": {func(w *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			part(ctx, "words", nil)
			in, s := w.Begin(ctx, trace.Event, "chunk", trace.Parent{Trace: [16]byte{9}, Span: [8]byte{9}}, trace.Parent{})
			s.For(whose(ctx))
			part(in, "embed", nil)
			s.End(in, err)
			root.End(ctx, nil)
		}, broken, []string{"embed", "chunk"}},
		"the first hundred": {func(_ *watch.Watch, ctx context.Context, err error, root *watch.Span) {
			for n := range 102 {
				part(ctx, fmt.Sprint(n), nil)
			}
			root.End(ctx, err)
		}, broken, append(numbers(100), "/search")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := newSink(t)
				w := watch.New("api", &watch.Options{Sink: k, Background: background, Log: quiet()})
				for id, err := range map[string]error{"acme": tc.fail, "globex": nil} {
					s := tenantstest.Scope(t, id)
					ctx, root := w.Begin(context.WithValue(event(t.Context()), whoseKey{}, s), trace.Request, "/search", trace.Parent{Trace: [16]byte{1, id[0]}, Span: [8]byte{1}}, trace.Parent{})
					root.For(s)
					tc.do(w, ctx, err, root)
				}
				time.Sleep(time.Minute)
				var got []string
				for _, s := range k.spans["acme"] {
					got = append(got, s.Name)
				}
				assert.Equal(t, tc.want, got)
				assert.Empty(t, k.spans["globex"])
				assert.Equal(t, []int64{1, 1}, []int64{k.requests("acme"), k.requests("globex")}, "what is counted is counted once")
			})
		})
	}
}

type whoseKey struct{}

// whose is the tenant that the test acts for.
func whose(ctx context.Context) tenants.Scope { return ctx.Value(whoseKey{}).(tenants.Scope) }

func numbers(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}
