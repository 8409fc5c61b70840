package events_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/tenants/tenantstest"
)

// journey is one event for each queue, the first too big to travel, and one for the audit trail only.
func journey(t testing.TB) []events.Event {
	s := tenantstest.Scope(t, "acme")
	ref := events.DocumentRef{DocID: "guide.md", Generation: 3, JobID: "j"}
	slice := events.Slice{Slices: 1, Chunks: 1}
	parts := []events.Chunk{{Text: "ä", End: 2}}
	var evs []events.Event
	for _, fact := range []events.Fact{
		events.DocumentSubmitted{
			DocumentRef: ref, About: events.About{Title: strings.Repeat("x", 200_000)},
			ContentType: "text/plain", TextKey: "k", Model: "m",
		},
		events.DocumentRequested{DocumentRef: ref, ContentType: "text/html", Model: "m", Fetch: events.Fetch{URL: "https://example.com/"}},
		events.DocumentChunked{DocumentRef: ref, Slice: slice, Model: "m", Parts: parts},
		events.ChunksEmbedded{DocumentRef: ref, Slice: slice, Model: "m", Dimensions: 1, Parts: parts, Vectors: floats(1)},
		events.DocumentIndexed{DocumentRef: ref, Chunks: 1, Model: "m"},
	} {
		e, err := events.New(s, "consumers", events.Cause{ID: "r-1"}, noon, fact)
		require.NoError(t, err)
		evs = append(evs, e)
	}
	return evs
}

// The effects of publishing the journey: one claim, then one Send to each of five queues.
const sends = 5

func TestPublishFailsAtEveryEffect(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	boom := fault.Unavailablef(errors.New("boom"), "queue_unavailable", "the queue does not answer")
	for effect := range 1 + sends {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("effect %d, after %v", effect, after), func(t *testing.T) {
				sender, claims := &eventstest.Sender{}, &eventstest.Claims{}
				hooks, nth := &sender.Hooks, effect
				if effect == 0 {
					hooks, nth = &claims.Hooks, 1
				}
				if after {
					hooks.FailAfter(nth, boom)
				} else {
					hooks.FailBefore(nth, boom)
				}
				p := events.NewPublisher(sender, claims, nil)
				evs := journey(t)

				err := p.Publish(t.Context(), s, evs...)
				require.Error(t, err)
				assert.True(t, fault.Retryable(err), "the kind of the failure is lost: %v", err)
				assert.Equal(t, effect, sender.Calls(), "nothing is tried after a failure")
				requireWhole(t, sender, claims)

				require.NoError(t, p.Publish(t.Context(), s, evs...))
				requireWhole(t, sender, claims)
				for _, e := range evs {
					spec, _ := events.SpecOf(e.Type)
					if spec.Stage == events.StageNone {
						continue
					}
					for _, got := range sender.Events(spec.Stage) {
						assert.Equal(t, e.ID, got.ID, "a repetition must be recognisable")
					}
					assert.NotEmpty(t, sender.Events(spec.Stage))
				}
				assert.Equal(t, 1, claims.Len(), "a repetition puts the same claim")
			})
		}
	}
}

// requireWhole checks what holds whatever has failed: an event that a consumer can see is recorded, and its data
// can be had.
func requireWhole(t *testing.T, sender *eventstest.Sender, claims *eventstest.Claims) {
	t.Helper()
	recorded := map[string]bool{}
	for _, e := range sender.Events(events.StageAudit) {
		var fact events.EventRecorded
		require.NoError(t, e.As(&fact))
		for _, entry := range fact.Entries {
			recorded[entry.ID] = true
		}
	}
	for _, stage := range []events.Stage{events.StageFetch, events.StageIngest, events.StageEmbed, events.StageIndex} {
		for _, e := range sender.Events(stage) {
			require.True(t, recorded[e.ID], "%s is in %s and not recorded", e.Type, stage)
			_, err := events.Resolve(t.Context(), claims, tenantstest.Scope(t, "acme"), e)
			require.NoError(t, err)
		}
	}
}

func TestPublishDoesNothingWhenOneEventIsBad(t *testing.T) {
	sender, claims := &eventstest.Sender{}, &eventstest.Claims{}
	evs := journey(t)
	evs[3].TraceParent = "x"
	err := events.NewPublisher(sender, claims, nil).Publish(t.Context(), tenantstest.Scope(t, "acme"), evs...)
	assert.Equal(t, "traceparent", fault.As(err).Field)
	assert.Zero(t, sender.Calls()+claims.Calls())
}

func TestPublishKeepsTheQueuesLimits(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	for name, c := range map[string]struct {
		events, bytes, batches int
	}{
		"by number":      {250, 0, 3},
		"by bytes":       {10, 60_000, 3},
		"two big ones":   {2, 120_000, 1},
		"three big ones": {3, 120_000, 2},
	} {
		t.Run(name, func(t *testing.T) {
			sender := &eventstest.Sender{}
			var evs []events.Event
			for i := range c.events {
				e, err := events.New(s, "api", events.Cause{ID: "r"}, noon, events.DocumentSubmitted{
					DocumentRef: events.DocumentRef{DocID: fmt.Sprint(i), Generation: 1, JobID: "j"},
					About:       events.About{Title: strings.Repeat("x", c.bytes)}, ContentType: "c", TextKey: "k", Model: "m",
				})
				require.NoError(t, err)
				evs = append(evs, e)
			}
			require.NoError(t, events.NewPublisher(sender, &eventstest.Claims{}, nil).Publish(t.Context(), s, evs...))
			audits := (len(sender.Messages(events.StageAudit)) + 99) / 100
			assert.Equal(t, c.batches+audits, sender.Calls())
			assert.Len(t, sender.Events(events.StageIngest), c.events)
		})
	}
}

