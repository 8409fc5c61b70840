package demo

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/app"
	"levada.dev/infra/app/front"
	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/infra/mcp/line"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/llm/llmtest"
)

// show is the demo of acme, on ports in memory, beside globex, which has the tools that are named.
func show(t *testing.T, globex ...string) (Show, *bytes.Buffer) {
	directory, keys := tenantstest.Directory(t,
		tenantstest.Config(t, "acme", func(c *tenants.Config) { c.Tools.Enabled = tenants.PlatformTools() }),
		tenantstest.Config(t, "globex", func(c *tenants.Config) { c.Tools.Enabled = globex }))
	shelf, trail, ledger := memory.NewShelf(time.Now), &memory.Trail{}, memory.NewLedger(time.Now)
	sessions := memory.NewSessions(shelf, time.Now)
	api := front.API(app.Ports{
		MCP: line.Line{}, Directory: directory, Texts: &memory.Texts{}, Ledger: ledger, Catalogue: ledger, Imports: ledger, Erasures: ledger, Moves: ledger, Transfers: ledger,
		Letters: memory.NewLetters(time.Now), Calls: memory.NewCalls(time.Now), Meters: memory.NewMeters(time.Now), Speech: memory.NewSpeech(time.Now), Sounds: &memory.Sounds{}, Vectors: memory.NewVectors(time.Now), Embedder: &llmtest.Embedder{}, Reranker: &llmtest.Reranker{},
		Model: &memory.Model{}, Money: memory.NewQuota(time.Now), Sessions: sessions, Summaries: sessions, Shelf: shelf, Cache: memory.NewCache(time.Now),
		Trail: trail, Publisher: trail.Publisher(),
	}, app.Options{Version: "test", Environment: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	as := func(tenant tenants.ID) *client.Client {
		return client.New("http://levada.test", keys[tenant], &client.Options{Tenant: string(tenant), HTTP: clienttest.Inside{Handler: api}})
	}
	out := &bytes.Buffer{}
	return Show{
		Owner: as("acme"), Fewer: as("globex"), Out: out,
		Pages: []Page{{Import: "water", Markdown: []byte("Package water carries water to the fields. It does nothing else.")}},
	}, out
}

func TestToolsAreShown(t *testing.T) {
	s, out := show(t, "calculator")
	require.NoError(t, s.tools(t.Context()), "%s", out)
	for _, text := range []string{
		"│ tag_chunk_docs   │", "calculator, 0.1 + 0.2   {\"result\":0.3}", "calculator, 0.1 + nothing   400 VALIDATION_FAILED   params.b: is required for add",
		"tag_chunk_docs, tenant globex   404 TOOL_NOT_FOUND", "> What is package water for?   (after summarize)", "carries water to the fields",
		"entries fit, the 3 calls are among them; head ",
	} {
		assert.Contains(t, out.String(), text)
	}
}

func TestADemoFailsWhereAToolIsNotRefused(t *testing.T) {
	s, _ := show(t, "calculator", "tag_chunk_docs")
	assert.ErrorContains(t, s.tools(t.Context()), "tenant globex calls tag_chunk_docs, which is to be refused")
	s, _ = show(t, "calculator")
	s.Owner = s.Fewer
	assert.ErrorContains(t, s.tools(t.Context()), "tenant globex has no tool tag_chunk_docs")
}
