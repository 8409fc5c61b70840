package book

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon"
)

// Shards says how many shards a tenant's index has: 1 to tenants.MaxShards. It may grow at any time and never shrinks.
type Shards func(ctx context.Context, s tenants.Scope) (int, error)

// ShardsOf reads it in the tenant's config.
func ShardsOf(d tenants.Directory) Shards {
	return func(ctx context.Context, s tenants.Scope) (int, error) {
		c, err := d.Config(ctx, s.Tenant())
		if err != nil {
			return 0, err
		}
		return c.Search.Shards, nil
	}
}

// Client is the tenants' indexes over whatever carries the bytes to their shards and back.
type Client struct {
	do     call.Carrier
	shards Shards
}

var _ corpus.Lexicon = (*Client)(nil)

// NewClient makes the indexes over do.
func NewClient(do call.Carrier, shards Shards) *Client { return &Client{do: do, shards: shards} }

// What one call of a shard carries, so that its memory does not depend on what a caller brings.
const (
	putBytes      = 512 << 10 // unless a single passage is larger
	passagesACall = 100
)

// name is the shard's, as Scope.Object has it.
func name(shard int) []string { return []string{strconv.Itoa(shard)} }

// home is the shard in which a document's passages are written.
func home(docID string, shards int) int {
	h := fnv.New64a()
	_, _ = h.Write([]byte(docID))
	return int(h.Sum64() % uint64(shards))
}

// all asks every shard at once, and answers in their order.
func all[V any](ctx context.Context, c *Client, s tenants.Scope, ask func(ctx context.Context, shard int) (V, error)) ([]V, error) {
	n, err := c.count(ctx, s)
	if err != nil {
		return nil, err
	}
	answers := make([]V, n)
	if n == 1 {
		answers[0], err = ask(ctx, 0)
		return answers, err
	}
	g, ctx := errgroup.WithContext(ctx)
	for shard := range n {
		g.Go(func() (err error) {
			answers[shard], err = ask(ctx, shard)
			return err
		})
	}
	return answers, g.Wait()
}

func (c *Client) count(ctx context.Context, s tenants.Scope) (int, error) {
	if err := s.Check(); err != nil {
		return 0, err
	}
	n, err := c.shards(ctx, s)
	if err != nil {
		return 0, fmt.Errorf("shards: %w", err)
	}
	return max(n, 1), nil
}

// Put implements corpus.Lexicon.
func (c *Client) Put(ctx context.Context, s tenants.Scope, ps []corpus.Passage) error {
	if err := lexicon.CheckCount(len(ps)); err != nil {
		return err
	}
	shards, err := c.count(ctx, s)
	if err != nil {
		return err
	}
	for i, p := range ps { // before anything is written
		if err := lexicon.CheckPassage(p); err != nil {
			return fmt.Errorf("passage %d: %w", i, err)
		}
	}
	batches := make([][]entry, shards)
	sizes := make([]int, shards)
	send := func(shard int) error {
		es := batches[shard]
		batches[shard], sizes[shard] = nil, 0
		if len(es) == 0 {
			return nil
		}
		_, err := call.Ask[none](ctx, c.do, s, name(shard), methodPut, es)
		return err
	}
	for i, p := range ps {
		e, err := newEntry(p)
		if err != nil {
			return fmt.Errorf("passage %d: %w", i, err)
		}
		shard := home(p.DocID, shards)
		if sizes[shard]+e.size() > putBytes {
			if err := send(shard); err != nil {
				return err
			}
		}
		batches[shard], sizes[shard] = append(batches[shard], e), sizes[shard]+e.size()
	}
	for shard := range batches {
		if err := send(shard); err != nil {
			return err
		}
	}
	return nil
}

// Remove implements corpus.Lexicon. A generation may have been written when there were fewer shards, so all are asked.
func (c *Client) Remove(ctx context.Context, s tenants.Scope, refs []corpus.Generation) error {
	if err := lexicon.CheckCount(len(refs)); err != nil {
		return err
	}
	for _, ref := range refs {
		if err := lexicon.CheckGeneration(ref); err != nil {
			return err
		}
	}
	_, err := all(ctx, c, s, func(ctx context.Context, shard int) (more bool, err error) {
		for more = true; more && err == nil; {
			more, err = call.Ask[bool](ctx, c.do, s, name(shard), methodRemove, refs)
		}
		return more, err
	})
	return err
}

