package rag

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// Searcher searches a tenant's documents, as Retriever does.
type Searcher interface {
	Search(ctx context.Context, s tenants.Scope, q Query) (Result, error)
}

// Editions says which edition of a tenant's corpus searches show; a corpus.Ledger does.
type Editions interface {
	Edition(ctx context.Context, s tenants.Scope) (corpus.Edition, error)
}

// Cached answers the queries that allow it (Query.Cache) with what an equal query of the same tenant found in the same edition of its corpus. Safe
// for concurrent use.
type Cached struct {
	next    Searcher
	ledger  Editions
	store   cache.Store
	recent  *recent
	options CachedOptions
}

// CachedOptions changes how Cached uses its store. The zero value is good.
type CachedOptions struct {
	// Patience is how long a search waits for the ledger and the store before it goes on without them, 250 ms.
	Patience time.Duration
	// PutPatience is how long the store may take to take a result, 10 s.
	PutPatience time.Duration
	// MaxBytes is the longest result that is kept, 256 KiB.
	MaxBytes int
	// RecentBytes is how much of what was kept or found is in memory as well, about, 4 MiB.
	RecentBytes int
	// Background runs f after the search, for the event of ctx. Without it, the search waits for f.
	Background func(ctx context.Context, f func(context.Context)) error
	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Random is what delimiters are made of. Default rand.Reader.
	Random io.Reader
}

const (
	// kindSearch is the kind of the results' keys.
	kindSearch = "search"
	// Unsettled is how long a result lives that was found before the index has settled: a document that is searchable already may be seen by
	// later searches alone, and is found at most so much later for it.
	Unsettled = 10 * time.Second
)

// NewCached puts a cache before a searcher.
//
// A result is kept only when nothing of it is degraded; what a session had a part in (Query.Rewrite) is neither kept nor asked for. The edition is
// read before anything is searched, so what is found while it changes is kept under the one that was before, which nobody asks for any more, and it is found in the
// space that the edition names. What a query itself names a space for (Query.Space) may change without an edition, so that is not kept, either. A ledger or a store
// that is slow or fails costs a search Patience at most, and nothing else. Two equal queries at the same time may both be searched.
//
// Nothing is answered that the edition does not confirm. Beside asking for it the store is asked for what an equal query found in the edition that
// was heard of last, which is mostly the same; and what this process has asked for of late is in its memory, so that of a hit only the edition is left.
func NewCached(next Searcher, ledger Editions, store cache.Store, o *CachedOptions) *Cached {
	c := &Cached{next: next, ledger: ledger, store: store}
	if o != nil {
		c.options = *o
	}
	c.options.Patience = cmp.Or(c.options.Patience, 250*time.Millisecond)
	c.options.PutPatience = cmp.Or(c.options.PutPatience, 10*time.Second)
	c.options.MaxBytes = cmp.Or(c.options.MaxBytes, 256<<10)
	c.recent = newRecent(cmp.Or(c.options.RecentBytes, 4<<20))
	if c.options.Now == nil {
		c.options.Now = time.Now
	}
	if c.options.Random == nil {
		c.options.Random = rand.Reader
	}
	if c.options.Background == nil {
		c.options.Background = func(ctx context.Context, f func(context.Context)) error {
			f(context.WithoutCancel(ctx))
			return nil
		}
	}
	return c
}

// Search implements Searcher.
func (c *Cached) Search(ctx context.Context, s tenants.Scope, q Query) (Result, error) {
	if q.Cache < cache.MinTTL || q.Rewrite != nil || q.Space != "" || s.Check() != nil || !utf8.ValidString(q.Text) {
		return c.next.Search(ctx, s, q)
	}
	began := c.options.Now()
	within, span := watch.Start(ctx, trace.Search, "cache")
	name, edition, kept, ok := c.find(within, s, q)
	looked := c.options.Now().Sub(began)
	span.Note(func(f *trace.Facts) { f.Cache = trace.Cached(ok) })
	span.End(within, nil)
	if ok {
		kept.Timings, kept.Cache = Timings{Cache: looked, Total: looked}, Hit
		return kept, nil
	}
	if name != "" {
		q.Space, q.edition = q.in(edition), &edition
	}
	found, err := c.next.Search(ctx, s, q)
	if err != nil {
		return Result{}, err
	}
	if name != "" && len(found.Degraded) == 0 {
		if found.Delimiter, err = NewDelimiter(c.options.Random); err != nil {
			return Result{}, err
		}
		c.keep(ctx, s, name, edition, q.Cache, found)
	}
	found.Timings.Cache, found.Cache = looked, Miss
	found.Timings.Total += looked
	return found, nil
}

// find looks for what was found, and takes whatever goes wrong for a miss. Without a name nothing can be kept, either.
func (c *Cached) find(ctx context.Context, s tenants.Scope, q Query) (name string, e corpus.Edition, found Result, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Patience)
	early := c.early(ctx, s, q)
	defer early.end()
	defer cancel()
	e, err := c.ledger.Edition(ctx, s)
	if err != nil {
		slog.WarnContext(ctx, "edition not read", "tenantId", s.Tenant(), "error", err)
		return "", e, Result{}, false
	}
	c.recent.heard(s.Tenant(), e)
	name, err = early.nameOf(q, e)
	if err != nil {
		return "", e, Result{}, false // a filter that is none, which the search will say
	}
	if found, ok := c.recent.find(s.Tenant(), name, c.options.Now()); ok {
		return name, e, found, true
	}
	value := early.value
	if value == nil || early.name != name {
		value = func() ([]byte, error) { return c.store.Get(ctx, s, cache.Key{Kind: kindSearch, Name: name}) }
	}
	b, err := value()
	var r remembered
	if err == nil {
		r, err = decodeRemembered(b, name)
	}
	if err != nil {
		if !fault.Is(err, fault.NotFound) {
			slog.WarnContext(ctx, "cached search not read", "tenantId", s.Tenant(), "error", err)
		}
		return name, e, Result{}, false
	}
	found, until := r.result(), time.UnixMilli(r.Until)
	if !c.options.Now().Before(until) {
		return name, e, Result{}, false
	}
	c.recent.keep(s.Tenant(), e, name, until, len(b), found)
	return name, e, found, true
}

