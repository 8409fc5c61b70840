package memory_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// pageOf is a page about a word, with so many paragraphs.
func pageOf(word string, n int) []byte {
	return []byte("<html><title>On " + word + "</title><body><nav>Menu</nav><p>" + strings.ReplaceAll(prose(word, n), "\n\n", "<p>"))
}

func fetched(docID, url string) corpus.Draft {
	d := draft(docID, "")
	d.Text, d.Fetch, d.ContentType, d.About = nil, url, corpus.OctetStream, events.About{URL: url}
	return d
}

func TestTheTextIsTakenOutOfADocument(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	d := draft("page", string(pageOf("levadas", 5)))
	d.ContentType, d.About.Title = "text/html", ""
	p.submit(acme, d)
	p.submit(globex, draft("page", prose("snow", 2)))
	p.run(acme, globex)

	got := p.document(acme, "page")
	require.Equal(t, corpus.Indexed, got.State)
	assert.Equal(t, "On levadas", got.Title, "its own, since nobody gave it one")
	assert.Equal(t, "text/html", got.ContentType)
	require.NotNil(t, got.Derived)
	assert.Equal(t, "text/markdown", got.Derived.ContentType)
	text, err := p.texts.Get(t.Context(), acme, got.Derived.TextKey)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "Menu")
	assert.Equal(t, corpus.Sum(text), got.Derived.SHA256)
	original, err := p.texts.Get(t.Context(), acme, got.TextKey)
	require.NoError(t, err)
	assert.Equal(t, d.Text, original)
	for _, m := range p.vectors.IDs(acme, model) {
		assert.NotEmpty(t, m)
	}
	keys, err := p.texts.List(t.Context(), acme, corpus.TextPrefix("page"), 10)
	require.NoError(t, err)
	assert.Len(t, keys, 2, "an erasure finds both")
	assert.Nil(t, p.document(globex, "page").Derived)
	_, err = p.texts.Get(t.Context(), globex, got.Derived.TextKey)
	assert.Equal(t, "text_not_found", fault.As(err).Code)
}

func TestADocumentIsFetched(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	const url = "https://example.com/levadas"
	p.web.Serve(url, memory.Page{Body: pageOf("levadas", 5), ContentType: "text/html", ETag: `"1"`})
	first := p.submit(acme, fetched("page", url))
	assert.Equal(t, "fetch", p.job(acme, first.JobID).Stage)
	p.submit(globex, fetched("page", url))
	p.run(acme, globex)
	d := p.document(acme, "page")
	require.Equal(t, corpus.Indexed, d.State)
	assert.Equal(t, []corpus.Stage{corpus.StageSubmit, corpus.StageFetch, corpus.StageChunk, corpus.StageEmbed, corpus.StageIndex}, stages(d))
	assert.Equal(t, len(pageOf("levadas", 5)), d.Bytes)
	assert.Equal(t, 2, p.web.Asked())
	p.exactly(acme, d)

	unchanged := func(r corpus.Receipt) {
		t.Helper()
		j := p.job(acme, r.JobID)
		assert.Equal(t, job.Succeeded, j.State)
		assert.True(t, j.Unchanged)
		again := p.document(acme, "page")
		assert.Equal(t, d.Generation, again.Generation)
		assert.Equal(t, d.Searchable, again.Searchable)
		assert.Nil(t, again.Why)
		p.exactly(acme, d)
	}
	r := p.submit(acme, fetched("page", url))
	p.run(acme)
	unchanged(r)
	p.web.Serve(url, memory.Page{Body: pageOf("levadas", 5), ContentType: "text/html", ETag: `"2"`})
	r = p.submit(acme, fetched("page", url))
	p.run(acme)
	unchanged(r) // another ETag, and the same page

	p.web.Serve(url, memory.Page{Body: pageOf("tunnels", 3), ContentType: "text/html", ETag: `"3"`})
	r = p.submit(acme, fetched("page", url))
	p.run(acme)
	assert.False(t, p.job(acme, r.JobID).Unchanged)
	d = p.document(acme, "page")
	assert.Equal(t, 4, d.Searchable, "numbers are not given twice")
	assert.Equal(t, "On tunnels", d.Title)
	p.exactly(acme, d)

	other := fetched("page", url)
	other.About.Title = "Another title"
	r = p.submit(acme, other)
	p.run(acme)
	assert.False(t, p.job(acme, r.JobID).Unchanged, "what is said of it is new")
	assert.Equal(t, "Another title", p.document(acme, "page").Title)
}

