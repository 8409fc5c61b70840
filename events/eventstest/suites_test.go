package eventstest_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/tenants/tenantstest"
)

func TestClaims(t *testing.T) {
	eventstest.TestClaims(t, func(*testing.T) events.Claims { return &eventstest.Claims{} })
}

func TestPublisher(t *testing.T) {
	eventstest.TestPublisher(t, func(*testing.T) eventstest.Queues {
		sender, claims := &eventstest.Sender{}, &eventstest.Claims{}
		return eventstest.Queues{
			Publisher: events.NewPublisher(sender, claims, nil), Claims: claims, Receive: receiver(sender),
		}
	})
}

// receiver reads a memory Sender's queues, whose messages are there as soon as Publish returns.
func receiver(sender *eventstest.Sender) func(context.Context, events.Stage) ([]byte, error) {
	var mu sync.Mutex
	read := map[events.Stage]int{}
	return func(_ context.Context, stage events.Stage) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		messages := sender.Messages(stage)
		if read[stage] == len(messages) {
			return nil, errors.New("the queue is empty")
		}
		read[stage]++
		return messages[read[stage]-1], nil
	}
}

func TestHooks(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	boom := errors.New("boom")
	c := &eventstest.Claims{}
	c.FailBefore(1, boom)
	c.FailAfter(3, boom)
	assert.ErrorIs(t, c.Put(t.Context(), s, "a", nil), boom)
	_, err := c.Get(t.Context(), s, "a")
	assert.Error(t, err, "the failed call had no effect")
	assert.ErrorIs(t, c.Put(t.Context(), s, "a", nil), boom)
	_, err = c.Get(t.Context(), s, "a")
	assert.NoError(t, err, "the failed call had its effect")
	assert.Equal(t, 4, c.Calls())
}

func TestSenderRefusesWhatQueuesRefuse(t *testing.T) {
	big := make([]byte, events.MaxMessageBytes+1)
	for name, messages := range map[string][][]byte{
		"nothing": nil, "too many": make([][]byte, events.MaxBatchMessages+1), "too big": {big}, "no event": {[]byte(`{}`)},
	} {
		err := (&eventstest.Sender{}).Send(t.Context(), events.StageIngest, messages)
		assert.Error(t, err, name)
	}
	assert.Error(t, (&eventstest.Sender{}).Send(t.Context(), events.StageNone, [][]byte{[]byte(`{}`)}))
}

func TestPublisherKeepsAndRefuses(t *testing.T) {
	s := tenantstest.Scope(t, "acme")
	p := &eventstest.Publisher{}
	e, err := events.New(s, "test", events.Cause{}, day, events.DocumentIndexed{
		DocumentRef: events.DocumentRef{DocID: "a", Generation: 1, JobID: "j"}, Model: "m",
	})
	require.NoError(t, err)
	require.NoError(t, p.Publish(t.Context(), s, e))
	assert.Equal(t, []events.Event{e}, p.Events())
	assert.Equal(t, []events.Event{e}, p.Events(events.TypeDocumentIndexed))
	assert.Empty(t, p.Events(events.TypeDocumentFailed))
	assert.Error(t, p.Publish(t.Context(), tenantstest.Scope(t, "globex"), e))
	e.Type = "x"
	assert.Error(t, p.Publish(t.Context(), s, e))
	p.Reset()
	assert.Empty(t, p.Events())
}
