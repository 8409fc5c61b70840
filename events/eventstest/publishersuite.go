package eventstest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// Queues is a Publisher with the far ends of its queues.
type Queues struct {
	Publisher events.Publisher
	Claims    events.Claims // where it puts data that is too big
	// Receive returns the next message of a stage's queue that it has not returned yet, in any order; it waits for
	// one until ctx ends.
	Receive func(ctx context.Context, stage events.Stage) ([]byte, error)
}

// patience is how long a message may take before the suite fails; it is no measure of anything.
const patience = time.Minute

// TestPublisher checks the promises of events.Publisher. Each make returns a Publisher for tenants acme and globex;
// its queues may hold messages of earlier runs.
func TestPublisher(t *testing.T, make func(t *testing.T) Queues) {
	acme, globex := tenantstest.Scope(t, "acme"), tenantstest.Scope(t, "globex")

	t.Run("every type reaches its stage and the audit trail", func(t *testing.T) {
		q := make(t)
		evs := oneOfEach(t, acme)
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, evs...))
		audited := receiveAudit(t, q, evs)
		for _, e := range evs {
			entry := audited[e.ID]
			sum := sha256.Sum256(e.Data)
			assert.Equal(t, hex.EncodeToString(sum[:]), entry.SHA256)
			assert.Equal(t, len(e.Data), entry.Bytes)
			assert.Equal(t, []string{e.Type, e.Source, e.Subject, e.TraceParent, e.CausationID},
				[]string{entry.Type, entry.Source, entry.Subject, entry.TraceParent, entry.CausationID})
			assert.True(t, e.Time.Equal(entry.Time))
			if spec, _ := events.SpecOf(e.Type); spec.Stage != events.StageNone {
				assert.Equal(t, e, receive(t, q, spec.Stage, e)[e.ID])
			}
		}
	})
	t.Run("nothing to publish", func(t *testing.T) {
		require.NoError(t, make(t).Publisher.Publish(t.Context(), acme))
	})
	t.Run("many at once", func(t *testing.T) {
		q := make(t)
		evs := submissions(t, acme, 250, 2_000)
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, evs...))
		got := receive(t, q, events.StageIngest, evs...)
		for _, e := range evs {
			require.Equal(t, e, got[e.ID])
		}
		receiveAudit(t, q, evs)
	})
	t.Run("every size, up to too big to travel", func(t *testing.T) {
		q := make(t)
		for _, size := range []int{0, 60_000, 120_000, 125_500, 126_000, 126_500, 127_000, 128_000, 300_000, 2_000_000} {
			e := submissions(t, acme, 1, size)[0]
			require.NoError(t, q.Publisher.Publish(t.Context(), acme, e), size)
			got := receive(t, q, events.StageIngest, e)[e.ID]
			if size >= 128_000 {
				require.NotEmpty(t, got.DataRef, size)
				require.Empty(t, got.Data)
				_, err := events.Resolve(t.Context(), q.Claims, globex, got)
				requireCode(t, err, fault.Denied, "tenant_mismatch")
			}
			if size <= 120_000 {
				require.Empty(t, got.DataRef, "%d bytes fit", size)
			}
			got, err := events.Resolve(t.Context(), q.Claims, acme, got)
			require.NoError(t, err)
			require.Equal(t, e, got)
		}
	})
	t.Run("a resolved event can be published again", func(t *testing.T) {
		q := make(t)
		e := submissions(t, acme, 1, 200_000)[0]
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, e))
		claimed := receive(t, q, events.StageIngest, e)[e.ID]
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, claimed), "by reference")
		assert.Equal(t, claimed, receive(t, q, events.StageIngest, e)[e.ID])
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, e), "with its data")
		assert.Equal(t, claimed, receive(t, q, events.StageIngest, e)[e.ID])
	})
	t.Run("what is refused does not arrive", func(t *testing.T) {
		q := make(t)
		good, other := submissions(t, acme, 1, 0)[0], submissions(t, globex, 1, 0)[0]
		bad, unknown := good, good
		bad.TraceParent, unknown.Type = "00-x", "dev.levada.nothing.happened.v1"
		require.ErrorIs(t, q.Publisher.Publish(t.Context(), tenants.Scope{}, good), tenants.ErrNoScope)
		requireCode(t, q.Publisher.Publish(t.Context(), acme, good, other), fault.Denied, "tenant_mismatch")
		requireCode(t, q.Publisher.Publish(t.Context(), acme, good, bad), fault.Invalid, "event_invalid")
		requireCode(t, q.Publisher.Publish(t.Context(), acme, good, unknown), fault.Internal, "event_type")

		marker := submissions(t, acme, 1, 0)[0]
		require.NoError(t, q.Publisher.Publish(t.Context(), acme, marker))
		ids := keysOf(receive(t, q, events.StageIngest, marker))
		assert.NotContains(t, ids, good.ID, "valid, but published together with what was refused")
		assert.NotContains(t, ids, other.ID)
	})
	t.Run("at the same time", func(t *testing.T) {
		q := make(t)
		var all sync.WaitGroup
		var evs []events.Event
		for range 8 {
			mine := submissions(t, acme, 5, 1_000)
			evs = append(evs, mine...)
			all.Go(func() { assert.NoError(t, q.Publisher.Publish(t.Context(), acme, mine...)) })
		}
		all.Wait()
		receive(t, q, events.StageIngest, evs...)
		receiveAudit(t, q, evs)
	})
}