// keep stores a result, when it can.
func (c *Cached) keep(ctx context.Context, s tenants.Scope, name string, e corpus.Edition, life time.Duration, found Result) {
	now := c.options.Now()
	until := now.Add(life)
	if !e.Settled(now) {
		until, life = now.Add(Unsettled), cache.MinTTL
	}
	b, err := json.Marshal(remember(name, until, found))
	if err == nil && len(b) > min(c.options.MaxBytes, cache.MaxValue) {
		return
	}
	if err == nil {
		c.recent.keep(s.Tenant(), e, name, until, len(b), Result{Mode: found.Mode, Intent: found.Intent, Sources: found.Sources, Delimiter: found.Delimiter})
	}
	if err == nil {
		err = c.options.Background(ctx, func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(ctx, c.options.PutPatience)
			defer cancel()
			if err := c.store.Put(ctx, s, cache.Key{Kind: kindSearch, Name: name}, b, life); err != nil {
				slog.WarnContext(ctx, "search not cached", "tenantId", s.Tenant(), "error", err)
			}
		})
	}
	if err != nil {
		slog.WarnContext(ctx, "search not cached", "tenantId", s.Tenant(), "error", err)
	}
}

// asked is everything that a result depends on, but for the documents, which the edition stands for.
type asked struct {
	Text     string          `json:"q"`
	Mode     Mode            `json:"m"`
	TopK     int             `json:"k"`
	Filter   json.RawMessage `json:"f,omitempty"`
	Fields   Fields          `json:"fi,omitempty"`
	Boosts   []tenants.Boost `json:"b,omitempty"`
	Expand   int             `json:"x,omitempty"`
	Twins    bool            `json:"d,omitempty"`
	Reranker string          `json:"r,omitempty"`
	Model    string          `json:"e"`
	Edition  corpus.Edition  `json:"ed"`
	Fusion   int             `json:"v"`
	Weight   float64         `json:"w"` // of the model
}

// in is the model whose space a query reads in an edition.
func (q *Query) in(e corpus.Edition) string { return cmp.Or(q.Space, e.Space, q.Model) }

// nameOf is the name of a query's result in an edition. White space between the words of a question makes no other question.
func nameOf(q Query, e corpus.Edition) (string, error) {
	a := asked{
		Text: strings.Join(strings.Fields(q.Text), " "), Mode: cmp.Or(q.Mode, Hybrid), TopK: q.TopK, Boosts: q.Boosts, Expand: q.Expand, Twins: q.KeepDuplicates,
		Model: q.in(e), Edition: e, Fusion: FuseVersion, Weight: weightOf(q.in(e)),
	}
	if q.Rerank {
		a.Reranker = llm.DefaultReranker
	}
	if len(q.Filter) > 0 {
		var b bytes.Buffer
		if err := json.Compact(&b, q.Filter); err != nil {
			return "", err
		}
		if !utf8.Valid(b.Bytes()) {
			return "", fmt.Errorf("rag: a filter that is not UTF-8")
		}
		a.Filter, a.Fields = b.Bytes(), q.Fields
	}
	b, err := json.Marshal(a)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// remembered is a result as it is kept.
type remembered struct {
	Name    string         `json:"name"`  // of the result: one of any other is not taken
	Until   int64          `json:"until"` // in Unix milliseconds; the store may keep it longer
	Mode    Mode           `json:"mode"`
	Intent  Intent         `json:"intent"`
	Sources []Source       `json:"sources"`
	Places  []corpus.Place `json:"places"` // of the sources
	Mark    Delimiter      `json:"mark"`
}

func remember(name string, until time.Time, r Result) remembered {
	m := remembered{
		Name: name, Until: until.UnixMilli(), Mode: r.Mode, Intent: r.Intent, Sources: r.Sources, Places: make([]corpus.Place, len(r.Sources)), Mark: r.Delimiter,
	}
	for i := range r.Sources {
		m.Places[i] = r.Sources[i].place
	}
	return m
}

func (m *remembered) result() Result {
	for i := range m.Sources {
		m.Sources[i].place = m.Places[i]
	}
	return Result{Mode: m.Mode, Intent: m.Intent, Sources: m.Sources, Delimiter: m.Mark}
}

// decodeRemembered reads the result of the name, and nothing else.
func decodeRemembered(b []byte, name string) (remembered, error) {
	var m remembered
	if err := json.Unmarshal(b, &m); err != nil {
		return remembered{}, fmt.Errorf("rag: cached search: %w", err)
	}
	if m.Name != name || m.Mode == "" || m.Mark == "" || m.Sources == nil || len(m.Places) != len(m.Sources) {
		return remembered{}, fmt.Errorf("rag: cached search: not that of this query")
	}
	return m, nil
}
