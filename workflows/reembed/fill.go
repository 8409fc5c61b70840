package reembed

import (
	"context"
	"fmt"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
)

const (
	// stepChunks is how many chunks a step embeds at most: as many as one read and one write take.
	stepChunks = corpus.MaxWrite
	// batchChunks is about how many are taken at a time. The last document of a batch may have more, and most have not so many that it is two steps.
	batchChunks = stepChunks - 100
	// batchBytes is how much of a batch is kept, as a step returns no more than 1 MiB. What is left out is named again.
	batchBytes = 768 << 10
	// emptyTakes is how many batches a step takes in which nothing is to do.
	emptyTakes = 20
)

// fill brings documents to the target until the ledger says that the phase needs no more.
func (x *moving) fill(ctx context.Context, name string) error {
	return x.each(ctx, name, x.bring)
}

// each takes batch after batch and does them.
func (x *moving) each(ctx context.Context, name string, do func(ctx context.Context, name string, works []Work) error) error {
	cursor := ""
	for n := 0; ; n++ {
		at := fmt.Sprintf("%s: batch %d", name, n)
		b, err := try(ctx, x, at, func(ctx context.Context) (Batch, error) { return x.take(ctx, cursor) })
		switch {
		case err != nil:
			return err
		case b.Over:
			return errOver
		case len(b.Works) > 0:
			if err := do(ctx, at, b.Works); err != nil {
				return err
			}
		}
		if b.Last {
			return nil
		}
		cursor = b.Next
	}
}

// take takes the next batch, and goes on while there is nothing in it.
func (x *moving) take(ctx context.Context, cursor string) (b Batch, err error) {
	for range emptyTakes {
		b, err = x.Ledger.TakeWorks(ctx, x.scope, Asked{JobID: x.id, Cursor: cursor, Chunks: batchChunks, Total: x.total})
		if err != nil || b.Over || b.Last || len(b.Works) > 0 {
			break
		}
		cursor = b.Next
	}
	if x.order.Drop {
		return plain(b), err
	}
	return clip(b, cursor), err
}

// plain leaves out what nobody needs who removes: all of what a drop takes has to be kept, as it is not named again.
func plain(b Batch) Batch {
	for i := range b.Works {
		b.Works[i].Title, b.Works[i].TextKey = "", ""
	}
	return b
}

// clip leaves out what a step cannot keep. What was not done is named again.
func clip(b Batch, cursor string) Batch {
	size := 0
	for i, w := range b.Works {
		size += corpus.EncodedLen(w.Title) + corpus.EncodedLen(w.DocID) + len(w.TextKey) + 100
		if i > 0 && size > batchBytes {
			b.Works, b.Next, b.Last = b.Works[:i], cursor, false
			break
		}
	}
	return b
}

// portion is some chunks of a work.
type portion struct{ work, from, to int }

// portions divides the chunks of works into what steps do.
func portions(works []Work) [][]portion {
	var parts [][]portion
	room := 0
	for i, w := range works {
		for from := 0; from < w.Chunks; {
			if room == 0 {
				parts, room = append(parts, nil), stepChunks
			}
			n := min(room, w.Chunks-from)
			last := &parts[len(parts)-1]
			*last = append(*last, portion{i, from, from + n})
			from, room = from+n, room-n
		}
	}
	return parts
}

// made is what a step made of portions: what each took, or why it could not be made.
type made struct {
	Of    []outcome `json:"of"`
	Wrote wrote     `json:"wrote,omitzero"`
}

type outcome struct {
	Tokens  int64  `json:"tokens,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// bring embeds the chunks of works, writes their vectors, and tells the ledger. Whatever becomes of that, it is told, as what was written for a
// generation that is not wanted any more would stay otherwise.
func (x *moving) bring(ctx context.Context, name string, works []Work) error {
	done := make([]Done, len(works))
	for i, w := range works {
		done[i].Generation = w.Generation
	}
	parts := portions(works)
	for k, part := range parts {
		part = slices.DeleteFunc(part, func(p portion) bool { return done[p.work].Code != "" }) // nothing is paid for what is not whole
		if len(part) == 0 {
			continue
		}
		got, err := try(ctx, x, fmt.Sprintf("%s, part %d", name, k), func(ctx context.Context) (made, error) { return x.make(ctx, works, part) })
		if err != nil {
			f := fault.As(err)
			parts[k] = part
			for _, p := range slices.Concat(parts[k:]...) { // what ends before is whole
				if d := &done[p.work]; d.Code == "" {
					d.Code, d.Message = f.Code, f.Message
				}
			}
			if told := x.report(ctx, name+": given up", works, done); told != nil {
				return told
			}
			return err
		}
		for i, p := range part {
			d := &done[p.work]
			d.Cost.Tokens += got.Of[i].Tokens
			d.Cost.Nanos += got.Of[i].Tokens * x.model.Price
			if d.Code == "" {
				d.Code, d.Message = got.Of[i].Code, got.Of[i].Message
			}
		}
		if got.Wrote.Chunks > 0 {
			x.wrote = got.Wrote
		}
	}
	return x.report(ctx, name+": told", works, done)
}

// report tells the ledger what was done, and removes what it says is to go. A run that has made too many steps does this one all the same.
func (x *moving) report(ctx context.Context, name string, works []Work, done []Done) error {
	x.steps++
	_, err := flow.Insist(ctx, x.run, name, func(ctx context.Context) (struct{}, error) {
		verdicts, err := x.Ledger.Filled(ctx, x.scope, x.id, done)
		if err != nil {
			return struct{}{}, err
		}
		var stale []string
		var retired []corpus.Retirement
		for i, v := range verdicts {
			if v.Stale {
				stale = append(stale, corpus.VectorIDs(x.scope, works[i].Generation, works[i].Chunks)...)
			}
			for _, r := range v.Retired {
				retired = append(retired, corpus.Retirement{DocID: works[i].DocID, Retired: r})
			}
		}
		if err := corpus.DeleteVectors(ctx, x.scope, x.Stores.Vectors, map[string][]string{x.model.Name: stale}); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, corpus.Erase(ctx, x.scope, x.Stores, x.Documents, retired)
	})
	return err
}

// drop removes what is in the space, and looks whether anything is left.
func (x *moving) drop(ctx context.Context) error {
	if err := x.each(ctx, "drop", x.remove); err != nil {
		return err
	}
	return x.sweep(ctx)
}

// remove takes the vectors of works away.
func (x *moving) remove(ctx context.Context, name string, works []Work) error {
	var ids []string
	done := make([]Done, len(works))
	for i, w := range works {
		ids = append(ids, corpus.VectorIDs(x.scope, w.Generation, w.Chunks)...)
		done[i].Generation = w.Generation
	}
	for k, part := range slices.Collect(slices.Chunk(ids, removals*corpus.MaxWrite)) {
		if _, err := try(ctx, x, fmt.Sprintf("%s, part %d", name, k), func(ctx context.Context) (int, error) {
			return len(part), corpus.DeleteVectors(ctx, x.scope, x.Stores.Vectors, map[string][]string{x.model.Name: part})
		}); err != nil {
			return err
		}
	}
	return x.report(ctx, name+": told", works, done)
}

// removals are how many calls a step makes that removes.
const removals = 10
