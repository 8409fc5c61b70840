package imports_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/events/watch/watchtest"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/imports"
)

var both = []string{"acme", "globex"}

// survives runs the import of a tenant through every death.
func survives(t *testing.T, begin func(w *world) (imports.Origin, int), check func(t *testing.T, w *world)) {
	for _, tenant := range both {
		t.Run(tenant, func(t *testing.T) {
			flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
				w := newWorld(t, tenant)
				o, entries := begin(w)
				return w.run(o, entries), func(t *testing.T) { check(t, w) }
			})
		})
	}
}

func TestABatchIsTakenOnceWhateverDies(t *testing.T) {
	for _, n := range []int{1, imports.MaxPartEntries, 2*imports.MaxPartEntries + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			survives(t, func(w *world) (imports.Origin, int) { return w.batch(n), n }, func(t *testing.T, w *world) { w.whole(t, docs(n)...) })
		})
	}
}

// The ledger has no room for all of it: the run sleeps and goes on where it was, in the middle of a part.
func TestABatchWaitsForRoom(t *testing.T) {
	survives(t, func(w *world) (imports.Origin, int) {
		w.ledger.limited, w.ledger.room = true, 130
		return w.batch(600), 600
	}, func(t *testing.T, w *world) { w.whole(t, docs(600)...) })
}

// A document is caused by the step that submits it, in the trace of the run; where nobody notices steps, by what the import is.
func TestWhatCausesADocument(t *testing.T) {
	for _, tenant := range both {
		t.Run(tenant, func(t *testing.T) {
			place, err := trace.New(rand.Reader)
			require.NoError(t, err)
			cause := events.Cause{ID: "request", TraceParent: place.String()}
			submitted := func(ctx context.Context, notices *watch.Watch) (causes []events.Cause) {
				w := newWorld(t, tenant)
				run := w.run(imports.Origin{}, 0)
				run.Flow = flow.Watched(notices, imports.Kind, run.Flow)
				run.Params = imports.Order{Origin: w.batch(2), Entries: 2, Cause: events.Cause{ID: cause.ID, TraceParent: cause.TraceParent, IdempotencyKey: "key"}}
				require.NoError(t, run.Run(ctx))
				for _, taking := range w.ledger.taken {
					causes = append(causes, taking.Submission.Cause)
				}
				return causes
			}
			assert.Equal(t, []events.Cause{cause, cause}, submitted(t.Context(), nil))
			notices, seen := watchtest.New("workflows", nil)
			causes := submitted(trace.With(t.Context(), place), notices)
			steps := seen.Spans(tenants.ID(tenant), trace.Step)
			i := slices.IndexFunc(steps, func(s trace.Span) bool { return s.Name == "submit part 0, 0" })
			require.GreaterOrEqual(t, i, 0, "%+v", steps)
			cause.TraceParent = "00-" + place.TraceID() + "-" + steps[i].ID + "-03"
			assert.Equal(t, []events.Cause{cause, cause}, causes)
		})
	}
}

func TestURLs(t *testing.T) {
	survives(t, func(w *world) (imports.Origin, int) {
		return imports.Origin{URLs: []string{"https://a.example.com/#top", "ftp://a.example.com/", "https://a.example.com/x?y=1", "https://a.example.com/" + strings.Repeat("x", 2100), "http://127.0.0.1/"}}, 5
	}, func(t *testing.T, w *world) {
		w.whole(t, "https://a.example.com/", imports.DocID("https://a.example.com/x?y=1"))
		assert.Equal(t, []string{"2 url_invalid", "4 url_too_long", "5 address_denied"}, w.ledger.problems())
		sub := w.ledger.taken[0].Submission
		assert.Equal(t, []any{"https://a.example.com/", "https://a.example.com/", "docs"}, []any{sub.Fetch.URL, sub.About.URL, sub.About.Source})
	})
}

func urlset(pages ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, p := range pages {
		fmt.Fprintf(&b, "<url><loc> %s\n</loc><lastmod>2026-01-01</lastmod></url>", p)
	}
	return b.String() + "</urlset>"
}

