package events_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/schema"
	"levada.dev/tenants/tenantstest"
)

var update = flag.Bool("update", false, "write docs/events.md and the goldens that are missing; a golden that exists is never changed")

// samples are the facts behind the goldens: <type>/<sample>.json. To pin a new field, add a sample that has it.
func samples() map[string]events.Fact {
	ref := events.DocumentRef{DocID: "guide.md", Generation: 3, JobID: "6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001"}
	about := events.About{
		Title: "Guide ≠ Führer", Source: "wiki", URL: "https://example.com/guide?a=1&b=2",
		Metadata: map[string]any{"year": 2026.0, "draft": false, "tags": []any{"a", "b"}, "author": map[string]any{"name": "Ada"}},
	}
	chunk := events.Chunk{Index: 17, Start: 4096, End: 4120, Text: "Install \"it\" <first> & run.\n", Heading: "Guide > Install"}
	slice := events.Slice{Slice: 1, Slices: 2, Chunks: 18}
	at := time.Date(2026, 11, 22, 4, 30, 0, 123_000_000, time.UTC)
	sum := strings.Repeat("0123456789abcdef", 4)
	speech := events.SpeechRef{
		Take: "0123456789abcdef0123456789abcdef01234567-1", Model: "@cf/deepgram/aura-2-en", Voice: "thalia", Format: "mp3", Characters: 412,
	}
	alert := events.AlertRef{
		Alert: "too-many-failures", Name: "Failing < more & more", Metric: "failure_rate", Comparator: ">=", Threshold: 0.05, Unit: "part", Period: "15m", FiredAt: at,
	}
	call := events.ToolCall{
		CallID: "0e8c1b62-6f6a-4b3c-9a51-5a2f0d6e7c11", Attempt: 2, Tool: "summarize", Via: "chat", Actor: "website", UserID: "ada",
		RequestID: "7a1f0d3e-50a7-4c9f-8f5e-3e0f4d1b2a90", Arguments: sum,
	}
	return map[string]events.Fact{
		"document.submitted/minimal": events.DocumentSubmitted{
			DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"},
			ContentType: "text/plain", TextKey: "corpus/a/1", Model: "@cf/baai/bge-m3",
		},
		"document.submitted/full": events.DocumentSubmitted{
			DocumentRef: ref, About: about, ContentType: "text/markdown", TextKey: "corpus/guide.md/3", Bytes: 5120,
			SHA256: sum, Model: "@cf/baai/bge-m3", Chunking: events.Chunking{MaxTokens: 256, OverlapTokens: 32},
		},
		"document.requested/minimal": events.DocumentRequested{
			DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"},
			ContentType: "application/octet-stream", Model: "@cf/baai/bge-m3", Fetch: events.Fetch{URL: "https://example.com/"},
		},
		"document.requested/full": events.DocumentRequested{
			DocumentRef: ref, About: about, ContentType: "text/html", Model: "@cf/baai/bge-m3", Chunking: events.Chunking{MaxTokens: 256, OverlapTokens: 32},
			Fetch: events.Fetch{URL: "https://example.com/a?b=1&c=2", ETag: `W/"x<1>"`, Modified: at.Truncate(time.Second), SHA256: sum},
		},
		"document.chunked/full": events.DocumentChunked{
			DocumentRef: ref, About: about, Slice: slice, Model: "@cf/baai/bge-m3", Parts: []events.Chunk{chunk},
		},
		"chunks.embedded/full": events.ChunksEmbedded{
			DocumentRef: ref, About: about, Slice: slice, Model: "@cf/baai/bge-m3", Dimensions: 4,
			Parts: []events.Chunk{chunk}, Vectors: floats(0.5, -0.5, 0.25, 1),
		},
		"chunks.embedded/counted": events.ChunksEmbedded{
			DocumentRef: ref, Slice: slice, Model: "@cf/baai/bge-m3", Dimensions: 4, Tokens: 12,
			Parts: []events.Chunk{chunk}, Vectors: floats(0.5, -0.5, 0.25, 1),
		},
		"document.deleted/full": events.DocumentDeleted{
			DocumentRef: ref, Generations: []events.Written{{Generation: 2, Chunks: 18, Model: "@cf/baai/bge-m3"}},
			TextPrefix: "0hB2nsL1-Zr3/",
		},
		"document.deleted/spaces": events.DocumentDeleted{
			DocumentRef: ref, TextPrefix: "0hB2nsL1-Zr3/", Generations: []events.Written{
				{Generation: 2, Chunks: 18, Model: "@cf/baai/bge-m3", Also: []string{"@cf/baai/bge-small-en-v1.5"}},
			},
		},
		"document.retired/full":         events.DocumentRetired{DocumentRef: ref},
		"document.erased/full":          events.DocumentErased{DocumentRef: ref, Generations: 1, Vectors: 18, Texts: 2, CheckedAt: at},
		"document.erased/passages":      events.DocumentErased{DocumentRef: ref, Generations: 1, Vectors: 18, Passages: 18, Texts: 2, CheckedAt: at},
		"tenant.erasure.requested/full": events.TenantErasureRequested{JobID: ref.JobID},
		"tenant.erased/full": events.TenantErased{JobID: ref.JobID, CheckedAt: at, Stores: []events.ErasedStore{
			{Name: "documents", Removed: 20}, {Name: "vectors"},
		}},
		"tenant.embedding.requested/move": events.TenantEmbeddingRequested{JobID: ref.JobID, Model: "@cf/baai/bge-m3"},
		"tenant.embedding.requested/fill": events.TenantEmbeddingRequested{JobID: ref.JobID, Model: "@cf/baai/bge-m3", Stay: true},
		"tenant.embedding.requested/drop": events.TenantEmbeddingRequested{JobID: ref.JobID, Model: "@cf/baai/bge-m3", Drop: true},
		"tenant.transfer.requested/first": events.TenantTransferRequested{JobID: ref.JobID, From: "https://api.example.com", Key: "s1.c2VhbGVk"},
		"tenant.transfer.requested/usage": events.TenantTransferRequested{JobID: ref.JobID, From: "https://api.example.com", Key: "s1.c2VhbGVk", Usage: true},
		"tenant.transfer.requested/last":  events.TenantTransferRequested{JobID: ref.JobID, From: "https://api.example.com", Key: "s1.c2VhbGVk", Last: true},
		"tenant.embedding.switched/full": events.TenantEmbeddingSwitched{
			JobID: ref.JobID, From: "@cf/baai/bge-small-en-v1.5", To: "@cf/baai/bge-m3",
		},
		"tenant.embedding.switched/first": events.TenantEmbeddingSwitched{JobID: ref.JobID, To: "@cf/baai/bge-m3"},
		"document.indexed/full":           events.DocumentIndexed{DocumentRef: ref, Chunks: 18, Model: "@cf/baai/bge-m3"},
		"document.failed/full": events.DocumentFailed{
			DocumentRef: ref, Stage: "embed", Code: "model_unavailable", Message: "the model did not answer", Attempts: 4,
		},
		"import.started/minimal": events.ImportStarted{ImportID: ref.JobID, Origin: "batch", Parts: 1},
		"import.started/urls": events.ImportStarted{
			ImportID: ref.JobID, Origin: "urls", URLs: []string{"https://example.com/a?b=1&c=2", "https://example.com/ü"}, Source: "wiki", Entries: 2,
		},
		"import.started/sitemap": events.ImportStarted{ImportID: ref.JobID, Origin: "sitemap", Sitemap: "https://example.com/sitemap.xml", Source: "wiki"},
		"import.started/prefix":  events.ImportStarted{ImportID: ref.JobID, Origin: "prefix", Prefix: "manuals/2026/"},
		"import.completed/full": events.ImportCompleted{
			ImportID: ref.JobID, State: "succeeded", Source: "wiki", Total: 20, Done: 15, Unchanged: 4, Failed: 3, Refused: 2, Cancelled: 2,
		},
		"speech.requested/full":     events.SpeechRequested{SpeechRef: speech, Parts: 7},
		"speech.requested/again":    events.SpeechRequested{SpeechRef: speech, Parts: 7, Try: 2},
		"speech.synthesized/full":   events.SpeechSynthesized{SpeechRef: speech, Jobs: []string{"j-1", "j-2"}, Bytes: 1_203_244, DurationMS: 25_067, CostNanos: 12_345_000},
		"speech.synthesized/shared": events.SpeechSynthesized{SpeechRef: speech, Jobs: []string{"j-3"}, Bytes: 1_203_244, DurationMS: 25_067},
		"speech.failed/full":        events.SpeechFailed{SpeechRef: speech, Jobs: []string{"j-1"}, Code: "model_refused", Message: "the model refused the text"},
		"alert.fired/full":          events.AlertFired{AlertRef: alert, Value: 0.125},
		"alert.resolved/ended":      events.AlertResolved{AlertRef: alert, Value: new(float64), Reason: events.AlertEnded},
		"alert.resolved/removed":    events.AlertResolved{AlertRef: alert, Reason: events.AlertRemoved},
		"chat.completed/full": events.ChatCompleted{
			SessionID: "3f2c7c1e", Turn: 7, UserID: "ada", Model: "@cf/zai-org/glm-4.7-flash", PromptTokens: 812, CompletionTokens: 96,
			CachedTokens: 512, Estimated: true, CostNanos: 87_120, FinishReason: "length", Code: "turn_interrupted", DurationMS: 2345,
			LogID: "01JD8Z",
		},
		"usage.recorded/full": events.UsageRecorded{Booking: "p-1.7", Lines: []events.UsageLine{
			{Day: "2026-11-21", Capability: "unsettled", Calls: -1, Prompt: -2_048, Nanos: -531_200, Estimated: -1},
			{Day: "2026-11-22", Capability: "chat", Model: "@cf/zai-org/glm-4.7-flash", Calls: 2, Prompt: 900, Completion: 210, Nanos: 138_000, Estimated: 1},
		}},
		"usage.recorded/spoken": events.UsageRecorded{Booking: "p-1.8", Lines: []events.UsageLine{
			{Day: "2026-11-21", Capability: "unsettled", Calls: -1, Chars: -800, Nanos: -12_000_000, Estimated: -1},
			{Day: "2026-11-22", Capability: "speech", Model: "@cf/deepgram/aura-1", Calls: 2, Chars: 1_200, Nanos: 18_000_000},
		}},
		"usage.recorded/purposes": events.UsageRecorded{Booking: "p-1.9", Lines: []events.UsageLine{
			{Day: "2026-11-23", Capability: "search", Purpose: "rerank", Model: "@cf/baai/bge-reranker-base", Calls: 1, Prompt: 4_000, Neurons: 1.132, Nanos: 12_000, Estimated: 1},
			{Day: "2026-11-23", Capability: "tools", Purpose: "query", Model: "@cf/baai/bge-m3", Calls: 3, Prompt: 60, Neurons: 0.0645, Nanos: 720, Estimated: 3},
		}},
		"budget.exhausted/spoken": events.BudgetExhausted{
			Period: "month", Unit: "characters", Starts: "2026-11-01", Limit: 10_000_000, Spent: 9_999_000, Reserved: 900,
			Resets: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		},
		"budget.exhausted/full": events.BudgetExhausted{
			Period: "day", Unit: "tokens", Starts: "2026-11-22", Limit: 2_000_000, Spent: 1_990_000, Reserved: 9_000,
			Resets: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		},
		"letters.replayed/full": events.LettersReplayed{
			Query: events.LetterQuery{
				Types: []string{events.TypeChunksEmbedded}, Codes: []string{"model_unavailable"}, Stages: []string{"embed"},
				IDs: []string{"embed-0123456789abcdef01234567"}, DocID: "guide.md", From: at, To: at.Add(time.Hour),
			},
			Letters: []string{"embed-0123456789abcdef01234567"}, Count: 1, By: "operations",
		},
		"tenant.erased/by": events.TenantErased{JobID: ref.JobID, CheckedAt: at, Stores: []events.ErasedStore{{Name: "documents"}}, By: "operations"},
		"act.attempted/full": events.ActAttempted{What: events.Act{
			Kind: events.ActDeletion, Name: "documents.delete", Actor: "operations", UserID: "ada", RequestID: "r-1", Target: "documents/guide.md", Outcome: events.OutcomeBegun,
		}},
		"act.performed/full": events.ActPerformed{What: events.Act{
			Kind: events.ActDeletion, Name: "documents.delete", Actor: "operations", UserID: "ada", RequestID: "r-1", Target: "documents/guide.md",
			Outcome: events.OutcomeRefused, Code: "document_not_found", DurationMS: 12,
		}},
		"act.attempted/span": events.ActAttempted{Span: "b7ad6b7169203331", What: events.Act{Kind: events.ActReplay, Name: "events.replay", Outcome: events.OutcomeBegun}},
		"act.performed/span": events.ActPerformed{Span: "b7ad6b7169203331", What: events.Act{Kind: events.ActReplay, Name: "events.replay", Outcome: events.OutcomeSucceeded}},
		"access.refused/span": events.AccessRefused{Span: "b7ad6b7169203331", What: events.Act{
			Kind: events.ActAccess, Name: "GET /jobs", Outcome: events.OutcomeRefused, Code: "unauthorized", Count: 1,
		}},
		"access.refused/full": events.AccessRefused{What: events.Act{
			Kind: events.ActAccess, Name: "DELETE /tenant", Actor: "website", RequestID: "r-1", Outcome: events.OutcomeRefused, Code: "scope_denied", Count: 17,
		}},
		"text.flagged/minimal": events.TextFlagged{Span: "b7ad6b7169203331", What: events.Act{
			Kind: events.ActSafety, Name: "POST /chat", Outcome: events.OutcomeFlagged,
			Findings: []events.Finding{{In: events.InInput, Category: "injection", Rule: "override", Score: 0.97}},
		}},
		"text.flagged/full": events.TextFlagged{Span: "b7ad6b7169203331", What: events.Act{
			Kind: events.ActSafety, Name: "POST /v1/chat/completions", Actor: "website", UserID: "ada", RequestID: "r-1", Outcome: events.OutcomeRefused, Code: "content_blocked",
			Findings: []events.Finding{
				{In: events.InInput, Category: "unsafe", Rule: "S9", Score: 1, Blocked: true},
				{In: events.InSources, Target: "documents/guide.md", Category: "injection", Rule: "override", Score: 0.85, Blocked: true, Count: 2},
			},
		}},
		"event.recorded/findings": events.EventRecorded{Entries: []events.AuditEntry{{
			ID: "3fd0b4b0-7f0e-5f5b-8d55-2a3d3a6d8a11", Type: events.TypeTextFlagged, Source: "/tenants/acme/api",
			Subject: "safety", Time: at, CausationID: "r-1", Bytes: 321, SHA256: sum, Act: &events.Act{
				Kind: events.ActSafety, Name: "POST /search", RequestID: "r-1", Outcome: events.OutcomeFlagged,
				Findings: []events.Finding{{In: events.InResults, Target: "tools/search_docs", Category: "jailbreak", Rule: "model", Score: 0.91}},
			},
		}}},
		"event.recorded/act": events.EventRecorded{Entries: []events.AuditEntry{{
			ID: "3fd0b4b0-7f0e-5f5b-8d55-2a3d3a6d8a11", Type: "dev.levada.tool.executed.v1", Source: "/tenants/acme/api",
			Subject: "tools/calculator", Time: at, CausationID: "r-1", Bytes: 321, SHA256: sum, Act: &events.Act{
				Kind: events.ActTool, Name: "calculator", Actor: "website", UserID: "ada", RequestID: "r-1", Target: "calls/c-1", Arguments: sum,
				Outcome: events.OutcomeTimeout, Code: "EXECUTION_TIMEOUT", DurationMS: 10_000, Tokens: 812, CostNanos: 87_120,
			},
		}}},
		"tool.started/full": events.ToolStarted{ToolCall: call},
		"tool.executed/minimal": events.ToolExecuted{
			ToolCall: events.ToolCall{CallID: "c", Tool: "calculator", Via: "http"}, Outcome: events.OutcomeSucceeded,
		},
		"tool.executed/full": events.ToolExecuted{
			ToolCall: call, Outcome: events.OutcomeTimeout, Code: "EXECUTION_TIMEOUT", DurationMS: 10_000, Tokens: 908, CostNanos: 87_120,
		},
		"event.recorded/full": events.EventRecorded{Entries: []events.AuditEntry{{
			ID: "3fd0b4b0-7f0e-5f5b-8d55-2a3d3a6d8a11", Type: events.TypeDocumentSubmitted, Source: "/tenants/acme/objects",
			Subject: "documents/guide.md", Time: at, TraceParent: traceparent, CausationID: "r-1", Bytes: 321, SHA256: sum,
		}}},
	}
}

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func floats(fs ...float32) []byte {
	var b []byte
	for _, f := range fs {
		n := math.Float32bits(f)
		b = append(b, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	}
	return b
}

func TestGoldens(t *testing.T) {
	if *update {
		writeMissingGoldens(t)
	}
	envelope := compile(t, schema.Envelope)
	for _, spec := range events.Specs() {
		t.Run(spec.Type, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("testdata", spec.Type, "*.json"))
			require.NoError(t, err)
			require.NotEmpty(t, files, "a registered type without a golden: add a sample and run with -update")
			data := compile(t, spec.Type)
			seen := map[string]bool{}
			for _, file := range files {
				golden, err := os.ReadFile(file)
				require.NoError(t, err)
				golden = bytes.TrimSuffix(golden, []byte("\n"))
				require.NoError(t, envelope.Validate(instance(t, golden)), file)

				e, err := events.Decode(golden)
				require.NoError(t, err, file)
				require.Equal(t, spec.Type, e.Type)
				require.NoError(t, data.Validate(instance(t, e.Data)), file)
				fact := spec.New()
				require.NoError(t, e.As(fact), file)
				again, err := json.Marshal(fact)
				require.NoError(t, err)
				assert.Equal(t, string(e.Data), string(again), "%s: Go encodes the fact differently", file)
				encoded, err := e.MarshalJSON()
				require.NoError(t, err)
				assert.Equal(t, string(golden), string(encoded), "%s: Go encodes the envelope differently", file)

				var members map[string]any
				require.NoError(t, json.Unmarshal(e.Data, &members))
				for name := range members {
					seen[name] = true
				}
			}
			for name := range properties(t, spec.Type) {
				assert.True(t, seen[name], "no golden has the member %q: add a sample and run with -update", name)
			}
			assert.ElementsMatch(t, keys(properties(t, spec.Type)), fieldNames(reflect.TypeOf(spec.New()).Elem()),
				"schema and struct do not have the same members")
		})
	}
}

