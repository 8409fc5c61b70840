package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/api/openai/openaitest"
	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
	"levada.dev/infra/logbook/logbooktest"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm/llmtest"
)

// server is somewhere that the SDKs are pointed at.
type server struct {
	url  string // with /v1
	keys tenants.Keys
}

// each runs a test against the API on the ports in memory, where it is quick to see what is wrong, there with a heartbeat before everything that a
// stream says, as if all of it had taken long, and then on the whole platform.
func each(t *testing.T, test func(t *testing.T, s server)) {
	t.Run("memory", func(t *testing.T) { test(t, inMemory(t, func(h http.Handler) http.Handler { return h })) })
	t.Run("heartbeats", func(t *testing.T) {
		test(t, inMemory(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.ServeHTTP(beaten{w}, r) })
		}))
	})
	t.Run("workerd", func(t *testing.T) {
		p, err := platform()
		require.NoError(t, err)
		test(t, server{p.URL + "/v1", p.Keys})
	})
}

var root = filepath.Join("..", "..", "..")

// fixtures are the tenants of testdata.
var fixtures = os.DirFS(filepath.Join("testdata", "tenants"))

// beaten is an answer with heartbeats, if it is a stream.
type beaten struct{ http.ResponseWriter }

func (w beaten) Write(b []byte) (int, error) {
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
		if _, err := io.WriteString(w.ResponseWriter, openaitest.Beat+"\n\n"); err != nil {
			return 0, err
		}
	}
	return w.ResponseWriter.Write(b)
}

func (w beaten) Flush() { w.ResponseWriter.(http.Flusher).Flush() }

// inMemory is a server of the test's own.
func inMemory(t *testing.T, around func(http.Handler) http.Handler) server {
	configs, err := local.Configs(fixtures)
	require.NoError(t, err)
	directory, keys := tenantstest.Directory(t, configs...)
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	trail := &memory.Trail{}
	ledger := memory.NewLedger(time.Now)
	s := httptest.NewServer(around(front.API(app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: &memory.Texts{}, Ledger: ledger, Catalogue: ledger, Imports: ledger, Erasures: ledger, Moves: ledger, Transfers: ledger, Letters: memory.NewLetters(time.Now), Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now), Speech: memory.NewSpeech(time.Now), Sounds: &memory.Sounds{}, Synthesizer: &memory.Synthesizer{}, Vectors: memory.NewVectors(time.Now),
		Embedder: &llmtest.Embedder{}, Reranker: &llmtest.Reranker{}, Model: &memory.Model{}, Money: memory.NewQuota(time.Now), Sessions: sessions, Summaries: sessions,
		Shelf: shelf, Cache: memory.NewCache(time.Now), Trail: trail, Publisher: trail.Publisher(),
	}, app.Options{Version: "test", Environment: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})))
	t.Cleanup(s.Close)
	return server{s.URL + "/v1", keys}
}

// state is the folder of the platform, which all tests share; main removes it.
var state string

// platform starts it when the first test wants it.
var platform = sync.OnceValues(func() (*local.Local, error) {
	logs, err := os.OpenFile(filepath.Join(state, "workers.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	checkout, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	started = true
	return local.Start(context.Background(), local.Options{
		Root: checkout, State: state, Build: filepath.Join(checkout, "bin", "e2e"), Version: "test", Logs: logs, Tenants: fixtures,
	})
})

var started bool

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) (code int) {
	var err error
	if state, err = os.MkdirTemp(devtest.Memory(), "levada-sdk-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(state)
	code = m.Run()
	if !started {
		return code
	}
	p, err := platform()
	if err != nil {
		return code // each test that wanted it has failed
	}
	if err := errors.Join(p.Stop(), logbooktest.Hold(root, filepath.Join(state, "workers.log"), slices.Collect(maps.Values(p.Keys))...)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
