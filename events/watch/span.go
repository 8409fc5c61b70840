package watch

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// Span is something that goes on. Its methods may be called by several goroutines, and do nothing on a nil Span, which is what there is where nobody watches.
type Span struct {
	watch  *Watch
	up     *Span // in this isolate; nil for what came from outside
	place  trace.Parent
	parent [8]byte
	kind   trace.Kind
	name   string
	start  time.Time
	tail   *tail // of the trace, where it is not kept; nil where it is

	mu      sync.Mutex
	scope   tenants.Scope
	facts   trace.Facts
	along   []string
	unkept  bool
	strange bool
	ended   bool
	took    time.Duration // when it has
}

// Within is the context in which the span is what everything is part of.
func (s *Span) Within(ctx context.Context) context.Context {
	if s == nil {
		return ctx
	}
	return context.WithValue(ctx, spanKey{}, s)
}

// Parent is the place of the span in its trace, for what it causes; zero where nobody watches.
func (s *Span) Parent() trace.Parent {
	if s == nil {
		return trace.Parent{}
	}
	return s.place
}

// For says whose the span is. What ends as nobody's is in the log alone.
func (s *Span) For(scope tenants.Scope) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.scope = scope
	s.mu.Unlock()
}

// Named gives the span its name, where that shows only later.
func (s *Span) Named(name string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.name = name
	s.mu.Unlock()
}

// Note changes what is known of the span. f must not call the span.
func (s *Span) Note(f func(*trace.Facts)) {
	if s == nil {
		return
	}
	s.mu.Lock()
	f(&s.facts)
	s.mu.Unlock()
}

// First notes that the first piece of an answer is there. Calls after the first do nothing.
func (s *Span) First() {
	if s == nil {
		return
	}
	now := s.watch.opts.Now()
	s.mu.Lock()
	if s.facts.FirstByte == 0 {
		s.facts.FirstByte = max(now.Sub(s.start), 1)
	}
	s.mu.Unlock()
}

// Unkept keeps the span out of its trace, with what begins in it from now on: what nobody knows who asked for must not push out of a tenant's traces what is in
// them. It is counted, and in the log.
func (s *Span) Unkept() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.unkept = true
	s.mu.Unlock()
}

// Stranger keeps the span out of its trace, and says that nobody knows who asked: it is counted with all such requests, wherever they went, so that what strangers
// do takes no room of what is counted of the tenant.
func (s *Span) Stranger() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.unkept, s.strange = true, true
	s.mu.Unlock()
}

// maxAlong is how many traces the line of a span names beside its own.
const maxAlong = 10

// Along says to which traces the span belongs, too: its line names them.
func (s *Span) Along(p trace.Parent) {
	if s == nil || p == (trace.Parent{}) {
		return
	}
	id := p.TraceID()
	s.mu.Lock()
	if len(s.along) < maxAlong && !slices.Contains(s.along, id) {
		s.along = append(s.along, id)
	}
	s.mu.Unlock()
}

// Spent adds what a call of a model took, to the span and to all that it is part of.
func (s *Span) Spent(u trace.Use) {
	for ; s != nil; s = s.up {
		s.mu.Lock()
		s.facts.Use.Add(u)
		s.mu.Unlock()
	}
}

// whose is whose the span is, and whether it is kept in no trace.
func (s *Span) whose() (tenants.Scope, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.scope, s.unkept
}

// End ends the span as the error says, unless its facts have an outcome. Calls after the first do nothing.
func (s *Span) End(ctx context.Context, err error) { s.EndAt(ctx, s.now(), err) }

func (s *Span) now() time.Time {
	if s == nil {
		return time.Time{}
	}
	return s.watch.opts.Now()
}

// EndAt ends it at a time that is known already.
func (s *Span) EndAt(ctx context.Context, at time.Time, err error) {
	if s == nil {
		return
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	s.ended, s.took = true, at.Sub(s.start)
	if s.facts.Outcome == "" {
		s.facts.Outcome = outcome(err)
	}
	if err != nil && s.facts.Code == "" && !errors.Is(err, context.Canceled) {
		s.facts.Code = fault.As(err).Code
	}
	e := end{
		Span: s.seen(), scope: s.scope, along: s.along, err: err, strange: s.strange,
		counts: s.up == nil || s.kind != trace.Request, kept: !s.unkept && s.place.Flags&trace.Sampled != 0,
	}
	whose := !s.unkept && s.scope.Check() == nil
	s.mu.Unlock()
	s.watch.ended(ctx, s, &e)
	for _, late := range s.tail.ended(s, whose, e.Outcome == trace.Failed) {
		s.watch.keepLate(ctx, late)
	}
}

// seen is a span that has ended as others see it, but for its ids. The caller holds the mutex.
func (s *Span) seen() trace.Span {
	return trace.Span{Kind: s.kind, Name: s.name, Worker: s.watch.worker, Start: s.start, Took: s.took, Facts: s.facts}
}

// identify says where a span is in its trace.
func (s *Span) identify(of *trace.Span) {
	of.Trace, of.ID = s.place.TraceID(), hex.EncodeToString(s.place.Span[:])
	if s.parent != [8]byte{} {
		of.Parent = hex.EncodeToString(s.parent[:])
	}
}

// end is a span that has ended, and what becomes of it.
type end struct {
	trace.Span
	scope   tenants.Scope
	along   []string // traces
	err     error
	strange bool // a request of nobody knows whom
	counts  bool // one within another of its kind is not counted
	kept    bool // in its trace
}

// outcome tells the caller's mistakes from ours.
func outcome(err error) trace.Outcome {
	switch {
	case err == nil:
		return trace.OK
	case errors.Is(err, context.Canceled):
		return trace.Left
	}
	switch fault.As(err).Kind {
	case fault.Internal, fault.Unavailable:
		return trace.Failed
	}
	return trace.Refused
}
