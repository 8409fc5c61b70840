package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// folder writes files and goes to where they are.
func folder(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
	}
	t.Chdir(dir)
}

var handbook = map[string]string{
	"docs/start.md": "# Start here\n\nWater runs along the levada.", "docs/guide/paths.txt": "The path follows the water.",
	"docs/guide/page.html": "<title>A page</title><p>Walls hold the water.", "docs/logo.png": "\x89PNG\r\n\x1a\n\x00", "docs/.env": "SECRET=1",
	"docs/nothing.txt": "",
}

func TestIngestDryRun(t *testing.T) {
	folder(t, handbook)
	code, out, errs := levada(t, "ingest", "--dry-run", "--prefix", "kb/", "docs", "https://example.com/a")
	assert.Equal(t, exitOK, code, errs)
	assert.Empty(t, errs)
	assert.Equal(t, `
┌───────────────────────┬──────────────────────────────────────┬─────────────────────────┬───────┐
│ FILE                  │ DOCUMENT                             │ TYPE                    │ BYTES │
├───────────────────────┼──────────────────────────────────────┼─────────────────────────┼───────┤
│ https://example.com/a │                                      │ fetched by the platform │     0 │
│ docs/guide/page.html  │ kb/guide/page.html                   │ text/html               │    45 │
│ docs/guide/paths.txt  │ kb/guide/paths.txt                   │ text/plain              │    27 │
│ docs/logo.png         │ left out: is of no type that is read │                         │       │
│ docs/nothing.txt      │ left out: is empty                   │                         │       │
│ docs/start.md         │ kb/start.md                          │ text/markdown           │    42 │
├───────────────────────┼──────────────────────────────────────┼─────────────────────────┼───────┤
│ 4 documents           │ 2 left out, 0 cannot be read         │                         │   114 │
└───────────────────────┴──────────────────────────────────────┴─────────────────────────┴───────┘
`, "\n"+out)

	code, out, _ = levada(t, "ingest", "--dry-run", "--json", "--include", "*.png", "--include", "start.md", "docs")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, `{"file":"docs/logo.png","bytes":9,"skipped":"is of no type that is read"}`+"\n"+
		`{"file":"docs/start.md","docId":"start.md","contentType":"text/markdown","bytes":42}`+"\n", out)
}

func TestIngestIsCalledWrongly(t *testing.T) {
	folder(t, handbook)
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"nothing":                {nil, "name folders, files or URLs"},
		"a file that is not":     {[]string{"nowhere"}, "no such file"},
		"no glob":                {[]string{"--include", "[", "docs"}, `--include: "[" is not a glob`},
		"a prefix of no ids":     {[]string{"--prefix", " bad ", "docs"}, `--prefix " bad ": ids begin with a letter or a digit`},
		"no pair":                {[]string{"--meta", "year", "docs"}, "--meta year: not name=value"},
		"no URL":                 {[]string{"https:///x"}, "not the address of a page"},
		"a sitemap and files":    {[]string{"--sitemap", "https://example.com/sitemap.xml", "docs"}, "and no files"},
		"a sitemap that is none": {[]string{"--sitemap", "sitemap.xml"}, "--sitemap sitemap.xml: not the address"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := levada(t, append([]string{"ingest"}, test.args...)...)
			assert.Equal(t, exitUsage, code)
			assert.Empty(t, out)
			assert.Contains(t, errs, test.says)
		})
	}
}

func TestMeta(t *testing.T) {
	meta, err := parseMeta([]string{"year=2026", "public=true", "team=support desk", "code=\"7\"", `tags=["a","b"]`, "empty=", "eq=a=b", "null=null", "deep={}"})
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"year": 2026.0, "public": true, "team": "support desk", "code": "7", "tags": []any{"a", "b"}, "empty": "", "eq": "a=b",
		"null": "null", "deep": "{}"}, meta)
	_, err = parseMeta([]string{"=x"})
	assert.Error(t, err)
}

func TestTheBarSaysHowFarAnImportIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var drawn bytes.Buffer
		m := newMeter(&drawn, "sending", 0, 100)
		m.show(job.Job{State: job.Queued})
		time.Sleep(time.Second)
		m.show(job.Job{State: job.Running, Counts: job.Counts{Total: 10, Done: 4, Failed: 1}})
		m.clear()
		assert.Contains(t, drawn.String(), "running, 1 failed, 5/s")
		assert.Contains(t, drawn.String(), "(5/10")
		for _, width := range []int{40, 64, 80, 200} {
			drawn.Reset()
			m := newMeter(&drawn, "sending", 0, width)
			time.Sleep(time.Second)
			m.show(job.Job{State: job.Running, Counts: job.Counts{Total: 1000, Done: 400, Failed: 2}})
			for _, line := range strings.Split(drawn.String(), "\r") {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), width, "%q", line)
			}
		}
		(&meter{}).show(job.Job{})
		(&meter{}).clear()
	})
}

