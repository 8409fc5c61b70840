package imports_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

const siteMap = "https://a.example.com/map.xml"

// fails puts an address on the web whose server cannot answer now.
func (w *world) fails(url string, after time.Duration) {
	w.web.Serve(url, memory.Page{Fault: fault.Unavailablef(nil, "fetch_failed", "the server answered 503").WithRetryAfter(after)})
}

// said are the notes on the import's job.
func (w *world) said() (all []string) {
	for _, n := range w.ledger.notes {
		all = append(all, n.Code+" "+n.Message)
	}
	return all
}

// TestAServerThatDoesNotAnswer is asked four times for its sitemap, within a quarter of an hour. Meanwhile the job says so, and in the end it fails.
func TestAServerThatDoesNotAnswer(t *testing.T) {
	w := newWorld(t, "acme")
	w.fails(siteMap, 0)
	e := w.run(imports.Origin{Sitemap: siteMap}, 0)
	var slept []time.Duration
	e.Asleep = func(d time.Duration) { slept = append(slept, d) }
	require.NoError(t, e.Run(t.Context()))
	assert.Equal(t, 4, w.web.Asked())
	assert.Equal(t, []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute}, slept)
	assert.Equal(t, []string{
		"fetch_failed " + siteMap + ": the server answered 503; it is asked again after 30s",
		"fetch_failed " + siteMap + ": the server answered 503; it is asked again after 2m0s",
		"fetch_failed " + siteMap + ": the server answered 503; it is asked again after 10m0s",
	}, w.said())
	require.NotNil(t, w.ledger.failed)
	assert.Equal(t, []string{"fetch_failed", "sitemap"}, []string{w.ledger.failed.Code, w.ledger.failed.Field})
	assert.Contains(t, w.ledger.failed.Message, siteMap)
	assert.Zero(t, w.ledger.sealed)
	assert.Zero(t, w.parts.Len(w.scope))
}

// TestAServerThatAnswersLater loses nothing, whatever dies meanwhile. What it asks for counts.
func TestAServerThatAnswersLater(t *testing.T) {
	survives(t, func(w *world) (imports.Origin, int) {
		w.fails(siteMap, 5*time.Minute)
		return imports.Origin{Sitemap: siteMap}, 0
	}, func(t *testing.T, w *world) {
		assert.Equal(t, "fetch_failed", w.ledger.failed.Code, "nobody has mended it")
	})
	w := newWorld(t, "acme")
	w.fails(siteMap, 5*time.Minute)
	e := w.run(imports.Origin{Sitemap: siteMap}, 0)
	var slept []time.Duration
	e.Asleep = func(d time.Duration) {
		if slept = append(slept, d); len(slept) == 2 {
			w.serve(siteMap, urlset("https://a.example.com/1"))
		}
	}
	require.NoError(t, e.Run(t.Context()))
	assert.Equal(t, []time.Duration{5 * time.Minute, 5 * time.Minute}, slept)
	w.whole(t, "https://a.example.com/1")
	assert.Nil(t, w.ledger.failed)
}

// TestAnImportThatIsCancelledWhileItWaits asks nobody again.
func TestAnImportThatIsCancelledWhileItWaits(t *testing.T) {
	w := newWorld(t, "acme")
	w.fails(siteMap, 0)
	e := w.run(imports.Origin{Sitemap: siteMap}, 0)
	e.Asleep = func(time.Duration) { w.ledger.cancelled = true }
	require.NoError(t, e.Run(t.Context()))
	assert.Equal(t, 2, w.web.Asked(), "once more, before it is told")
	assert.False(t, w.ledger.wasSealed)
	assert.Zero(t, w.parts.Len(w.scope))
}

// TestAnIndexOfLostSitemaps is bounded: those that answer are taken, some are asked again, and after five in a row that do not the others are left out.
func TestAnIndexOfLostSitemaps(t *testing.T) {
	w := newWorld(t, "acme")
	var names []string
	for i := range 30 {
		name := fmt.Sprintf("https://a.example.com/%d.xml", i)
		names = append(names, name)
		if w.fails(name, 0); i == 3 {
			w.serve(name, urlset("https://a.example.com/page"))
		}
	}
	w.serve(siteMap, index(names...))
	require.NoError(t, w.run(imports.Origin{Sitemap: siteMap}, 0).Run(t.Context()))
	w.whole(t, "https://a.example.com/page")
	assert.Equal(t, []string{"1 fetch_failed", "2 fetch_failed", "3 fetch_failed", "5 fetch_failed", "6 fetch_failed", "7 fetch_failed", "8 fetch_failed", "9 fetch_failed"}, w.ledger.problems())
	assert.Equal(t, 1+9+6, w.web.Asked(), "each once, and six times again in all")
	assert.Len(t, w.said(), 6)
	require.NotNil(t, w.ledger.failed)
	assert.Equal(t, "fetch_failed", w.ledger.failed.Code)
	assert.Contains(t, w.ledger.failed.Message, "left out")
}

// TestLongSitemaps: what is too long says what to do, and one whose addresses are is cut.
func TestLongSitemaps(t *testing.T) {
	w := newWorld(t, "acme")
	w.serve(siteMap, strings.Repeat(" ", imports.MaxSitemapFile+1))
	require.NoError(t, w.run(imports.Origin{Sitemap: siteMap}, 0).Run(t.Context()))
	require.NotNil(t, w.ledger.failed)
	assert.Equal(t, "fetch_too_large", w.ledger.failed.Code)
	assert.Contains(t, w.ledger.failed.Message, "10 MiB: pack it with gzip")

	w = newWorld(t, "acme")
	pages := make([]string, 10_000)
	for i := range pages {
		pages[i] = fmt.Sprintf("https://a.example.com/%05d/%s", i, strings.Repeat("x", 2000))
	}
	w.serve(siteMap, zipped(t, urlset(pages...)))
	require.NoError(t, w.run(imports.Origin{Sitemap: siteMap}, 0).Run(t.Context()))
	assert.Equal(t, (16<<20)/len(pages[0]), w.ledger.sealed, "16 MiB of them")
	assert.Equal(t, "import_too_large", w.ledger.failed.Code)
}

// long is a web of one sitemap that is long.
type long struct {
	*memory.Web
	second error
}

func (l *long) Fetch(ctx context.Context, s tenants.Scope, url string, o corpus.FetchOptions) (corpus.Fetched, error) {
	if err := o.Large(ctx, 1); err != nil {
		return corpus.Fetched{}, err
	}
	late, cancel := context.WithCancel(ctx)
	cancel()
	l.second = o.Large(late, 1)
	return l.Web.Fetch(ctx, s, url, o)
}

// TestLongSitemapsAreInMemoryAlone: one has the room that all files have, and gives it back.
func TestLongSitemapsAreInMemoryAlone(t *testing.T) {
	for _, body := range []string{urlset("https://a.example.com/1"), "none"} {
		w := newWorld(t, "acme")
		l := &long{Web: w.web}
		w.feeder.Fetcher = l
		w.serve(siteMap, body)
		for range 2 {
			require.NoError(t, w.run(imports.Origin{Sitemap: siteMap}, 0).Run(t.Context()))
			assert.Equal(t, "memory_busy", fault.As(l.second).Code, "while it is there nothing else has room")
		}
	}
}
