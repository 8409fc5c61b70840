package speechtest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

// House is a studio that tells what happens there, and looks after what has expired.
type House struct {
	Studio
	Sounds speech.Sounds
	// Receive waits for the next message of a stage. It may come with messages of others.
	Receive func(ctx context.Context, stage events.Stage) ([]byte, error)
}

// TestTended checks what happens by itself: takes are asked for and told of, and sounds that have expired are dropped. It takes as long as an alarm does.
func TestTended(t *testing.T, open func(t *testing.T) House) {
	t.Run("what is ordered is told, and what has expired is dropped", func(t *testing.T) {
		h := open(t)
		x := floor{T: t, studio: h, words: tenantstest.Fresh(t, "Water flows. ")}
		x.acme, x.globex = tenantstest.Two(t)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		tended(ctx, t, x, h)
	})
}

func tended(ctx context.Context, t *testing.T, x floor, h House) {
	told := func(stage events.Stage, wanted func(events.Event) bool) {
		t.Helper()
		for {
			b, err := h.Receive(ctx, stage)
			require.NoError(t, err)
			ev, err := events.Decode(b)
			require.NoError(t, err)
			if wanted(ev) {
				return
			}
		}
	}
	o := x.opening(2)
	o.Keep = time.Millisecond
	take := x.open(x.acme, o).Job.Take
	theirs := x.open(x.globex, x.opening(2)).Job
	for _, tenant := range []tenants.ID{"acme", "globex"} {
		told(events.StageSpeech, func(ev events.Event) bool {
			var f events.SpeechRequested
			require.NoError(t, ev.As(&f))
			return ev.Tenant == tenant && f.Take == take && f.Parts == 2
		})
	}
	for _, s := range []tenants.Scope{x.acme, x.globex} {
		for _, name := range []string{"part0", "part1"} {
			require.NoError(t, h.Sounds.Put(t.Context(), s, take, name, []byte("spoken")))
		}
		x.make(s, take)
	}
	for _, j := range []string{o.ID, theirs.ID} {
		told(events.StageNotify, func(ev events.Event) bool {
			var f events.SpeechSynthesized
			return ev.Type == events.TypeSpeechSynthesized && ev.As(&f) == nil && slices.Equal(f.Jobs, []string{j})
		})
	}
	assert.Eventually(t, func() bool {
		_, err := h.Sounds.Open(t.Context(), x.acme, take, "part1", 0, 1)
		return fault.Is(err, fault.NotFound)
	}, time.Minute, 100*time.Millisecond, "an alarm drops it")
	j := x.job(x.acme, o.ID)
	assert.Equal(t, []any{job.Succeeded, true}, []any{j.State, j.Expired})
	r, err := h.Sounds.Open(t.Context(), x.globex, take, "part1", 0, 1)
	require.NoError(t, err, "theirs has not expired")
	require.NoError(t, r.Close())
	again := x.open(x.acme, x.opening(2)).Job
	assert.Equal(t, []any{job.Queued, false}, []any{again.State, again.Shared})
	assert.NotEqual(t, take, again.Take)
}

// Fill opens a tenant's nth job, for suites that want some.
func Fill(ctx context.Context, desk speech.Desk, s tenants.Scope, n int) error {
	text := fmt.Sprintf("Água %d.", n/2) // some share a take
	_, err := desk.Open(ctx, s, speech.Opening{
		ID: fmt.Sprintf("job-%03d", n), Order: speech.Order{Text: text, Model: "m", Voice: "v", Format: audio.MP3, Speed: 100},
		Cuts: []speech.Cut{{To: len(text), Chars: len([]rune(text))}}, Keep: time.Hour,
	})
	return err
}
