package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
	"levada.dev/workflows/reembed"
	"levada.dev/workflows/transfer"
)

// world is the whole platform in memory behind a server, with a state folder as a local platform has it: acme and globex with keys.
type world struct {
	t      *testing.T
	state  string
	keys   tenants.Keys
	ports  app.Ports
	ledger *memory.Ledger
	model  *llmtest.Embedder
	web    *memory.Web
	handle http.Handler                    // the API
	around func(http.Handler) http.Handler // what a test puts before it
	far    client.Doer                     // other pools

	tenants func() []tenants.ID         // whom it serves
	ids     map[string]int              // of what was printed
	down    atomic.Pointer[fault.Error] // what the models answer
	running sync.WaitGroup
	queues  *memory.Queues
	out     events.Publisher
}

func newCLIWorld(t *testing.T) *world {
	t.Helper()
	return newCLIWorldOf(t, tenants.AllScopes, func(*tenants.Config) {})
}

// newCLIWorldOf is one whose tenants' keys hold some scopes, and whose tenants are otherwise configured.
func newCLIWorldOf(t *testing.T, scopes []tenants.APIScope, change func(*tenants.Config)) *world {
	t.Helper()
	state, keys := stateOf(t, "acme", "globex")
	var configs []tenants.Config
	grants := map[string]tenants.Grant{}
	for id, key := range keys {
		configs = append(configs, tenantstest.Config(t, string(id), func(c *tenants.Config) {
			c.Limits.DocumentBytes = 100_000
			change(c)
		}))
		grants[tenants.HashKey(key)] = tenants.Grant{Tenant: id, Name: string(id), Scopes: scopes}
	}
	directory, err := tenants.StaticDirectory(configs, grants)
	require.NoError(t, err)
	w := newPlatform(t, directory, func() []tenants.ID { return slices.Collect(maps.Keys(keys)) })
	w.state, w.keys = state, keys
	return w
}

// newPlatform is a platform that knows its tenants from a directory.
func newPlatform(t *testing.T, directory tenants.Directory, ids func() []tenants.ID) *world {
	t.Helper()
	table := stack.Levada(stack.Pool{})
	attempts := table.Attempts() // as often as what is deployed
	w := &world{t: t, queues: &memory.Queues{Attempts: attempts}, model: &llmtest.Embedder{}, web: &memory.Web{}, tenants: ids, ids: map[string]int{}}
	w.model.Before = func(llm.Call, []string) error {
		if f := w.down.Load(); f != nil {
			return f
		}
		return nil
	}
	claims := &memory.Claims{}
	w.ledger = memory.NewLedger(time.Now)
	w.out = events.NewPublisher(w.queues, claims, nil)
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	money := memory.NewQuota(time.Now)
	w.ports = app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: &memory.Texts{}, Ledger: w.ledger, Vectors: memory.NewVectors(time.Now), Lexicon: memory.NewLexicon(), Embedder: w.model, Reranker: &llmtest.Reranker{},
		Model: &memory.Model{}, Money: money, Bar: money, Account: money, Sessions: sessions, Summaries: sessions, Shelf: shelf,
		Cache: memory.NewCache(time.Now), Publisher: w.out, Claims: claims, Trail: &memory.Trail{}, Letters: memory.NewLetters(time.Now), Unread: &memory.Unread{}, Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now),
		Catalogue: w.ledger, Erasures: w.ledger, Moves: w.ledger, Transfers: w.ledger, Seal: tenantstest.SealKey(t), Imports: w.ledger, Parts: &memory.Parts{}, Files: &memory.Files{}, Fetcher: w.web,
		Speech: memory.NewSpeech(time.Now), Sounds: &memory.Sounds{},
	}
	w.ports.Objects = memory.NewObjects(w.ports.Texts.(*memory.Texts), claims, w.ports.Parts.(*memory.Parts), w.ports.Files.(*memory.Files), w.ports.Sounds.(*memory.Sounds))
	w.ports.Cached = memory.NewCached(w.ports.Cache.(*memory.Cache))
	ctx, stop := context.WithCancel(context.Background())
	options := app.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxAttempts: attempts, Background: func(_ context.Context, f func(context.Context)) error {
		w.running.Go(func() { f(ctx) })
		return nil
	}}
	runs := memory.NewRuns(map[flow.Kind]flow.Flow{
		imports.Kind: app.Import(w.ports, options), erasure.Kind: app.Erasure(w.ports, options, 0), reembed.Kind: app.Reembed(w.ports, options),
		transfer.Kind: app.Transfer(w.ports, options, func(r *http.Request) (*http.Response, error) { return w.far.Do(r) }, 0),
	})
	w.ports.Runs = runs
	t.Cleanup(runs.Stop)
	t.Cleanup(func() {
		stop()
		w.running.Wait()
	})
	w.handle = front.API(w.ports, options)
	w.running.Go(func() { w.work(ctx, app.Consumers(w.ports, options)) })
	return w
}

// models has the models answer with a code; "well" ends it.
func (w *world) models(code string) {
	if code == "well" {
		w.down.Store(nil)
		return
	}
	w.down.Store(fault.New(fault.Unavailable, code, "the model does not answer", nil))
}

// work does what queues and consumers do, until the test is over.
func (w *world) work(ctx context.Context, r *consumers.Router) {
	for ctx.Err() == nil {
		w.queues.Pump(ctx, r)
		for _, id := range w.tenants() {
			_, err := w.ledger.Relay(ctx, tenantstest.Scope(w.t, string(id)), w.out, 100)
			assert.NoError(w.t, err)
		}
		time.Sleep(20 * time.Millisecond) // of the bubble's time
	}
}

// ServeHTTP implements http.Handler.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if w.around != nil {
		w.around(w.handle).ServeHTTP(rw, r)
		return
	}
	w.handle.ServeHTTP(rw, r)
}

// inWorld runs a test in a bubble of time with a world of its own.
func inWorld(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	noEnvironment(t)
	synctest.Test(t, func(t *testing.T) { f(t, newCLIWorld(t)) })
}

// run runs a command line for a tenant.
func (w *world) run(ctx context.Context, tenant string, args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--tenant", tenant, "--state-dir", w.state)
	code = execute(ctx, &globals{http: clienttest.Inside{Handler: w}}, args, &out, &errs)
	return code, w.plain(out.String()), w.plain(errs.String())
}

// platform is where the world is, for options that a test makes itself.
func (w *world) platform(tenant string) platformOptions {
	return platformOptions{Tenant: tenant, State: w.state, globals: &globals{http: clienttest.Inside{Handler: w}}}
}

// seen is the n-th id that was printed.
func (w *world) seen(n int) string {
	for id, number := range w.ids {
		if number == n {
			return id
		}
	}
	w.t.Fatalf("%d ids were printed", len(w.ids))
	return ""
}

var (
	uuids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	times = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ`)
)

// plain makes output the same in every run: ids are numbered in the order in which they are seen.
func (w *world) plain(s string) string {
	s = uuids.ReplaceAllStringFunc(s, func(id string) string {
		n, known := w.ids[id]
		if !known {
			n = len(w.ids) + 1
			w.ids[id] = n
		}
		return fmt.Sprintf("00000000-0000-0000-0000-%012d", n)
	})
	return strings.ReplaceAll(times.ReplaceAllString(s, "2026-11-22 10:00:00Z"), w.state, "STATE")
}
