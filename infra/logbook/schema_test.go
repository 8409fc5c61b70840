package logbook_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/infra/logbook/logbooktest"
	"levada.dev/infra/logline"
	"levada.dev/tenants/tenantstest"
)

var root = filepath.Join("..", "..")

// Every line that spans can write is one of the schema, with all facts and with none, whoever's it is and however it ended.
func TestLinesOfSpansAreOfTheSchema(t *testing.T) {
	check, err := logbooktest.New(root)
	require.NoError(t, err)
	var log bytes.Buffer
	w := watch.New("consumers", &watch.Options{Log: slog.New(logline.New(&log))})
	place := trace.Parent{Trace: [16]byte{1}, Span: [8]byte{2}, Flags: trace.Sampled}
	full := func(f *trace.Facts) {
		f.Method, f.Status, f.RequestID, f.FirstByte = "POST", 200, "r", time.Millisecond
		f.Use = trace.Use{Prompt: 1, Completion: 2, Chars: 3, Nanos: 1_000_000_001}
	}
	of := map[trace.Kind]func(*trace.Facts){
		trace.Request: func(f *trace.Facts) { full(f); f.Cache, f.Safety, f.Rule = "miss", "flagged", "pii" },
		trace.Batch:   func(f *trace.Facts) { full(f); f.Method, f.Status = "", 0; f.Type, f.Events, f.Failed = "t", 3, 1 },
		trace.Step:    func(f *trace.Facts) { full(f); f.Method, f.Status = "", 0; f.Flow, f.Attempt = "import", 2 },
		trace.Model:   func(f *trace.Facts) { full(f); f.Method, f.Status = "", 0; f.Purpose = "chat" },
		trace.Tool:    func(f *trace.Facts) { full(f); f.Method, f.Status, f.Attempt = "", 0, 1 },
	}
	bare := map[trace.Kind]func(*trace.Facts){
		trace.Request: func(f *trace.Facts) { f.Method, f.RequestID = "GET", "r" }, trace.Step: func(f *trace.Facts) { f.Flow = "import" },
	}
	for kind := range of {
		for _, note := range []func(*trace.Facts){of[kind], bare[kind]} {
			for _, end := range []error{nil, errors.New("no")} {
				for _, tenant := range []string{"acme", "globex", ""} {
					_, span := w.Begin(t.Context(), kind, "/x", place, trace.Parent{Span: [8]byte{3}})
					if tenant != "" {
						span.For(tenantstest.Scope(t, tenant))
					}
					span.Along(place)
					if kind != trace.Batch {
						_, span = w.Begin(t.Context(), kind, "/x", place, trace.Parent{})
					}
					if note != nil {
						span.Note(note)
					}
					span.End(t.Context(), end)
				}
			}
		}
	}
	n, err := check.All(&log)
	require.NoError(t, err)
	assert.Equal(t, 5*2*2*3, n)
}

func TestWhatIsNoLine(t *testing.T) {
	check, err := logbooktest.New(root, "lv_acme_secret", "")
	require.NoError(t, err)
	const request = `{"time":"2026-11-23T09:00:00Z","level":"INFO","msg":"request","worker":"api","tenantId":"acme","requestId":"r","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"0af7651916cd43dd","method":"GET","route":"/x","status":200,"outcome":"ok","latencyMs":1.5}`
	require.NoError(t, check.Line([]byte(request)))
	require.NoError(t, check.Line([]byte("fatal error: all goroutines are asleep")))
	require.NoError(t, check.Line([]byte(`{"time":"2026-11-23T09:00:00Z","level":"WARN","msg":"search not cached","worker":"api","tenantId":"globex","error":"no"}`)))
	for old, changed := range map[string]string{
		`"route":"/x"`:         `"route":"/x","query":"water"`,
		`"status":200,`:        ``,
		`"requestId":"r",`:     ``,
		`"outcome":"ok"`:       `"outcome":"fine"`,
		`"latencyMs":1.5`:      `"latencyMs":"1.5"`,
		`"worker":"api"`:       `"worker":"gateway"`,
		`"tenantId":"acme"`:    `"tenantId":"Acme Inc."`,
		`"msg":"request"`:      `"msg":"request of ada"`,
		`"level":"INFO"`:       `"level":"LOUD"`,
		`2026-11-23T09:00:00Z`: `yesterday`,
		`"/x"`:                 `"/lv_acme_secret"`,
		`{"time"`:              `lv_acme_secret{"time"`,
	} {
		require.Contains(t, request, old)
		assert.Error(t, check.Line([]byte(strings.Replace(request, old, changed, 1))), changed)
	}
	_, err = check.All(strings.NewReader(request + "\n" + strings.Replace(request, "200", `"200"`, 1)))
	assert.Error(t, err)
}

// The page has every field with the words of the schema, and no other.
func TestThePageHasTheFields(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(root, "docs", "logs.schema.json"))
	require.NoError(t, err)
	var schema struct {
		Defs map[string]struct{ Description string } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(b, &schema))
	page, err := os.ReadFile(filepath.Join(root, "docs", "logs.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(page), "## Fields")
	require.True(t, found)
	fields := 0
	for name, d := range schema.Defs {
		if !strings.HasSuffix(name, "Line") {
			fields++
			assert.Contains(t, table, fmt.Sprintf("\n| `%s` | %s |\n", name, d.Description))
		}
	}
	assert.Equal(t, fields, strings.Count(table, "\n| `"))
}