func TestAuditMessagesAreSplitWhenTheyWouldBeTooBig(t *testing.T) {
	s, sender := tenantstest.Scope(t, "acme"), &eventstest.Sender{}
	var evs []events.Event
	for i := range 60 {
		e, err := events.New(s, "api", events.Cause{ID: "r"}, noon, events.DocumentIndexed{
			DocumentRef: events.DocumentRef{DocID: fmt.Sprintf("%d%s", i, strings.Repeat("ä", 2_500)), Generation: 1, JobID: "j"}, Model: "m",
		})
		require.NoError(t, err)
		evs = append(evs, e)
	}
	require.NoError(t, events.NewPublisher(sender, &eventstest.Claims{}, nil).Publish(t.Context(), s, evs...))
	var ids []string
	for _, e := range sender.Events(events.StageAudit) {
		var fact events.EventRecorded
		require.NoError(t, e.As(&fact))
		for _, entry := range fact.Entries {
			ids = append(ids, entry.ID)
		}
	}
	require.Len(t, sender.Messages(events.StageAudit), 4, "60 entries of 5 KB")
	for i, e := range evs {
		assert.Equal(t, e.ID, ids[i])
	}
}

func TestEnvelopesThatAreTooBigAreRefused(t *testing.T) {
	e := journey(t)[1]
	p := events.NewPublisher(&eventstest.Sender{}, &eventstest.Claims{}, &events.Options{MessageBytes: 100})
	err := p.Publish(t.Context(), tenantstest.Scope(t, "acme"), e)
	assert.Equal(t, "event_invalid", fault.As(err).Code)
}

func TestOptionsOnlyLower(t *testing.T) {
	s, sender := tenantstest.Scope(t, "acme"), &eventstest.Sender{}
	p := events.NewPublisher(sender, &eventstest.Claims{}, &events.Options{MessageBytes: 1 << 30, BatchBytes: 1 << 30, BatchMessages: 2})
	var evs []events.Event
	for range 5 {
		evs = append(evs, journey(t)[:2]...)
	}
	require.NoError(t, p.Publish(t.Context(), s, evs...), "the Sender refuses what is above the limits")
	assert.Equal(t, 1+3+3, sender.Calls())
}

func TestEventRecordedIsNotRecordedAgain(t *testing.T) {
	s, sender := tenantstest.Scope(t, "acme"), &eventstest.Sender{}
	e, err := events.New(s, "api", events.Cause{}, noon, samples()["event.recorded/full"])
	require.NoError(t, err)
	require.NoError(t, events.NewPublisher(sender, &eventstest.Claims{}, nil).Publish(t.Context(), s, e))
	require.Len(t, sender.Events(events.StageAudit), 1)
	assert.Equal(t, e, sender.Events(events.StageAudit)[0])
}

func TestResolve(t *testing.T) {
	s, sender, claims := tenantstest.Scope(t, "acme"), &eventstest.Sender{}, &eventstest.Claims{}
	e := journey(t)[0]
	require.NoError(t, events.NewPublisher(sender, claims, nil).Publish(t.Context(), s, e))
	travelled := sender.Events(events.StageIngest)[0]
	require.True(t, strings.HasPrefix(travelled.DataRef, "claims/"+e.ID+"."))
	name := strings.TrimPrefix(travelled.DataRef, "claims/")

	got, err := events.Resolve(t.Context(), claims, s, travelled)
	require.NoError(t, err)
	assert.Equal(t, e, got)
	same, err := events.Resolve(t.Context(), claims, s, e)
	require.NoError(t, err, "an event with its data needs no claim")
	assert.Equal(t, e, same)

	_, err = events.Resolve(t.Context(), claims, tenantstest.Scope(t, "globex"), travelled)
	assert.Equal(t, "tenant_mismatch", fault.As(err).Code)

	require.NoError(t, claims.Put(t.Context(), s, name, json.RawMessage(`{}`)))
	_, err = events.Resolve(t.Context(), claims, s, travelled)
	assert.Equal(t, "claim_corrupt", fault.As(err).Code)

	_, err = events.Resolve(t.Context(), &eventstest.Claims{}, s, travelled)
	assert.Equal(t, "claim_not_found", fault.As(err).Code)
}

// A handler that runs twice may compute other bytes for the same fact, such as vectors of another model server.
// Both events must keep their own data.
func TestClaimsOfTheSameEventWithOtherDataLiveSideBySide(t *testing.T) {
	s, sender, claims := tenantstest.Scope(t, "acme"), &eventstest.Sender{}, &eventstest.Claims{}
	p := events.NewPublisher(sender, claims, nil)
	first := journey(t)[0]
	second := first
	second.Data = json.RawMessage(strings.Replace(string(first.Data), "xx", "xy", 1))
	require.NoError(t, p.Publish(t.Context(), s, first))
	require.NoError(t, p.Publish(t.Context(), s, second))
	for i, want := range []events.Event{first, second} {
		got, err := events.Resolve(t.Context(), claims, s, sender.Events(events.StageIngest)[i])
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}