// Find implements corpus.Lexicon.
func (c *Client) Find(ctx context.Context, s tenants.Scope, q corpus.LexicalQuery) (corpus.Found, error) {
	if err := lexicon.CheckQuery(q); err != nil {
		return corpus.Found{}, err
	}
	if conditions, err := lexicon.ReadFilter(q.Filter); err != nil {
		return corpus.Found{}, err
	} else if conditions == nil {
		q.Filter = nil // not empty either, which is no JSON
	}
	parts, err := gather(ctx, c, s, methodFind, q)
	if err != nil {
		return corpus.Found{}, err
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return merge(parts, q.TopK), nil
}

// merge takes the scores of all shards as they are. What they are to be compared with is what it was where something was found.
func merge(parts []corpus.Found, topK int) (found corpus.Found) {
	most := 0.0
	for _, p := range parts {
		most = max(most, p.Most)
		if len(p.Hits) > 0 {
			found.Most = max(found.Most, p.Most)
		}
		found.Hits = append(found.Hits, p.Hits...)
	}
	found.Most = cmp.Or(found.Most, most)
	slices.SortStableFunc(found.Hits, func(a, b corpus.Hit) int { return cmp.Compare(b.Score, a.Score) })
	found.Hits = unique(found.Hits)
	found.Hits = found.Hits[:min(topK, len(found.Hits))]
	return found
}

// gather asks all shards for passages.
func gather[A any](ctx context.Context, c *Client, s tenants.Scope, method string, args A) ([]corpus.Found, error) {
	return all(ctx, c, s, func(ctx context.Context, shard int) (corpus.Found, error) {
		reply, err := call.AskBytes(ctx, c.do, s, name(shard), method, args)
		if err != nil {
			return corpus.Found{}, err
		}
		return decode(reply)
	})
}

// unique leaves out what a shard has that another one has better: what was written again after there were more shards.
func unique(hits []corpus.Hit) []corpus.Hit {
	seen := map[corpus.Place]bool{}
	return slices.DeleteFunc(hits, func(h corpus.Hit) bool {
		at := lexicon.PlaceOf(h.Passage.Metadata)
		again := seen[at]
		seen[at] = true
		return again
	})
}

// Passages implements corpus.Lexicon.
func (c *Client) Passages(ctx context.Context, s tenants.Scope, at []corpus.Place) ([]corpus.Passage, error) {
	if err := lexicon.CheckCount(len(at)); err != nil {
		return nil, err
	}
	for _, p := range at {
		if err := lexicon.CheckPlace(p); err != nil {
			return nil, err
		}
	}
	found := map[corpus.Place]corpus.Passage{}
	for part := range slices.Chunk(at, passagesACall) {
		answers, err := gather(ctx, c, s, methodPassages, part)
		if err != nil {
			return nil, err
		}
		for _, a := range answers {
			for _, h := range a.Hits {
				found[lexicon.PlaceOf(h.Passage.Metadata)] = h.Passage
			}
		}
	}
	var ps []corpus.Passage
	for _, place := range at {
		if p, ok := found[place]; ok {
			ps = append(ps, p)
		}
	}
	return ps, nil
}

// Stored implements corpus.Lexicon.
func (c *Client) Stored(ctx context.Context, s tenants.Scope, ref corpus.Generation) (int, error) {
	if err := lexicon.CheckGeneration(ref); err != nil {
		return 0, err
	}
	return c.sum(ctx, s, func(ctx context.Context, shard int) (int, error) {
		return call.Ask[int](ctx, c.do, s, name(shard), methodStored, ref)
	})
}

// Clear removes any passages of the tenant, so many at most, and says how many: an erasure calls it until there are none.
func (c *Client) Clear(ctx context.Context, s tenants.Scope, limit int) (removed int, err error) {
	shards, err := c.count(ctx, s)
	for shard := 0; shard < shards && removed < limit && err == nil; {
		n, ask := 0, min(limit-removed, removeAtOnce)
		n, err = call.Ask[int](ctx, c.do, s, name(shard), methodClear, ask)
		if removed += n; n < ask {
			shard++
		}
	}
	return removed, err
}

// Count is how many passages the tenant has.
func (c *Client) Count(ctx context.Context, s tenants.Scope) (int, error) {
	return c.sum(ctx, s, func(ctx context.Context, shard int) (int, error) {
		return call.Ask[int](ctx, c.do, s, name(shard), methodCount, none{})
	})
}

func (c *Client) sum(ctx context.Context, s tenants.Scope, ask func(ctx context.Context, shard int) (int, error)) (n int, err error) {
	parts, err := all(ctx, c, s, ask)
	for _, part := range parts {
		n += part
	}
	return n, err
}