func writeMissingGoldens(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	for name, fact := range samples() {
		cause := events.Cause{ID: "r-1", TraceParent: traceparent, IdempotencyKey: "order-7"}
		if strings.HasSuffix(name, "/minimal") {
			cause = events.Cause{}
		}
		e, err := events.New(s, "objects", cause, time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC), fact)
		require.NoError(t, err)
		b, err := e.MarshalJSON()
		require.NoError(t, err)
		file := filepath.Join("testdata", fact.Type(), filepath.Base(name)+".json")
		if _, err := os.Stat(file); err == nil {
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, append(b, '\n'), 0o644))
	}
}

// The goldens pin what is stored; this pins that today's code still makes it, ids included.
func TestSamplesMakeTheirGoldens(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	for name, fact := range samples() {
		cause := events.Cause{ID: "r-1", TraceParent: traceparent, IdempotencyKey: "order-7"}
		if strings.HasSuffix(name, "/minimal") {
			cause = events.Cause{}
		}
		e, err := events.New(s, "objects", cause, time.Date(2026, 11, 22, 4, 30, 0, 0, time.UTC), fact)
		require.NoError(t, err)
		b, err := e.MarshalJSON()
		require.NoError(t, err)
		golden, err := os.ReadFile(filepath.Join("testdata", fact.Type(), filepath.Base(name)+".json"))
		require.NoError(t, err)
		require.Equal(t, string(bytes.TrimSuffix(golden, []byte("\n"))), string(b), name)
	}
}

