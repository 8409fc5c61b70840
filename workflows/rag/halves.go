package rag

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/terms"
)

// halves are what the two indexes have found.
type halves struct {
	matches []corpus.Match
	words   corpus.Found
}

// asker asks the indexes one question, perhaps twice.
type asker struct {
	*Retriever
	scope  tenants.Scope
	query  Query
	filter json.RawMessage
	window int
	out    *Result

	space   string          // whose vectors are asked for, when it is known
	values  []float32       // the question's vector there
	unknown error           // why the ledger did not say which space it is
	edition *corpus.Edition // of what is shown, where the ledger was asked
}

// errLate is why a half is no longer waited for.
var errLate = errors.New("the other half has answered long ago")

// ask asks the indexes of the mode, together where it is both.
func (a *asker) ask(ctx context.Context) (h halves, err error) {
	switch a.query.Mode {
	case Vector:
		err = a.vectors(ctx, &h)
	case Keyword:
		err = a.keywords(ctx, &h)
	default:
		err = a.both(ctx, &h)
	}
	return h, err
}

// half is one of the two while they run.
type half struct {
	part Part
	run  func(context.Context, *halves) error
	err  error
	stop context.CancelCauseFunc

	panicked any
}

// in runs the half; what it panics with is kept, as no goroutine may take the process with it.
func (x *half) in(ctx context.Context, h *halves) {
	defer func() {
		if x.panicked = recover(); x.panicked != nil {
			x.err = fault.New(fault.Internal, "internal", "", nil)
		}
	}()
	x.err = x.run(ctx, h)
	if x.err != nil && errors.Is(context.Cause(ctx), errLate) {
		x.err = fault.Unavailablef(x.err, "search_late", "the %s half took too long", x.part)
	}
}

// both asks the two at once and waits for both, for the second not for ever.
func (a *asker) both(ctx context.Context, h *halves) error {
	two := [2]half{{part: PartVector, run: a.vectors}, {part: PartKeyword, run: a.keywords}}
	done := make(chan int, len(two))
	for i := range two {
		var within context.Context
		within, two[i].stop = context.WithCancelCause(ctx)
		defer two[i].stop(nil)
		go func() { // each writes its own part of h and of the timings
			two[i].in(within, h)
			done <- i
		}()
	}
	first := <-done
	other := &two[1-first]
	switch err := two[first].err; {
	case err == nil:
		late := time.AfterFunc(a.opts.Patience, func() { other.stop(errLate) })
		defer late.Stop()
	case !fault.Is(err, fault.Unavailable):
		other.stop(nil) // there will be no answer
	}
	<-done
	for i := range two {
		if two[i].panicked != nil {
			panic(two[i].panicked)
		}
	}
	return a.weigh(two)
}

// weigh is what becomes of a search by how its halves have ended.
func (a *asker) weigh(two [2]half) error {
	if a.unknown != nil {
		return a.unknown
	}
	for i := range two {
		if err := two[i].err; err != nil && (!fault.Is(err, fault.Unavailable) || two[1-i].err != nil) {
			// The one that could not be reached may be so because the other has ended the search.
			if other := two[1-i].err; other != nil && !fault.Is(other, fault.Unavailable) {
				return other
			}
			return err
		}
	}
	for i := range two {
		if two[i].err != nil {
			a.out.degrade(two[i].part, two[i].err)
		}
	}
	return nil
}

// vectors finds what means the same.
func (a *asker) vectors(ctx context.Context, h *halves) (err error) {
	if a.values == nil {
		if err := a.place(ctx); err != nil {
			return err
		}
	}
	began := a.opts.Now()
	ctx, span := watch.Start(ctx, trace.Search, "vectors")
	defer func() { span.End(ctx, err) }()
	found, err := a.ports.Vectors.Query(ctx, a.scope, a.space, corpus.VectorQuery{Values: a.values, TopK: a.window, Filter: a.filter})
	if err != nil {
		return fmt.Errorf("query the vectors: %w", err)
	}
	h.matches = found
	a.out.Timings.Vectors += a.opts.Now().Sub(began)
	return nil
}

// keywords finds what says the same. A question without a word finds nothing.
func (a *asker) keywords(ctx context.Context, h *halves) (err error) {
	began := a.opts.Now()
	ts := terms.Question(a.query.Text)
	if len(ts) == 0 {
		return nil
	}
	ctx, span := watch.Start(ctx, trace.Search, "words")
	defer func() { span.End(ctx, err) }()
	found, err := a.ports.Lexicon.Find(ctx, a.scope, corpus.LexicalQuery{Terms: ts, TopK: a.window, Filter: a.filter})
	if err != nil {
		return fmt.Errorf("query the lexicon: %w", err)
	}
	h.words = found
	a.out.Timings.Lexicon += a.opts.Now().Sub(began)
	return nil
}
