package memory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	mover "levada.dev/consumers/reembed"
	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/reembed"
)

// other is the model that tenants move to.
const other = "@cf/baai/bge-base-en-v1.5"

// wide is white space that takes much room.
var wide = strings.Repeat("\u2028", 7)

// moving is a platform in which acme, with documents of all kinds, is to move to another model, and globex stays.
type moving struct {
	*platform
	acme, globex tenants.Scope
	search       *rag.Retriever
	untouched    []string // globex's vectors
}

func newMoving(t testing.TB) *moving {
	p := &moving{platform: newPlatform(t), acme: scopeOf(t, "acme"), globex: scopeOf(t, "globex")}
	p.router = consumers.New(append(p.routes(), mover.New(started{}).Route()), p.claims, consumers.NewUndertaker(p.ledger, p.stores(), p.letters, p.unread),
		&consumers.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: p.clock.Now})
	for _, s := range []tenants.Scope{p.acme, p.globex} {
		for i := range 6 {
			p.submit(s, draft(fmt.Sprint("doc-", i), prose("rain of "+string(s.Tenant()), 1+2*i)))
		}
	}
	cut := draft("cut", strings.Repeat("water"+wide, 900)) // as JSON above what an index keeps of a chunk
	_, err := p.intake.Submit(t.Context(), p.acme, cut)
	require.NoError(t, err)
	p.run(p.acme, p.globex)
	p.search = rag.New(rag.Ports{Embedder: p.model, Vectors: p.vectors, Lexicon: p.words, Ledger: p.ledger}, nil)
	p.untouched = p.vectors.IDs(p.globex, model)
	return p
}

func scopeOf(t testing.TB, id string) tenants.Scope {
	s, err := tenants.Resume(id)
	require.NoError(t, err)
	return s
}

// open asks for a move; what fails is tried again.
func (p *moving) open(r reembed.Request) corpus.Receipt {
	p.t.Helper()
	r.Cause = events.Cause{ID: "request"}
	var receipt corpus.Receipt
	var err error
	for range 3 {
		if receipt, err = p.ledger.OpenMove(p.t.Context(), p.acme, r); err == nil {
			break
		}
	}
	require.NoError(p.t, err)
	return receipt
}

// begin opens a move and makes its run, which the test runs itself. While it sleeps the world goes on.
func (p *moving) begin(r reembed.Request) *flowtest.Engine {
	p.t.Helper()
	p.open(r)
	flowOf := reembed.New(reembed.Ports{Ledger: p.ledger, Documents: p.ledger, Stores: p.stores(), Embedder: p.model}, p.clock.Now).Flow
	return &flowtest.Engine{
		Flow: flowOf, Scope: p.acme, ID: r.JobID, Params: reembed.Order{Model: r.Model, Stay: r.Stay, Drop: r.Drop},
		Asleep: func(d time.Duration) {
			p.clock.advance(d)
			p.run(p.acme, p.globex)
		},
	}
}

// move runs a move to its end and returns its job.
func (p *moving) move(r reembed.Request) job.Job {
	p.t.Helper()
	require.NoError(p.t, p.begin(r).Run(p.t.Context()))
	p.run(p.acme, p.globex)
	return p.job(p.acme, r.JobID)
}

// documents are all that acme has.
func (p *moving) documents() []corpus.Document {
	p.t.Helper()
	page, err := p.ledger.List(p.t.Context(), p.acme, corpus.Listing{Limit: 200})
	require.NoError(p.t, err)
	return slices.DeleteFunc(page.Documents, func(d corpus.Document) bool { return d.State == corpus.Deleted })
}

// ids are all vectors that documents have when they are whole.
func (p *moving) ids(docs []corpus.Document) []string {
	all := []string{}
	for _, d := range docs {
		if d.Searchable > 0 {
			all = append(all, corpus.VectorIDs(p.acme, corpus.Generation{DocID: d.ID, Generation: d.Searchable}, d.Chunks)...)
		}
	}
	slices.Sort(all)
	return all
}

