package transfer

import (
	"cmp"
	"context"

	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// Estimate is what a run would do.
type Estimate struct {
	Found  int   `json:"documents"` // documents of the source
	Same   int   `json:"same"`      // of them: are here
	Bring  int   `json:"bring"`     // of them: would be brought
	Delete int   `json:"delete"`    // came from the source, and are not there any more
	Taken  int   `json:"taken"`     // were submitted here, otherwise than they are at the source
	Bytes  int64 `json:"bytes"`     // that would be fetched
	Tokens int64 `json:"tokens"`    // that would be embedded, as they were counted at the source, or about
	// Sessions is how many conversations the source has; BringSessions of them are not here as they are there, or have gone on here.
	Sessions      int   `json:"sessions"`
	BringSessions int   `json:"bringSessions"`
	Nanos         int64 `json:"nanoUSD"` // about what embedding them costs, in billionths of a US dollar
}

// bytesPerToken is how many bytes a token has, about, where nobody has counted.
const bytesPerToken = 4

// EstimateOf compares what two pools have of a tenant, and does nothing. The model is the one that the destination embeds with.
func EstimateOf(ctx context.Context, source, here *Far, model llm.EmbeddingModel) (e Estimate, err error) {
	rest := lister{far: here}
	for cursor, done := "", false; !done; {
		cards, next, err := source.Cards(ctx, cursor)
		if err != nil {
			return e, err
		}
		if cursor, done = next, next == ""; len(cards) == 0 && !done {
			continue
		}
		upTo := ""
		if !done {
			upTo = cards[len(cards)-1].DocID
		}
		beside, err := rest.upTo(ctx, upTo)
		if err != nil {
			return e, err
		}
		e.add(Compare(cards, beside), len(cards))
	}
	e.Nanos = e.Tokens * model.Price
	beside := map[string]chat.Place{}
	if err := here.allSessions(ctx, func(p chat.Place) { beside[p.SessionID] = p }); err != nil {
		return e, err
	}
	return e, source.allSessions(ctx, func(p chat.Place) {
		e.Sessions++
		if beside[p.SessionID].Came != p.Version {
			e.BringSessions++
		}
	})
}

// allSessions goes through the list of sessions.
func (f *Far) allSessions(ctx context.Context, each func(chat.Place)) error {
	for cursor := ""; ; {
		places, next, err := f.Sessions(ctx, cursor)
		if err != nil {
			return err
		}
		for _, p := range places {
			each(p)
		}
		if cursor = next; next == "" {
			return nil
		}
	}
}

// add counts the difference of two pages.
func (e *Estimate) add(d Difference, found int) {
	e.Found += found
	e.Same, e.Taken, e.Delete = e.Same+d.Same, e.Taken+len(d.Taken), e.Delete+len(d.Gone)
	for _, c := range append(d.Bring, d.Unsearchable...) {
		e.Bring++
		e.Bytes += int64(c.Bytes)
		e.Tokens += cmp.Or(c.Tokens, int64(c.Bytes/bytesPerToken))
	}
}

// lister goes through a list beside another.
type lister struct {
	far    *Far
	cards  []Card // that were read, and not asked for yet
	cursor string
	done   bool
}

// upTo are the next cards up to a document, with it; "" is all.
func (l *lister) upTo(ctx context.Context, docID string) (out []Card, err error) {
	for {
		for len(l.cards) > 0 && (docID == "" || l.cards[0].DocID <= docID) {
			out, l.cards = append(out, l.cards[0]), l.cards[1:]
		}
		if len(l.cards) > 0 || l.done {
			return out, nil
		}
		if l.cards, l.cursor, err = l.far.Cards(ctx, l.cursor); err != nil {
			return nil, err
		}
		l.done = l.cursor == ""
	}
}