func TestIngestAFolder(t *testing.T) {
	folder(t, handbook)
	inWorld(t, func(t *testing.T, w *world) {
		ingest := []string{"ingest", "--wait", "--prefix", "kb/", "--source", "handbook", "--meta", "year=2026", "docs"}
		code, out, errs := w.run(t.Context(), "acme", ingest...)
		assert.Equal(t, exitOK, code)
		assert.Empty(t, errs)
		assert.Equal(t, "import 00000000-0000-0000-0000-000000000001: succeeded, 3 documents: 3 searchable, in 100ms\n", out)

		d, err := w.client("acme").Document(t.Context(), "kb/guide/page.html")
		require.NoError(t, err)
		assert.Equal(t, []any{"A page", "handbook", "text/html", 1, 1}, []any{d.Title, d.Source, d.ContentType, d.Generation, d.Searchable})
		assert.Equal(t, map[string]any{"year": 2026.0}, d.Metadata)

		// Again: what has not changed is not worked on.
		require.NoError(t, os.WriteFile("docs/guide/paths.txt", []byte("The path leaves the water."), 0o644))
		code, out, errs = w.run(t.Context(), "acme", ingest...)
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "succeeded, 3 documents: 3 searchable (2 unchanged), in")

		// Another tenant's documents of the same names are its own.
		_, err = w.client("globex").Document(t.Context(), "kb/start.md")
		assert.True(t, fault.Is(err, fault.NotFound), "%v", err)
		code, out, errs = w.run(t.Context(), "globex", ingest...)
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "3 documents: 3 searchable")
		code, out, errs = w.run(t.Context(), "globex", "jobs", "follow", "--json", w.seen(1))
		assert.Equal(t, exitProblem, code, "the first import is acme's")
		assert.Empty(t, out)
		assert.Contains(t, errs, "job_not_found")
	})
}

func TestIngestNamesWhatFailed(t *testing.T) {
	folder(t, map[string]string{
		"docs/good.md": "# Good", "docs/large.md": strings.Repeat("x", 100_001), "docs/poison.md": "Some poison.", "docs/blank.txt": " \n", "what": "\x00\x01",
	})
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(_ llm.Call, texts []string) error {
			if strings.Contains(strings.Join(texts, ""), "poison") {
				return fault.Invalidf("texts", "text_refused", "the model does not take it")
			}
			return nil
		}
		code, out, errs := w.run(t.Context(), "acme", "ingest", "--wait", "docs", "what")
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, "import 00000000-0000-0000-0000-000000000001: succeeded, 4 documents: 1 searchable, 3 failed (2 refused), in 100ms\n", out)
		assert.Equal(t, `
┌────────────────┬────────────────────┬───────────────────────────────────────────┬───────────────────────────────────────────────────────┐
│ FILE           │ CODE               │ MESSAGE                                   │ WHAT TO DO                                            │
├────────────────┼────────────────────┼───────────────────────────────────────────┼───────────────────────────────────────────────────────┤
│ what           │ file_unreadable    │ nobody can tell what it is: name its type │                                                       │
│ docs/blank.txt │ document_empty     │ text: there is no text to search in       │ leave it out with --exclude                           │
│ docs/large.md  │ document_too_large │ text: 100001 bytes; the limit is 100000   │ split it, or raise limits.documentBytes of the tenant │
│ docs/poison.md │ text_refused       │ the model does not take it                │                                                       │
└────────────────┴────────────────────┴───────────────────────────────────────────┴───────────────────────────────────────────────────────┘
levada: 4 documents failed
`, "\n"+errs)

		require.NoError(t, os.RemoveAll("docs/good.md"))
		require.NoError(t, os.RemoveAll("docs/poison.md"))
		code, out, errs = w.run(t.Context(), "acme", "ingest", "--wait", "docs")
		assert.Equal(t, exitProblem, code)
		assert.Empty(t, out)
		assert.Contains(t, errs, "document_too_large")
		assert.Contains(t, errs, "levada: 2 documents failed", "none was taken")

		code, _, errs = w.run(t.Context(), "acme", "ingest", "what")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "1 file cannot be read, and there is nothing else")
	})
}

