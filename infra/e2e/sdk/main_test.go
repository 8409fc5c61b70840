package sdk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
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

// each runs a test against the API on the ports in memory, where it is quick to see what is wrong, and then on the whole
// platform.
func each(t *testing.T, test func(t *testing.T, s server)) {
	t.Run("memory", func(t *testing.T) { test(t, inMemory(t)) })
	t.Run("workerd", func(t *testing.T) {
		p, err := platform()
		require.NoError(t, err)
		test(t, server{p.URL + "/v1", p.Keys})
	})
}

var root = filepath.Join("..", "..", "..")

// fixtures are the tenants of testdata.
var fixtures = os.DirFS(filepath.Join("testdata", "tenants"))

// inMemory is a server of the test's own.
func inMemory(t *testing.T) server {
	configs, err := local.Configs(fixtures)
	require.NoError(t, err)
	directory, keys := tenantstest.Directory(t, configs...)
	shelf := memory.NewShelf(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	trail := &memory.Trail{}
	ledger := memory.NewLedger(time.Now)
	s := httptest.NewServer(front.API(app.Ports{
		MCP:       line.Line{},
		Directory: directory, Texts: &memory.Texts{}, Ledger: ledger, Catalogue: ledger, Imports: ledger, Erasures: ledger, Moves: ledger, Transfers: ledger, Letters: memory.NewLetters(time.Now), Calls: memory.NewCalls(time.Now), Vectors: memory.NewVectors(time.Now),
		Embedder: &llmtest.Embedder{}, Reranker: &llmtest.Reranker{}, Model: &memory.Model{}, Money: memory.NewQuota(time.Now), Sessions: sessions, Summaries: sessions,
		Shelf: shelf, Cache: memory.NewCache(time.Now), Trail: trail, Publisher: trail.Publisher(),
	}, app.Options{Version: "test", Environment: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))}))
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
	if p, err := platform(); err == nil {
		if err := p.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}
