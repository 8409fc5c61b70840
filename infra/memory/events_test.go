package memory_test

import (
	"context"
	"errors"
	"testing"

	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/infra/memory"
)

func TestClaims(t *testing.T) {
	eventstest.TestClaims(t, func(*testing.T) events.Claims { return &memory.Claims{} })
}

func TestPublisher(t *testing.T) {
	eventstest.TestPublisher(t, func(*testing.T) eventstest.Queues {
		queues, claims := &memory.Queues{}, &memory.Claims{}
		return eventstest.Queues{
			Publisher: events.NewPublisher(queues, claims, nil),
			Claims:    claims,
			Receive: func(_ context.Context, stage events.Stage) ([]byte, error) {
				batch := queues.Take(string(stage), 1)
				if len(batch) == 0 {
					return nil, errors.New("the queue is empty")
				}
				return batch[0].Body, nil
			},
		}
	})
}
