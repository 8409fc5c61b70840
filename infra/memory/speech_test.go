package memory_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"levada.dev/consumers"
	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/speechtest"
)

func TestDesk(t *testing.T) {
	desks := memory.NewSpeech(time.Now)
	speechtest.TestDesk(t, func(*testing.T) speechtest.Studio { return desks })
}

func TestTended(t *testing.T) {
	desks, sounds := memory.NewSpeech(time.Now), &memory.Sounds{AtOnce: 1}
	var (
		told   memory.Queues
		out    = events.NewPublisher(&told, nil, nil)
		acme   = tenantstest.Scope(t, "acme")
		globex = tenantstest.Scope(t, "globex")
	)
	speechtest.TestTended(t, func(t *testing.T) speechtest.House {
		return speechtest.House{Studio: desks, Sounds: tending{sounds, desks}, Receive: func(ctx context.Context, stage events.Stage) ([]byte, error) {
			for _, s := range []tenants.Scope{acme, globex} {
				if _, err := desks.Relay(ctx, s, out); err != nil {
					return nil, err
				}
			}
			batch := told.Take(string(stage), 1)
			if len(batch) == 0 {
				return nil, errors.New("nothing was told")
			}
			told.Settle(string(stage), batch, []consumers.Verdict{{}})
			return batch[0].Body, nil
		}}
	})
}

// tending rings the alarm of whose sounds are asked for, as time does.
type tending struct {
	*memory.Sounds
	desks *memory.Speech
}

func (x tending) Open(ctx context.Context, s tenants.Scope, reel, name string, from, n int64) (io.ReadCloser, error) {
	if _, err := x.desks.Alarm(ctx, s, x.Sounds); err != nil {
		return nil, err
	}
	return x.Sounds.Open(ctx, s, reel, name, from, n)
}

func TestSounds(t *testing.T) {
	t.Run("all at once", func(t *testing.T) {
		sounds := &memory.Sounds{}
		speechtest.TestSounds(t, func(*testing.T) speech.Sounds { return sounds })
	})
	t.Run("one by one", func(t *testing.T) {
		sounds := &memory.Sounds{AtOnce: 1}
		speechtest.TestSounds(t, func(*testing.T) speech.Sounds { return sounds })
	})
}