func TestWhatCannotBeFetchedSaysSo(t *testing.T) {
	p := newPlatform(t)
	acme, globex := scope(t, "acme"), scope(t, "globex")
	p.web.Serve("https://example.com/busy", memory.Page{Fault: fault.Unavailablef(nil, "fetch_failed", "the server answered 503")})
	p.web.Serve("https://example.com/film", memory.Page{Body: []byte("x"), ContentType: "video/mp4"})
	p.web.Serve("https://example.com/empty", memory.Page{Body: []byte("<script>x</script>"), ContentType: "text/html"})
	p.web.Serve("https://example.com/good", memory.Page{Body: []byte(prose("rain", 2)), ContentType: "text/plain"})
	want := map[string]struct {
		code  string
		stage corpus.Stage
	}{
		"missing": {"fetch_refused", corpus.StageFetch}, "busy": {"fetch_failed", corpus.StageFetch}, "film": {"content_type_unsupported", corpus.StageFetch},
		"empty": {"document_has_no_text", corpus.StageChunk}, "good": {},
	}
	jobs := map[string]string{}
	for name := range want {
		jobs[name] = p.submit(acme, fetched(name, "https://example.com/"+name)).JobID
	}
	p.submit(globex, fetched("good", "https://example.com/good"))
	p.run(acme, globex)
	for name, w := range want {
		j := p.job(acme, jobs[name])
		if w.code == "" {
			assert.Equal(t, job.Succeeded, j.State, name)
			continue
		}
		require.Equal(t, job.Failed, j.State, name)
		assert.Equal(t, w.code, j.Errors[0].Code, name)
		assert.Equal(t, string(w.stage), j.Errors[0].Stage, name)
		d := p.document(acme, name)
		assert.Equal(t, w.stage, d.Stages[len(d.Stages)-1].Stage, name)
	}
	assert.Equal(t, corpus.Indexed, p.document(globex, "good").State)

	r, err := p.ledger.Resubmit(t.Context(), acme, corpus.Resubmission{DocID: "missing", Generation: 1, JobID: "again", Cause: events.Cause{ID: "replay"}})
	require.NoError(t, err)
	p.web.Serve("https://example.com/missing", memory.Page{Body: []byte("Here it is after all."), ContentType: "text/plain"})
	p.run(acme)
	assert.Equal(t, job.Succeeded, p.job(acme, r.JobID).State)
}

// TestFetchingFailsAndEndsTheSame fails stores, ledger and queues before and after their effects, delivers twice, and changes the
// page meanwhile: one version of it is cut, whole.
func TestFetchingFailsAndEndsTheSame(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			p := newPlatform(t)
			acme, globex := scope(t, "acme"), scope(t, "globex")
			p.queues.Rand, p.queues.Duplicate = rand.New(rand.NewPCG(seed, 8)), 0.3
			const url = "https://example.com/changing"
			version := 0
			serve := func() {
				version++
				p.web.Serve(url, memory.Page{Body: pageOf(fmt.Sprint("version", version), 1+version%7*5), ContentType: "text/html", ETag: fmt.Sprint(version / 2)})
			}
			serve()
			for range 3 {
				p.submit(acme, fetched("page", url))
				p.submit(globex, fetched("page", url))
			}
			budget := 200
			var mu sync.Mutex
			fail := func(string) error {
				mu.Lock()
				defer mu.Unlock()
				if rng.IntN(4) == 0 {
					serve()
				}
				if budget > 0 && rng.IntN(6) == 0 {
					budget--
					return fault.Unavailablef(nil, "test_failure", "a store failed")
				}
				return nil
			}
			hooks := memory.Hooks{Before: fail, After: fail}
			p.texts.Hooks, p.ledger.Hooks, p.vectors.Hooks, p.words.Hooks, p.queues.Hooks, p.web.Hooks = hooks, hooks, hooks, hooks, hooks, memory.Hooks{Before: fail}
			p.queues.MaxAttempts = 1000
			p.router = patient(p)
			p.run(acme, globex)
			p.texts.Hooks, p.ledger.Hooks, p.vectors.Hooks, p.words.Hooks = memory.Hooks{}, memory.Hooks{}, memory.Hooks{}, memory.Hooks{}
			for _, s := range []tenants.Scope{acme, globex} {
				d := p.document(s, "page")
				require.Equal(t, corpus.Indexed, d.State)
				assert.Equal(t, d.Generation, d.Searchable)
				p.exactly(s, d)
				text, err := p.texts.Get(t.Context(), s, d.Derived.TextKey)
				require.NoError(t, err)
				assert.Equal(t, d.Derived.SHA256, corpus.Sum(text))
				page, err := p.texts.Get(t.Context(), s, d.TextKey)
				require.NoError(t, err)
				assert.Equal(t, d.SHA256, corpus.Sum(page))
				assert.Contains(t, string(page), d.Title, "the chunks are of the page that is kept")
				assert.Contains(t, string(text), strings.TrimPrefix(d.Title, "On "))
			}
		})
	}
}
