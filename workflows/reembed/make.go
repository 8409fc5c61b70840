package reembed

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// callsAtOnce is how many calls of the model a step has under way at a time. A move has time, and what is searched and ingested meanwhile asks
// models, too.
const callsAtOnce = 2

// make makes the vectors of portions and writes them, in one write. The same again writes the same.
func (x *moving) make(ctx context.Context, works []Work, part []portion) (made, error) {
	out := made{Of: make([]outcome, len(part))}
	if err := x.room.Acquire(ctx, 1); err != nil {
		return out, fault.Unavailablef(err, "memory_busy", "there was no room for it")
	}
	defer x.room.Release(1)
	chunks, err := x.read(ctx, works, part, out.Of)
	if err != nil {
		return out, err
	}
	each, err := x.embed(ctx, chunks)
	if err != nil {
		return out, err
	}
	vs := make([]corpus.Vector, 0, len(chunks))
	for i, c := range chunks {
		o := &out.Of[c.portion]
		if f := each[i].Err; f != nil {
			o.fail(f)
			continue
		}
		o.Tokens += each[i].Tokens
		vs = append(vs, corpus.VectorOf(x.scope, c.Metadata, each[i].Vector))
	}
	if len(vs) == 0 {
		return out, nil
	}
	if err := x.Stores.Vectors.Upsert(ctx, x.scope, x.model.Name, vs); err != nil {
		return out, fmt.Errorf("write %d vectors: %w", len(vs), err)
	}
	last := vs[len(vs)-1].Metadata
	out.Wrote = wrote{corpus.Generation{DocID: last.DocID, Generation: last.Generation}, last.Chunk + 1, x.now()}
	return out, nil
}

func (o *outcome) fail(err error) {
	if o.Code == "" {
		f := fault.As(err)
		o.Code, o.Message = f.Code, f.Message
	}
}

// piece is a chunk, and what the model is to read of it.
type piece struct {
	corpus.Metadata
	portion int
	text    string
}

// read reads the chunks of portions. One that cannot be read fails its portion.
func (x *moving) read(ctx context.Context, works []Work, part []portion, of []outcome) ([]piece, error) {
	var at []corpus.Place
	owner := map[corpus.Place]int{}
	for i, p := range part {
		for chunk := p.from; chunk < p.to; chunk++ {
			place := corpus.Place{Generation: works[p.work].Generation, Chunk: chunk}
			at, owner[place] = append(at, place), i
		}
	}
	found, err := x.Stores.Lexicon.Passages(ctx, x.scope, at)
	if err != nil {
		return nil, fmt.Errorf("read %d passages: %w", len(at), err)
	}
	texts := &sourceTexts{moving: x}
	pieces := make([]piece, 0, len(found))
	for _, p := range found {
		place := corpus.Place{Generation: corpus.Generation{DocID: p.DocID, Generation: p.Generation}, Chunk: p.Chunk}
		i, asked := owner[place]
		if !asked {
			continue
		}
		delete(owner, place)
		w := works[part[i].work]
		text, err := texts.of(ctx, w, p.Metadata)
		if err != nil {
			if fault.Retryable(err) {
				return nil, err
			}
			of[i].fail(err)
			continue
		}
		pieces = append(pieces, piece{p.Metadata, i, corpus.ToEmbed(w.Title, p.Heading, text)})
	}
	for place, i := range owner {
		of[i].fail(fault.Missing("passage_missing", "the lexical index has no chunk %d of it", place.Chunk))
	}
	return slices.DeleteFunc(pieces, func(p piece) bool { return of[p.portion].Code != "" }), nil // nothing is paid for what is not whole
}

// sourceTexts are the stored texts of documents of which the index has the beginnings of chunks alone. One is held at a time.
type sourceTexts struct {
	*moving
	key  string
	text []byte
}

// of is all of a chunk's text.
func (t *sourceTexts) of(ctx context.Context, w Work, m corpus.Metadata) (string, error) {
	if !m.Cut {
		return m.Text, nil
	}
	if t.key != w.TextKey {
		text, err := t.Stores.Texts.Get(ctx, t.scope, w.TextKey)
		if err != nil {
			return "", fmt.Errorf("read the text of a chunk: %w", err)
		}
		t.key, t.text = w.TextKey, text
	}
	if m.Start < 0 || m.End > len(t.text) || m.Start > m.End {
		return "", fault.Missing("passage_missing", "the text has no bytes %d to %d", m.Start, m.End)
	}
	return string(t.text[m.Start:m.End]), nil
}

// embed embeds pieces, a few calls at a time. What the model refuses for good is that piece's; any other failure is the move's.
func (x *moving) embed(ctx context.Context, pieces []piece) ([]llm.Each, error) {
	texts := make([]string, len(pieces))
	for i, p := range pieces {
		texts[i] = p.text
	}
	each := make([]llm.Each, 0, len(texts))
	calls := slices.Collect(slices.Chunk(texts, x.model.Batch))
	made := make([][]llm.Each, len(calls))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(callsAtOnce)
	for i, call := range calls {
		g.Go(func() (err error) {
			made[i], err = llm.EmbedEach(ctx, x.Embedder, x.scope, llm.Call{Model: x.model.Name, Purpose: llm.ForDocument, RequestID: x.id}, call)
			for _, e := range made[i] {
				if e.Err != nil && !fault.Is(e.Err, fault.Invalid) {
					return final(e.Err)
				}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, m := range made {
		each = append(each, m...)
	}
	return each, nil
}

// final makes of a spent budget what waiting for some minutes does not help against, so that the move ends.
func final(err error) error {
	if f := fault.As(err); f.Code == "budget_exhausted" || f.Code == "model_quota" {
		return fault.New(fault.Conflict, f.Code, f.Message, err)
	}
	return err
}
