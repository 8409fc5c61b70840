package watch

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	mathrand "math/rand/v2"
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

	mu     sync.Mutex
	pads   map[tenants.ID]*pad
	number int64 // of the last batch, whoever's: so that of a tenant that was forgotten meanwhile no number comes twice
	writer string
	ids    *mathrand.ChaCha8 // nil until the first is needed: where a Worker starts there is no randomness
}

// Options tunes a Watch. The zero value logs, and keeps nothing.
type Options struct {
	Log  *slog.Logger     // default slog.Default
	Now  func() time.Time // default time.Now
	Sink meter.Sink       // where counts and spans go; nil: nowhere
	Skip int              // how many of a hundred traces that begin here are not kept; default none

	// Background runs f beside an event, which stays open until f returns: isolate.Go on Workers. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error
}

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
	if w.opts.Background == nil {
		w.opts.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	return w
}

// seed makes the writer's name and the source of ids. The caller holds the mutex.
func (w *Watch) seed() {
	if w.ids != nil {
		return
	}
	var b [44]byte
	_, _ = rand.Read(b[:]) // which never fails
	w.writer = hex.EncodeToString(b[:12])
	w.ids = mathrand.NewChaCha8([32]byte(b[12:]))
}

// Child is a new place below another.
func (w *Watch) Child(of trace.Parent) trace.Parent {
	if w == nil {
		return of
	}
	w.mu.Lock()
	w.seed()
	id := w.ids.Uint64()
	w.mu.Unlock()
	binary.BigEndian.PutUint64(of.Span[:], max(id, 1)) // 0 is no id
	return of
}

// Begins is the place of a trace that begins here: sampled, or not, as its id has it (Options.Skip), so that all who ask decide alike.
func (w *Watch) Begins(place trace.Parent) trace.Parent {
	if w == nil || w.opts.Skip <= 0 {
		return place
	}
	if binary.BigEndian.Uint64(place.Trace[8:])%100 < uint64(w.opts.Skip) { // the part that https://www.w3.org/TR/trace-context-2/#random-trace-id-flag promises to be random
		place.Flags &^= trace.Sampled
	}
	return place
}

// Place is below a parent, or begins a trace where there is none. Whoever asks with the same name has the same.
func (w *Watch) Place(of trace.Parent, name string) trace.Parent {
	seed := sha256.Sum256([]byte(name))
	source := bytes.NewReader(seed[:]) // there is enough of it
	if of != (trace.Parent{}) {
		p, _ := of.Child(source)
		return p
	}
	p, _ := trace.New(source)
	return w.Begins(p)
}

type spanKey struct{}

// Of is the span that the context is in; nil where nobody watches.
func Of(ctx context.Context) *Span {
	s, _ := ctx.Value(spanKey{}).(*Span)
	return s
}

// Begin notices the beginning of what came from outside of the Worker: a request, a batch, an attempt at a step. Its place in a trace is given; whose it is may
// show later (Span.For). One within another is part of it, and is not counted as one of its kind.
func (w *Watch) Begin(ctx context.Context, kind trace.Kind, name string, place, parent trace.Parent) (context.Context, *Span) {
	if w == nil {
		return ctx, nil
	}
	s := &Span{watch: w, up: Of(ctx), place: place, parent: parent.Span, kind: kind, name: name, start: w.opts.Now()}
	switch {
	case place.Flags&trace.Sampled != 0 || w.opts.Sink == nil:
	case s.up != nil && s.up.tail != nil && s.up.place.Trace == place.Trace:
		s.tail = s.up.tail
	default:
		s.tail = &tail{root: s}
	}
	return s.Within(ctx), s
}

// Start notices the beginning of a part of what the context is in. Where nobody watches the span is nil, which is as good as any.
func Start(ctx context.Context, kind trace.Kind, name string) (context.Context, *Span) {
	up := Of(ctx)
	if up == nil {
		return ctx, nil
	}
	w := up.watch
	s := &Span{watch: w, up: up, place: w.Child(up.place), parent: up.place.Span, kind: kind, name: name, start: w.opts.Now(), tail: up.tail}
	s.scope, s.unkept = up.whose()
	return s.Within(ctx), s
}

// Count counts what is no span, such as an event that was given up.
func (w *Watch) Count(ctx context.Context, s tenants.Scope, of meter.Series, n int64) {
	if w == nil || s.Check() != nil {
		return
	}
	w.put(ctx, s, w.opts.Now(), func(p *pad) { p.set.Count(of, n) })
}
