package watchtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
)

// Seen is all that was noticed. It is safe for concurrent use.
type Seen struct {
	mu    sync.Mutex
	left  []func(context.Context) // what would be done beside events
	spans map[tenants.ID][]trace.Span
	set   map[tenants.ID]*meter.Set
}

// New makes a watch of a Worker, and what shows what it notices. Lines go to log; nil is nowhere.
func New(worker string, log io.Writer) (*watch.Watch, *Seen) {
	s := &Seen{spans: map[tenants.ID][]trace.Span{}, set: map[tenants.ID]*meter.Set{}}
	if log == nil {
		log = io.Discard
	}
	return watch.New(worker, &watch.Options{Log: slog.New(slog.NewJSONHandler(log, nil)), Sink: s, Background: func(_ context.Context, f func(context.Context)) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.left = append(s.left, f)
		return nil
	}}), s
}

// Request is a context within a request of the tenant, of a trace that is kept; end ends it.
func Request(t testing.TB, w *watch.Watch, s tenants.Scope) (ctx context.Context, end func()) {
	place, err := trace.New(rand.Reader)
	require.NoError(t, err)
	ctx, span := w.Begin(t.Context(), trace.Request, "/test", place, trace.Parent{})
	span.For(s)
	return ctx, func() { span.End(ctx, nil) }
}

// Add implements meter.Sink.
func (s *Seen) Add(_ context.Context, of tenants.Scope, b meter.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := of.Tenant()
	s.spans[id] = append(s.spans[id], b.Spans...)
	if s.set[id] == nil {
		s.set[id] = &meter.Set{}
	}
	s.set[id].Add(b.Set)
	return nil
}

// flush has everything told that was noticed so far: the events that it would wait in are over.
func (s *Seen) flush() {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for {
		s.mu.Lock()
		left := s.left
		s.left = nil
		s.mu.Unlock()
		if len(left) == 0 {
			return
		}
		for _, f := range left {
			f(over)
		}
	}
}

// Spans are those of a tenant, in the order of their ends; of one kind, unless that is "".
func (s *Seen) Spans(id tenants.ID, kind trace.Kind) (all []trace.Span) {
	s.flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range s.spans[id] {
		if kind == "" || span.Kind == kind {
			all = append(all, span)
		}
	}
	return all
}

// Sums is what was counted of a tenant, by name and labels: "levada_events [chunk ok]". Of histograms it is the number of observations.
func (s *Seen) Sums(id tenants.ID) map[string]int64 {
	s.flush()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int64{}
	if s.set[id] == nil {
		return all
	}
	for of, c := range s.set[id].All() {
		spec := of.Metric.Spec()
		n := c.Sum
		if spec.Histogram {
			n = c.Count
		}
		all[fmt.Sprint(spec.Name, " ", of.Labels[:len(spec.Labels)])] = n
	}
	return all
}