// receive reads a queue until all the events have arrived and returns everything that came, by id.
func receive(t *testing.T, q Queues, stage events.Stage, evs ...events.Event) map[string]events.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	missing := map[string]bool{}
	for _, e := range evs {
		missing[e.ID] = true
	}
	got := map[string]events.Event{}
	for len(missing) > 0 {
		message, err := q.Receive(ctx, stage)
		require.NoError(t, err, "%d of %d events did not arrive at %s", len(missing), len(evs), stage)
		e, err := events.Decode(message)
		require.NoError(t, err)
		got[e.ID] = e
		delete(missing, e.ID)
	}
	return got
}

// receiveAudit reads the audit queue until all the events are recorded and returns their entries, by id.
func receiveAudit(t *testing.T, q Queues, evs []events.Event) map[string]events.AuditEntry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	missing := map[string]bool{}
	for _, e := range evs {
		missing[e.ID] = true
	}
	entries := map[string]events.AuditEntry{}
	for len(missing) > 0 {
		message, err := q.Receive(ctx, events.StageAudit)
		require.NoError(t, err, "%d of %d events are not recorded", len(missing), len(evs))
		for _, entry := range recorded(t, message) {
			entries[entry.ID] = entry
			delete(missing, entry.ID)
		}
	}
	return entries
}

func recorded(t *testing.T, message []byte) []events.AuditEntry {
	t.Helper()
	e, err := events.Decode(message)
	require.NoError(t, err)
	var fact events.EventRecorded
	require.NoError(t, e.As(&fact))
	return fact.Entries
}