// spaces asserts that acme's documents are whole in some spaces, and nothing is anywhere else, and that globex is as it was.
func (p *moving) spaces(t testing.TB, models ...string) {
	t.Helper()
	p.calm()
	p.run(p.acme, p.globex)
	for _, m := range llm.EmbeddingNames() {
		missing, extra := p.differs(m)
		assert.Empty(t, extra, "in the space of %s, and should not be", m)
		if slices.Contains(models, m) {
			assert.Empty(t, missing, "missing in the space of %s", m)
			continue
		}
		assert.Empty(t, p.vectors.IDs(p.acme, m), "in the space of %s", m)
	}
	assert.Equal(t, p.ids(p.documents()), p.words.IDs(p.acme))
	p.stayed(t)
}

// kept asserts that a space has nothing but what is searchable, not necessarily all of it.
func (p *moving) kept(t testing.TB, space string) {
	t.Helper()
	_, extra := p.differs(space)
	assert.Empty(t, extra, "in the space of %s, and should not be", space)
}

// stayed asserts that globex is as it was.
func (p *moving) stayed(t testing.TB) {
	t.Helper()
	assert.Equal(t, p.untouched, p.vectors.IDs(p.globex, model))
	for _, m := range []string{other, "@cf/baai/bge-m3"} {
		assert.Empty(t, p.vectors.IDs(p.globex, m))
	}
	e, err := p.ledger.Edition(t.Context(), p.globex)
	require.NoError(t, err)
	assert.Equal(t, model, e.Space)
}

// differs compares a space of acme's with its documents.
func (p *moving) differs(space string) (missing, extra []string) {
	want, got := p.ids(p.documents()), p.vectors.IDs(p.acme, space)
	for _, id := range want {
		if !slices.Contains(got, id) {
			missing = append(missing, p.name(id))
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			extra = append(extra, p.name(id))
		}
	}
	return missing, extra
}

// name says whose an id is.
func (p *moving) name(id string) string {
	page, err := p.ledger.List(p.t.Context(), p.acme, corpus.Listing{Limit: 200})
	require.NoError(p.t, err)
	for _, d := range page.Documents {
		for g := range d.Generation + 1 {
			if chunk := slices.Index(corpus.VectorIDs(p.acme, corpus.Generation{DocID: d.ID, Generation: g}, 200), id); chunk >= 0 {
				return fmt.Sprintf("%s (%s), generation %d of %d, chunk %d", d.ID, d.State, g, d.Searchable, chunk)
			}
		}
	}
	return id
}

// searched asserts that searches of acme use a space, and find every chunk there by what it says.
func (p *moving) searched(t testing.TB, space string) {
	t.Helper()
	e, err := p.ledger.Edition(t.Context(), p.acme)
	require.NoError(t, err)
	assert.Equal(t, space, e.Space)
	p.whole(t, p.documents())
}

// whole asserts that searches find every chunk of documents.
func (p *moving) whole(t testing.TB, docs []corpus.Document) {
	t.Helper()
	for _, d := range docs {
		assert.Len(t, p.found(t, d.ID, ""), d.Chunks, "chunks of %s that are found", d.ID)
	}
}

// found are the chunks of a document that searches find in a space, "" for the one that the ledger says.
func (p *moving) found(t testing.TB, docID, space string) (texts []string) {
	t.Helper()
	r, err := p.search.Search(context.Background(), p.acme, rag.Query{
		Text: "The water goes down the field.", TopK: rag.MaxTopK, Mode: rag.Vector, Model: model, KeepDuplicates: true, Space: space,
		Filter: json.RawMessage(fmt.Sprintf(`{"docId":%q}`, docID)),
	})
	require.NoError(t, err)
	for _, s := range r.Sources {
		texts = append(texts, s.ChunkID+" "+s.Text)
	}
	slices.Sort(texts)
	return texts
}

func (p *moving) calm() {
	for _, h := range p.hooks() {
		h.Before, h.After = nil, nil
	}
	p.model.Before, p.model.After = nil, nil
}

func (p *moving) hooks() map[string]*memory.Hooks {
	return map[string]*memory.Hooks{"ledger": &p.ledger.Hooks, "texts": &p.texts.Hooks, "vectors": &p.vectors.Hooks, "words": &p.words.Hooks}
}