func index(sitemaps ...string) string {
	var b strings.Builder
	for _, s := range sitemaps {
		fmt.Fprintf(&b, "<sitemap><loc>%s</loc></sitemap>", s)
	}
	return `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + b.String() + "</sitemapindex>"
}

func zipped(t *testing.T, text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

func TestASitemapOfSitemaps(t *testing.T) {
	survives(t, func(w *world) (imports.Origin, int) {
		w.serve("https://a.example.com/map.xml", index("https://a.example.com/1.xml", "https://a.example.com/2.xml.gz", "https://a.example.com/lost.xml", "https://a.example.com/deep.xml", "no address"))
		w.serve("https://a.example.com/1.xml", urlset("https://a.example.com/1", "https://a.example.com/2?a=1&amp;b=2"))
		w.serve("https://a.example.com/2.xml.gz", zipped(w.t, urlset("https://a.example.com/3")))
		w.serve("https://a.example.com/deep.xml", index("https://a.example.com/1.xml"))
		return imports.Origin{Sitemap: "https://a.example.com/map.xml"}, 0
	}, func(t *testing.T, w *world) {
		w.whole(t, "https://a.example.com/1", imports.DocID("https://a.example.com/2?a=1&b=2"), "https://a.example.com/3")
		assert.Equal(t, []string{"4 fetch_refused", "5 sitemap_invalid", "6 url_invalid"}, w.ledger.problems())
		for _, taking := range w.ledger.taken {
			if p := taking.Problem; p != nil {
				assert.Equal(t, "sitemap", p.Field, p.Message)
				assert.NotContains(t, p.Message, "map.xml", "each is named itself")
			}
		}
		assert.Nil(t, w.ledger.failed)
	})
}

func TestASitemapThatIsNone(t *testing.T) {
	for name, c := range map[string]struct{ body, code string }{
		"HTML":      {"<html><body>404</body></html>", "sitemap_invalid"},
		"broken":    {"<urlset><url><loc>https://a.example.com/1</loc></url><url>", "sitemap_invalid"},
		"empty":     {"", "sitemap_invalid"},
		"bad gzip":  {"\x1f\x8b\x08rest", "sitemap_invalid"},
		"not there": {"nowhere", "fetch_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "acme")
			if c.body != "nowhere" {
				w.serve("https://a.example.com/map.xml", c.body)
			}
			require.NoError(t, w.run(imports.Origin{Sitemap: "https://a.example.com/map.xml"}, 0).Run(t.Context()))
			require.NotNil(t, w.ledger.failed)
			assert.Equal(t, []string{c.code, "sitemap"}, []string{w.ledger.failed.Code, w.ledger.failed.Field})
			assert.Contains(t, w.ledger.failed.Message, "https://a.example.com/map.xml: ")
			assert.Zero(t, w.ledger.sealed, "the import ends without an entry")
		})
	}
}

func TestALongSitemapIsCut(t *testing.T) {
	w := newWorld(t, "acme")
	pages := make([]string, imports.MaxSitemapURLs+1)
	for i := range pages {
		pages[i] = fmt.Sprintf("https://a.example.com/%d", i)
	}
	w.serve("https://a.example.com/map.xml", zipped(t, urlset(pages...)))
	require.NoError(t, w.run(imports.Origin{Sitemap: "https://a.example.com/map.xml"}, 0).Run(t.Context()))
	assert.Equal(t, imports.MaxSitemapURLs, w.ledger.sealed)
	require.NotNil(t, w.ledger.failed)
	assert.Equal(t, "import_too_large", w.ledger.failed.Code)
}

func TestAPrefix(t *testing.T) {
	survives(t, func(w *world) (imports.Origin, int) {
		for i := range 502 {
			w.files.Put(w.scope, fmt.Sprintf("docs/%03d.md", i), "", fmt.Appendf(nil, "# %d", i))
		}
		w.files.Put(w.scope, "docs/", "", nil)
		w.files.Put(w.scope, "docs/big.txt", "text/plain", bytes.Repeat([]byte("x"), 6_000_000))
		w.files.Put(w.scope, "docs/picture.png", "image/png", []byte("x"))
		w.files.Put(w.scope, "other", "", []byte("x"))
		return imports.Origin{Prefix: "docs/"}, 0
	}, func(t *testing.T, w *world) {
		var want []string
		for i := range 502 {
			want = append(want, fmt.Sprintf("docs/%03d.md", i))
		}
		w.whole(t, want...)
		assert.Equal(t, []string{"503 document_too_large", "504 content_type_unsupported"}, w.ledger.problems())
		assert.Equal(t, "text/markdown", w.ledger.taken[0].Submission.ContentType)
	})
}

// What a source brings stands below its prefix, and what another has to itself is refused; a tenant without such sources takes it all.
func TestIDsBelowAPrefix(t *testing.T) {
	for tenant, c := range map[string]struct {
		source         string
		docs, problems []string
	}{
		"acme":   {"wiki", []string{"wiki/kb/a.md", "wiki/kb/deep/b.md"}, nil},
		"acme ":  {"docs", []string{"kb/a.md"}, []string{"2 doc_id_taken"}},
		"acme  ": {"unknown", []string{"kb/a.md", "kb/deep/b.md"}, nil},
		"globex": {"wiki", []string{"kb/a.md", "kb/deep/b.md"}, nil},
	} {
		t.Run(tenant, func(t *testing.T) {
			w := newWorld(t, strings.TrimSpace(tenant), func(c *tenants.Config) {
				files := &tenants.Sync{Prefix: "kb/"}
				c.Sources = []tenants.Source{{ID: "wiki", IDPrefix: "wiki/", Sync: files}, {ID: "docs", Sync: files}, {ID: "deep", IDPrefix: "kb/deep/", Sync: files}}
			})
			w.files.Put(w.scope, "kb/a.md", "", []byte("A"))
			w.files.Put(w.scope, "kb/deep/b.md", "", []byte("B"))
			e := w.run(imports.Origin{Prefix: "kb/"}, 0)
			o := e.Params.(imports.Order)
			o.Source = c.source
			e.Params = o
			require.NoError(t, e.Run(t.Context()))
			assert.Equal(t, c.docs, w.ledger.docs())
			assert.Equal(t, c.problems, w.ledger.problems())
		})
	}
}

func TestCancelled(t *testing.T) {
	t.Run("before it has begun", func(t *testing.T) {
		w := newWorld(t, "acme")
		e := w.run(w.batch(10), 10)
		w.ledger.cancelled = true
		require.NoError(t, e.Run(t.Context()))
		assert.Equal(t, []string{"step begin", "step drop"}, e.Names())
		assert.Zero(t, w.parts.Len(w.scope))
	})
	t.Run("in the middle", func(t *testing.T) {
		w := newWorld(t, "acme")
		e := w.run(w.batch(1100), 1100)
		e.Die = func(p flowtest.Point) bool {
			w.ledger.cancelled = w.ledger.cancelled || p.Name == "submit part 0, 0" && p.When == flowtest.After
			return false
		}
		require.NoError(t, e.Run(t.Context()))
		assert.Len(t, w.ledger.taken, imports.MaxPartEntries)
		assert.Zero(t, w.parts.Len(w.scope))
	})
}

// Whatever fails, before its effect or after, an import is taken whole and once; what fails for ever ends it with the reason.
func TestEverythingFails(t *testing.T) {
	lost := errors.New("connection lost")
	for _, op := range []string{"job", "take", "seal", "put", "get", "drop"} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after its effect: %t", op, after), func(t *testing.T) {
				w := newWorld(t, "acme")
				e := w.run(w.batch(150), 150)
				var one sync.Mutex // texts are put several at a time
				fail := func(times int) func(string) error {
					return func(got string) error {
						one.Lock()
						defer one.Unlock()
						if got != op || times == 0 {
							return nil
						}
						times--
						return lost
					}
				}
				for _, h := range []*func(string) error{hook(&w.ledger.hooks, after), hook(&w.parts.Hooks, after), hook(&w.texts.Hooks, after)} {
					*h = fail(8)
				}
				require.NoError(t, e.Run(t.Context()))
				w.whole(t, docs(150)...)
			})
		}
	}
	t.Run("for ever", func(t *testing.T) {
		w := newWorld(t, "acme")
		e := w.run(w.batch(150), 150)
		w.parts.Before = func(op string) error {
			if op == "get" {
				return fault.Unavailablef(lost, "store_unavailable", "the store does not answer")
			}
			return nil
		}
		require.NoError(t, e.Run(t.Context()))
		require.NotNil(t, w.ledger.failed)
		assert.Equal(t, "store_unavailable", w.ledger.failed.Code)
		assert.Zero(t, w.ledger.sealed)
		assert.Zero(t, w.parts.Len(w.scope))
	})
}

func hook(h *memory.Hooks, after bool) *func(string) error {
	if after {
		return &h.After
	}
	return &h.Before
}

func TestASignalThatIsLostCostsADayNotTheImport(t *testing.T) {
	w := newWorld(t, "acme")
	e := w.run(w.batch(3), 3)
	e.Idle = func(string) { w.ledger.settle() }
	require.NoError(t, e.Run(t.Context()))
	w.whole(t, docs(3)...)
}

func TestAnImportThatNobodyKnows(t *testing.T) {
	w := newWorld(t, "acme")
	e := w.run(imports.Origin{Batch: 1}, 1)
	w.ledger.open = false
	assert.Equal(t, "job_not_found", fault.As(e.Run(t.Context())).Code)
}

// TestTextsOfUnchangedDocumentsGo, wherever the run dies, also between the ledger's taking them and its answer; and when the store does not remove them at once.
func TestTextsOfUnchangedDocumentsGo(t *testing.T) {
	unchanged := map[string]bool{"doc-1": true, "doc-120": true}
	gone := func(t *testing.T, w *world) {
		assert.Equal(t, docs(150), w.ledger.docs())
		assert.Equal(t, 148, w.texts.Len(w.scope))
	}
	survives(t, func(w *world) (imports.Origin, int) {
		w.ledger.unchanged = unchanged
		return w.batch(150), 150
	}, gone)
	for name, hook := range map[string]func(w *world, fail func(string) error){
		"before":               func(w *world, fail func(string) error) { w.texts.Before = fail },
		"after":                func(w *world, fail func(string) error) { w.texts.After = fail },
		"the ledger's answers": func(w *world, fail func(string) error) { w.ledger.hooks.After = fail },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "acme")
			w.ledger.unchanged = unchanged
			origin := w.batch(150)
			failures := 2
			hook(w, func(op string) error {
				if failures == 0 || op != "delete" && op != "take" {
					return nil
				}
				failures--
				return fault.Unavailablef(nil, "store_unavailable", "no answer")
			})
			require.NoError(t, w.run(origin, 150).Run(t.Context()))
			assert.Zero(t, failures)
			gone(t, w)
		})
	}
}