// oneOfEach is an event of every type that is published, but for what the publisher itself tells.
func oneOfEach(t *testing.T, s tenants.Scope) []events.Event {
	ref := events.DocumentRef{DocID: fresh(t), Generation: 1, JobID: "j"}
	slice := events.Slice{Slices: 1, Chunks: 1}
	parts := []events.Chunk{{Text: "ä", End: 2}}
	speech := events.SpeechRef{Take: fresh(t), Model: "m", Voice: "v", Format: "wav", Characters: 1}
	alert := events.AlertRef{Alert: fresh(t), Name: "n", Metric: "requests", Comparator: ">", Unit: "requests", Period: "5m", FiredAt: time.Unix(0, 0).UTC()}
	facts := []events.Fact{
		events.DocumentRequested{DocumentRef: ref, ContentType: "text/html", Model: "m", Fetch: events.Fetch{URL: "https://example.com/"}},
		events.DocumentSubmitted{DocumentRef: ref, ContentType: "text/plain", TextKey: "k", Model: "m"},
		events.DocumentChunked{DocumentRef: ref, Slice: slice, Model: "m", Parts: parts},
		events.ChunksEmbedded{DocumentRef: ref, Slice: slice, Model: "m", Dimensions: 1, Parts: parts, Vectors: []byte{0, 0, 128, 63}},
		events.DocumentIndexed{DocumentRef: ref, Chunks: 1, Model: "m"},
		events.DocumentFailed{DocumentRef: ref, Stage: "index", Code: "c"},
		events.ImportStarted{ImportID: fresh(t), Origin: "prefix", Prefix: "a/"},
		events.ImportCompleted{ImportID: fresh(t), State: "cancelled"},
		events.DocumentRetired{DocumentRef: ref},
		events.DocumentDeleted{DocumentRef: ref, Generations: []events.Written{{Generation: 1, Chunks: 1, Model: "m"}}, TextPrefix: "p/"},
		events.DocumentErased{DocumentRef: ref, CheckedAt: time.Unix(0, 0).UTC()},
		events.TenantErasureRequested{JobID: fresh(t)},
		events.TenantEmbeddingRequested{JobID: fresh(t), Model: "m"},
		events.TenantEmbeddingSwitched{JobID: fresh(t), To: "m"},
		events.TenantTransferRequested{JobID: fresh(t), From: "https://api.example.com", Key: "sealed"},
		events.TenantErased{JobID: fresh(t), Stores: []events.ErasedStore{{Name: "texts"}}, CheckedAt: time.Unix(0, 0).UTC()},
		events.SpeechRequested{SpeechRef: speech, Parts: 1},
		events.SpeechSynthesized{SpeechRef: speech, Jobs: []string{"j"}, Bytes: 1},
		events.SpeechFailed{SpeechRef: speech, Jobs: []string{"j"}, Code: "c"},
		events.ChatCompleted{SessionID: fresh(t), Turn: 1},
		events.UsageRecorded{Booking: fresh(t), Lines: []events.UsageLine{{Day: "2026-11-22", Capability: "chat", Calls: 1}}},
		events.BudgetExhausted{Period: "day", Unit: "tokens", Starts: "2026-11-22", Limit: 1, Resets: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)},
		events.LettersReplayed{Letters: []string{fresh(t)}, Count: 1},
		events.ActAttempted{What: events.Act{Kind: events.ActAdmin, Name: fresh(t), Outcome: events.OutcomeBegun}},
		events.ActPerformed{What: events.Act{Kind: events.ActAdmin, Name: fresh(t), Outcome: events.OutcomeFailed, Code: "c"}},
		events.AccessRefused{What: events.Act{Kind: events.ActAccess, Name: fresh(t), Outcome: events.OutcomeRefused, Code: "c"}},
		events.TextFlagged{Span: fresh(t), What: events.Act{
			Kind: events.ActSafety, Name: "POST /chat", Outcome: events.OutcomeFlagged,
			Findings: []events.Finding{{In: events.InInput, Category: "injection", Rule: "override", Score: 0.97}},
		}},
		events.AlertFired{AlertRef: alert, Value: 1},
		events.AlertResolved{AlertRef: alert, Reason: events.AlertEnded},
		events.ToolStarted{ToolCall: events.ToolCall{CallID: fresh(t), Tool: "ingest_docs", Via: "http"}},
		events.ToolExecuted{ToolCall: events.ToolCall{CallID: fresh(t), Tool: "ingest_docs", Via: "http"}, Outcome: events.OutcomeSucceeded},
	}
	require.Len(t, facts, len(events.Specs())-1, "a type is missing here")
	var evs []events.Event
	for _, f := range facts {
		evs = append(evs, newEvent(t, s, f))
	}
	return evs
}

// submissions are n events that carry the given number of bytes beside their own.
func submissions(t *testing.T, s tenants.Scope, n, bytes int) []events.Event {
	var evs []events.Event
	for range n {
		evs = append(evs, newEvent(t, s, events.DocumentSubmitted{
			DocumentRef: events.DocumentRef{DocID: fresh(t), Generation: 1, JobID: "j"},
			About:       events.About{Title: strings.Repeat("x", bytes)},
			ContentType: "text/plain", TextKey: "k", Model: "m",
		}))
	}
	return evs
}

func newEvent(t *testing.T, s tenants.Scope, f events.Fact) events.Event {
	t.Helper()
	cause := events.Cause{ID: "r-1", TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", IdempotencyKey: "k"}
	e, err := events.New(s, "test", cause, time.Date(2026, 11, 22, 12, 0, 0, 123_000_000, time.UTC), f)
	require.NoError(t, err)
	return e
}

// fresh is a name that no earlier run has used.
func fresh(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("suite-%s", uuid.NewString())
}

func keysOf(m map[string]events.Event) []string {
	var ids []string
	for id := range m {
		ids = append(ids, id)
	}
	return ids
}