func TestIngestWithoutWaiting(t *testing.T) {
	folder(t, handbook)
	inWorld(t, func(t *testing.T, w *world) {
		code, out, errs := w.run(t.Context(), "acme", "ingest", "docs")
		assert.Equal(t, exitOK, code)
		assert.Empty(t, errs)
		assert.Equal(t, `
import 00000000-0000-0000-0000-000000000001: queued, 3 documents: 0 searchable, 3 on their way
  follow it:   levada jobs follow 00000000-0000-0000-0000-000000000001 --tenant acme --state-dir STATE
`, "\n"+out)
		code, out, errs = w.run(t.Context(), "acme", "jobs", "follow", w.seen(1))
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "succeeded, 3 documents: 3 searchable\n")

		code, out, errs = w.run(t.Context(), "acme", "ingest", "--wait", "--json", "docs")
		assert.Equal(t, exitOK, code, errs)
		var j job.Job
		require.NoError(t, json.Unmarshal([]byte(out), &j))
		assert.Equal(t, job.Counts{Total: 3, Done: 3, Unchanged: 3}, j.Counts)
	})
}

func TestIngestFromTheWeb(t *testing.T) {
	folder(t, nil)
	inWorld(t, func(t *testing.T, w *world) {
		page := memory.Page{ContentType: "text/html", Body: []byte("<title>Levadas</title><article><h1>Levadas</h1><p>A levada is an irrigation channel on Madeira.</p></article>")}
		w.web.Serve("https://example.com/levadas", page)
		w.web.Serve("https://example.com/walls", page)
		w.web.Serve("https://example.com/sitemap.xml", memory.Page{ContentType: "application/xml",
			Body: []byte(`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://example.com/levadas</loc></url><url><loc>https://example.com/walls</loc></url></urlset>`)})
		code, out, errs := w.run(t.Context(), "acme", "ingest", "--wait", "https://example.com/levadas", "https://example.com/gone")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, out, "2 documents: 1 searchable, 1 failed, in")
		assert.Contains(t, errs, "https://example.com/gone")
		assert.Contains(t, errs, "fetch_refused")

		code, out, errs = w.run(t.Context(), "acme", "ingest", "--wait", "--sitemap", "https://example.com/sitemap.xml")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "0002 (sitemap https://example.com/sitemap.xml): succeeded, 2 documents: 2 searchable")

		w.web.Serve("https://example.com/none.xml", memory.Page{ContentType: "application/xml", Body: []byte("<urlset></urlset>")})
		code, out, errs = w.run(t.Context(), "acme", "ingest", "--wait", "--sitemap", "https://example.com/none.xml")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, ": succeeded, but nothing was found: https://example.com/none.xml: no page is named there; check")

		code, _, errs = w.run(t.Context(), "acme", "ingest", "--wait", "--sitemap", "https://example.com/lost.xml")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "sitemap: https://example.com/lost.xml: ")
		assert.Contains(t, errs, "levada: the import failed\n", "and no document")

		code, out, errs = w.run(t.Context(), "acme", "jobs", "--kind", "import")
		assert.Equal(t, exitOK, code, errs)
		for _, of := range []string{"batch", "sitemap https://example.com/sitemap.xml", "sitemap https://example.com/none.xml", "sitemap https://example.com/lost.xml"} {
			assert.Contains(t, out, " "+of+" ")
		}
	})
}

func TestIngestOfMoreThanOneRequestTakes(t *testing.T) {
	folder(t, map[string]string{"a.txt": "aaaa", "b.txt": "bbbb", "c.txt": "cccc", "d.txt": "dddddddddddddddddddddd", "e.txt": "e"})
	inWorld(t, func(t *testing.T, w *world) {
		var out, errs bytes.Buffer
		o := ingestOptions{BatchBytes: 9, Wait: true, Args: []string{"."}, View: view{Stdout: &out, Stderr: &errs}, Platform: w.platform("acme")}
		require.NoError(t, o.run(t.Context()), errs.String())
		assert.Equal(t, `
import 00000000-0000-0000-0000-000000000001: succeeded, 2 documents: 2 searchable
import 00000000-0000-0000-0000-000000000002: succeeded, 1 document: 1 searchable
import 00000000-0000-0000-0000-000000000003: succeeded, 1 document: 1 searchable
import 00000000-0000-0000-0000-000000000004: succeeded, 1 document: 1 searchable
`, "\n"+strings.ReplaceAll(w.plain(out.String()), ", in 100ms", ""))
	})
}