func TestNoGoldenWithoutAType(t *testing.T) {
	dirs, err := filepath.Glob("testdata/dev.levada.*")
	require.NoError(t, err)
	for _, dir := range dirs {
		_, ok := events.SpecOf(filepath.Base(dir))
		require.True(t, ok, "%s is the golden of a type that is gone: consumers still meet it in queues and archives", dir)
	}
}

func compile(t *testing.T, typ string) *jsonschema.Schema {
	t.Helper()
	b, err := schema.Of(typ)
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	require.NoError(t, c.AddResource(typ+".json", instance(t, b)))
	sch, err := c.Compile(typ + ".json")
	require.NoError(t, err)
	return sch
}

func instance(t *testing.T, b []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	return v
}

func properties(t *testing.T, typ string) map[string]any {
	t.Helper()
	b, err := schema.Of(typ)
	require.NoError(t, err)
	var s struct{ Properties map[string]any }
	require.NoError(t, json.Unmarshal(b, &s))
	return s.Properties
}

func keys(m map[string]any) []string {
	var names []string
	for k := range m {
		names = append(names, k)
	}
	return names
}

// fieldNames are the JSON names of a struct's fields, embedded ones included.
func fieldNames(typ reflect.Type) []string {
	var names []string
	for f := range typ.Fields() {
		if f.Anonymous {
			names = append(names, fieldNames(f.Type)...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}
