package watch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"sync"
	"time"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// Watch is what one Worker's isolate notices. Safe for concurrent use. A nil Watch notices nothing.
type Watch struct {
	worker string
	opts   Options
	writer string

	mu   sync.Mutex
	pads map[tenants.ID]*pad
}

// Options tunes a Watch. The zero value logs, and keeps nothing.
type Options struct {
	Log    *slog.Logger     // default slog.Default
	Now    func() time.Time // default time.Now
	Random io.Reader        // for ids; default crypto/rand
	Sink   meter.Sink       // where counts and spans go; nil: nowhere
	Export Export           // where spans go beside; nil: nowhere

	// Background runs f beside an event, which stays open until f returns: isolate.Go on Workers. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error
}

// Export sends spans elsewhere: by OTLP. What it does not take is lost there.
type Export func(ctx context.Context, spans []trace.Span) error

// New makes what notices for the Worker of a role.
func New(worker string, o *Options) *Watch {
	w := &Watch{worker: worker, pads: map[tenants.ID]*pad{}}
	if o != nil {
		w.opts = *o
	}
	if w.opts.Log == nil {
		w.opts.Log = slog.Default()
	}
	if w.opts.Now == nil {
		w.opts.Now = time.Now
	}
	if w.opts.Random == nil {
		w.opts.Random = rand.Reader
	}
	if w.opts.Background == nil {
		w.opts.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	id := make([]byte, 12)
	_, _ = io.ReadFull(w.opts.Random, id)
	w.writer = hex.EncodeToString(id)
	return w
}

type spanKey struct{}

// Of is the span that the context is in; nil where nobody watches.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}

// Begin notices the beginning of what came from outside of the Worker: a request, a batch, a run. Its place in a trace is given; whose it is may show
// later (Span.For).
func (w *Watch) Begin(ctx context.Context, kind trace.Kind, name string, place, parent trace.Parent) (context.Context, *Span) {
	if w == nil {
		return ctx, nil
	}
	s := &Span{watch: w, place: place, parent: parent.Span, kind: kind, name: name, start: w.opts.Now()}
	return context.WithValue(ctx, spanKey{}, s), s
}

// Start notices the beginning of a part of what the context is in. Where nobody watches the span is nil, which is as good as any.
func Start(ctx context.Context, kind trace.Kind, name string) (context.Context, *Span) {
	up := Of(ctx)
	if up == nil {
		return ctx, nil
	}
	w := up.watch
	place, err := up.place.Child(w.opts.Random)
	if err != nil {
		return ctx, nil
	}
	s := &Span{watch: w, up: up, place: place, parent: up.place.Span, kind: kind, name: name, start: w.opts.Now(), scope: up.whose()}
	return context.WithValue(ctx, spanKey{}, s), s
}