func TestIngestIsInterrupted(t *testing.T) {
	folder(t, handbook)
	inWorld(t, func(t *testing.T, w *world) {
		w.model.Before = func(llm.Call, []string) error { return fault.Unavailablef(nil, "model_busy", "later") }
		ctx, interrupt := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer interrupt()
		code, _, errs := w.run(ctx, "acme", "ingest", "--wait", "docs")
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, `
levada: not followed to its end; the job goes on
  follow it:   levada jobs follow 00000000-0000-0000-0000-000000000001 --tenant acme --state-dir STATE
  cancel it:   levada jobs cancel 00000000-0000-0000-0000-000000000001 --tenant acme --state-dir STATE
`, "\n"+errs)
		ctx, interrupt = context.WithCancel(t.Context())
		w.around = func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { interrupt() })
		}
		code, _, errs = w.run(ctx, "acme", "ingest", "--wait", "docs")
		assert.Equal(t, exitProblem, code)
		assert.Equal(t, "levada: interrupted before everything was sent; of a batch that was being sent nothing was taken\n", errs)
	})
}

// What was handed in before the rest could not be is named: it goes on.
func TestIngestBreaksOff(t *testing.T) {
	folder(t, map[string]string{"a.txt": "aaaa", "b.txt": "bbbb"})
	inWorld(t, func(t *testing.T, w *world) {
		batches := 0
		w.around = func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if batches++; batches == 2 {
					r.Header.Set("Authorization", "Bearer "+w.keys["globex"])
				}
				api.ServeHTTP(rw, r)
			})
		}
		var out, errs bytes.Buffer
		o := ingestOptions{BatchBytes: 1, Wait: true, Args: []string{"."}, View: view{Stdout: &out, Stderr: &errs}, Platform: w.platform("acme")}
		err := o.run(t.Context())
		require.ErrorContains(t, err, "tenant_mismatch")
		assert.Regexp(t, `\n  another goes on:   levada jobs follow [0-9a-f-]{36}$`, err.Error())
	})
}

func TestIngestOfFilesThatGo(t *testing.T) {
	folder(t, map[string]string{"docs/a.txt": "aaaa", "docs/b.txt": "bbbb"})
	inWorld(t, func(t *testing.T, w *world) {
		var out, errs bytes.Buffer
		o := ingestOptions{BatchBytes: 100, Wait: true, Args: []string{"docs"}, View: view{Stdout: &out, Stderr: &errs}, Platform: w.platform("acme")}
		p, err := o.plan(t.Context())
		require.NoError(t, err)
		require.NoError(t, os.Remove("docs/b.txt"))
		c, err := o.Platform.client()
		require.NoError(t, err)
		require.NoError(t, o.send(t.Context(), c, p))
		assert.Contains(t, out.String(), "succeeded, 1 document: 1 searchable")
		require.NoError(t, os.RemoveAll("docs"))
		assert.EqualError(t, o.send(t.Context(), c, p), "the files have gone since they were counted")
	})
}

func TestIngestWhereNoPlatformIs(t *testing.T) {
	folder(t, handbook)
	noEnvironment(t)
	state, _ := stateOf(t, "acme")
	server := httptest.NewServer(http.NotFoundHandler())
	code, _, errs := levada(t, "ingest", "--url", server.URL, "--state-dir", state, "docs")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "404 Not Found, and no answer of Levada's: something else is there")
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "internal error", http.StatusInternalServerError)
	})
	code, _, errs = levada(t, "ingest", "--url", server.URL, "--state-dir", state, "docs")
	assert.Equal(t, exitProblem, code)
	assert.Contains(t, errs, "500 Internal Server Error, and no reason: it broke down")
	server.Close()
	code, _, errs = levada(t, "ingest", "--url", server.URL, "--state-dir", state, "docs")
	assert.Equal(t, exitProblem, code)
	assert.Regexp(t, `^levada: no platform answers on http://127\.0\.0\.1:\d+: .*refused
  start it:              go tool task dev
  or name another one:   --url \(LEVADA_URL\)
$`, errs)
}

func TestIngestWithAWrongKey(t *testing.T) {
	folder(t, handbook)
	inWorld(t, func(t *testing.T, w *world) {
		key, err := tenants.NewKey(rand.Reader, "acme")
		require.NoError(t, err)
		code, _, errs := w.run(t.Context(), "acme", "ingest", "--key", key, "docs")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "(unauthorized, request 0")
		assert.Contains(t, errs, "name a key:   --key (LEVADA_KEY)")
		code, _, errs = w.run(t.Context(), "acme", "ingest", "--key", w.keys["globex"], "docs")
		assert.Equal(t, exitProblem, code)
		assert.Contains(t, errs, "(tenant_mismatch, request 0")
	})
}
