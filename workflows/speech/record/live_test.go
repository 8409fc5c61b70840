package record_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
	"levada.dev/workflows/speech/record"
)

// live opens an order that is spoken directly, and answers the job and its claim.
func (w *world) live(s tenants.Scope, id string) (speech.Job, speech.Claim) {
	w.Helper()
	o := order(audio.WAV, 100)
	cuts, err := cut.Of(o)
	require.NoError(w, err)
	out, err := w.desk.Open(context.WithoutCancel(w.Context()), s, speech.Opening{ID: id, Order: o, Cuts: cuts, Keep: time.Hour, Direct: true})
	require.NoError(w, err)
	require.NotNil(w, out.Claim)
	return out.Job, *out.Claim
}

// Each call of the booth is lost in turn, before it has its effect or after it, when the model that had begun is busy for a moment, too: whoever listens has
// the take all the same, in one voice, and nothing of it is paid twice.
func TestWhatIsLostWhileSomebodyListens(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := 1; at <= 4; at++ { // three parts and the end
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				var calls atomic.Int32
				var busy atomic.Bool
				lose := func(string) error {
					if int(calls.Add(1)) == at {
						busy.Store(after)
						return fault.Unavailablef(nil, "lost", "it was lost")
					}
					return nil
				}
				mine, c := w.live(w.acme, "mine")
				theirs, other := w.live(w.globex, "theirs")
				if after {
					w.desk.After = lose
				} else {
					w.desk.Before = lose
				}
				w.voice.Before = func(c llm.Call, _ speech.Line) error {
					if c.Model == aura && busy.Swap(false) {
						return errBusy
					}
					return nil
				}
				heard := make(chan struct{}, 10)
				require.NoError(t, w.recorder.Live(t.Context(), w.acme, c, func() { heard <- struct{}{} }), "call %d, after %t", at, after)
				w.desk.After, w.desk.Before = nil, nil
				j := w.job(w.acme, mine.ID)
				w.file(w.acme, j)
				assert.Len(t, w.gate.Used(w.acme), j.Tape.Cuts, "call %d, after %t", at, after)
				assert.Equal(t, aura, j.Tape.Model, "who had begun speaks all of it: call %d, after %t", at, after)
				assert.GreaterOrEqual(t, len(heard), 2)

				assert.Equal(t, job.Running, w.job(w.globex, theirs.ID).State)
				require.NoError(t, w.recorder.Live(t.Context(), w.globex, other, func() {}))
				w.once(w.globex, w.job(w.globex, theirs.ID))
			})
		}
	}
}

// taken is a booth in which somebody else speaks what was taken over.
type taken struct{ *memory.Speech }

func (taken) TakeOver(context.Context, tenants.Scope, string, string) (speech.Claim, error) {
	return speech.Claim{}, fault.Unavailablef(nil, speech.CodeBusy, "somebody makes it")
}

// A take that somebody else has taken over meanwhile is theirs, which is no error.
func TestSomebodyElseGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.directory.speech.Fallback = ""
		r := record.New(record.Ports{Booth: taken{w.desk}, Sounds: w.sounds, Synthesizer: speech.NewPaid(w.voice, w.gate), Directory: w.directory})
		w.refuse(aura, errBusy)
		j, c := w.live(w.acme, "mine")
		require.NoError(t, r.Live(t.Context(), w.acme, c, func() {}))
		assert.Equal(t, job.Running, w.job(w.acme, j.ID).State, "it is left to them")
	})
}
