package narrate_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow/flowtest"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
	"levada.dev/workflows/speech/narrate"
	"levada.dev/workflows/speech/record"
)

const aura = "@cf/deepgram/aura-1"

// parts are so many that there is a step that is not full.
const parts = 2*narrate.PartsAStep + 2

// text is one of so many chapters.
func text() string {
	var b strings.Builder
	for i := range parts {
		fmt.Fprintf(&b, "# Chapter %d\nWater.\n\n", i+1)
	}
	return b.String()
}

// directory has the same configuration for everybody.
type directory struct{ tenants.Directory }

func (directory) Config(_ context.Context, id tenants.ID) (*tenants.Config, error) {
	return &tenants.Config{ID: id, Speech: tenants.Speech{Enabled: true, Model: aura}}, nil
}

// world is a narrator and all that it works on.
type world struct {
	*testing.T
	desk         *memory.Speech
	sounds       *memory.Sounds
	voice        *memory.Synthesizer
	gate         *quotatest.Gate
	narrator     *narrate.Narrator
	acme, globex tenants.Scope
	opened       int
}

func start(t *testing.T) *world {
	w := &world{T: t, desk: memory.NewSpeech(time.Now), sounds: &memory.Sounds{}, voice: &memory.Synthesizer{}, gate: &quotatest.Gate{}}
	w.acme, w.globex = tenantstest.Two(t)
	w.narrator = narrate.New(record.New(record.Ports{Booth: w.desk, Sounds: w.sounds, Synthesizer: speech.NewPaid(w.voice, w.gate), Directory: directory{}}))
	t.Cleanup(func() { w.gate.Check(t) })
	return w
}

// open orders the text, and answers the job.
func (w *world) open(s tenants.Scope) speech.Job {
	w.Helper()
	o := speech.Order{Text: text(), Model: aura, Voice: "luna", Format: audio.WAV, Speed: 100}
	cuts, err := cut.Of(o)
	require.NoError(w, err)
	require.Len(w, cuts, parts)
	w.opened++
	out, err := w.desk.Open(w.Context(), s, speech.Opening{ID: fmt.Sprintf("job-%d", w.opened), Order: o, Cuts: cuts, Keep: time.Hour, Cause: events.Cause{ID: "request"}})
	require.NoError(w, err)
	return out.Job
}

func (w *world) run(s tenants.Scope, j speech.Job) *flowtest.Engine {
	return &flowtest.Engine{Flow: w.narrator.Flow, Scope: s, ID: j.Take, Params: narrate.Order{Take: j.Take}}
}

func (w *world) job(s tenants.Scope, id string) speech.Job {
	w.Helper()
	j, err := w.desk.Job(w.Context(), s, id)
	require.NoError(w, err)
	return j
}

// whole checks that a job has all of its sound, which was paid once.
func (w *world) whole(s tenants.Scope, id string) {
	w.Helper()
	j := w.job(s, id)
	require.Equal(w, job.Succeeded, j.State, "%+v", j.Error)
	require.True(w, j.Tape.Whole())
	for i, p := range j.Tape.Parts {
		require.Equal(w, i, p.Index)
		r, err := w.sounds.Open(w.Context(), s, j.Tape.Reel, p.Name, 0, p.Bytes)
		require.NoError(w, err)
		b, err := io.ReadAll(r)
		require.NoError(w, err)
		require.Len(w, b, int(p.Bytes))
	}
	assert.Len(w, w.gate.Used(s), parts, "each part is paid once")
}

// calls are those that a tenant has made of the model.
func (w *world) calls(s tenants.Scope) (n int) {
	for _, c := range w.voice.Calls() {
		if c.Tenant == s.Tenant() {
			n++
		}
	}
	return n
}

// TestSurvives: wherever the run dies, the model is asked for each part once, and another tenant's same text is another take.
func TestSurvives(t *testing.T) {
	flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
		w := start(t)
		j, theirs := w.open(w.acme), w.open(w.globex)
		e := w.run(w.acme, j)
		return e, func(t *testing.T) {
			w.whole(w.acme, j.ID)
			assert.Equal(t, []int{parts, 0}, []int{w.calls(w.acme), w.calls(w.globex)})
			assert.Subset(t, []string{"step speak 0", "step speak 1", "step speak 2", "step end"}, e.Names(), "a step that was cut off has done its parts")
			assert.Equal(t, job.Queued, w.job(w.globex, theirs.ID).State)
		}
	})
}

func TestTwoTenantsAtATime(t *testing.T) {
	w := start(t)
	mine, theirs := w.open(w.acme), w.open(w.globex)
	var both sync.WaitGroup
	both.Go(func() { assert.NoError(t, w.run(w.acme, mine).Run(t.Context())) })
	both.Go(func() { assert.NoError(t, w.run(w.globex, theirs).Run(t.Context())) })
	both.Wait()
	w.whole(w.acme, mine.ID)
	w.whole(w.globex, theirs.ID)
	assert.Equal(t, []int{parts, parts}, []int{w.calls(w.acme), w.calls(w.globex)})
	assert.NoError(t, w.run(w.globex, mine).Run(t.Context()), "another tenant's take is none")
	assert.Equal(t, parts, w.calls(w.globex))
}

// TestEachCallFailsOnce: before or after it has done its work, and nothing is paid twice.
func TestEachCallFailsOnce(t *testing.T) {
	for _, op := range []string{"claim", "add", "end", "put", "speak"} {
		for _, after := range []bool{false, true} {
			for _, nth := range []int{1, 2, parts} {
				t.Run(fmt.Sprintf("%s %d after %v", op, nth, after), func(t *testing.T) {
					w := start(t)
					j := w.open(w.acme)
					var mu sync.Mutex
					n, code := 0, "down"
					if after {
						code = llm.CodeBrokeOff // of the model: its answer is lost, and is paid
					}
					fail := func(this string) error {
						mu.Lock()
						defer mu.Unlock()
						if this != op {
							return nil
						}
						if n++; n != nth {
							return nil
						}
						return fault.Unavailablef(nil, code, "it is down")
					}
					speak := func(llm.Call, speech.Line) error { return fail("speak") }
					if after {
						w.desk.After, w.sounds.After, w.voice.After = fail, fail, speak
					} else {
						w.desk.Before, w.sounds.Before, w.voice.Before = fail, fail, speak
					}
					require.NoError(t, w.run(w.acme, j).Run(t.Context()))
					w.desk.Before, w.desk.After, w.sounds.Before, w.sounds.After = nil, nil, nil, nil
					w.whole(w.acme, j.ID)
				})
			}
		}
	}
}

func TestCancelledInTheMiddle(t *testing.T) {
	w := start(t)
	j := w.open(w.acme)
	var once sync.Once
	w.voice.After = func(llm.Call, speech.Line) error {
		if w.calls(w.acme) < 5 {
			return nil
		}
		var err error
		once.Do(func() { _, err = w.desk.Cancel(context.Background(), w.acme, j.ID) })
		return err
	}
	e := w.run(w.acme, j)
	require.NoError(t, e.Run(t.Context()))
	assert.Equal(t, job.Cancelled, w.job(w.acme, j.ID).State)
	assert.LessOrEqual(t, w.calls(w.acme), 8, "what was begun is spoken to its end, and no more")
	assert.Equal(t, []string{"step speak 0"}, e.Names())
	require.NoError(t, w.run(w.acme, j).Run(t.Context()), "told once more")
	assert.LessOrEqual(t, w.calls(w.acme), 8)
}

// Of two runs the later goes on.
func TestAnotherRunTakesOver(t *testing.T) {
	w := start(t)
	j := w.open(w.acme)
	var once sync.Once
	w.voice.After = func(llm.Call, speech.Line) (err error) {
		once.Do(func() { _, err = w.desk.Claim(context.Background(), w.acme, j.Take) })
		return err
	}
	require.NoError(t, w.run(w.acme, j).Run(t.Context()))
	assert.Equal(t, job.Running, w.job(w.acme, j.ID).State, "the other has it")
	require.NoError(t, w.run(w.acme, j).Run(t.Context()), "the other")
	w.whole(w.acme, j.ID)
}

// TestLimits: what is used up fails the job at once, and the same order speaks what is missing.
func TestLimits(t *testing.T) {
	for _, code := range []string{"budget_exhausted", "model_quota"} {
		w := start(t)
		w.gate.Refuse = func(s tenants.Scope, _ quota.Ask) error {
			if len(w.gate.Used(s)) >= 4 {
				return fault.New(fault.Limited, code, "used up", nil).WithRetryAfter(time.Hour)
			}
			return nil
		}
		j := w.open(w.acme)
		e := w.run(w.acme, j)
		e.Asleep = func(time.Duration) { t.Error("nobody waits for it") }
		require.NoError(t, e.Run(t.Context()))
		failed := w.job(w.acme, j.ID)
		assert.Equal(t, []any{job.Failed, "speak", code}, []any{failed.State, failed.Error.Stage, failed.Error.Code})
		spoken := w.calls(w.acme)
		assert.Less(t, spoken, parts)

		w.gate.Refuse = nil
		j = w.open(w.acme)
		require.NoError(t, w.run(w.acme, j).Run(t.Context()))
		w.whole(w.acme, j.ID)
		assert.Equal(t, parts, w.calls(w.acme), code)
	}
}

func TestAModelThatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		fails int
		state job.State
	}{
		"for a while": {20, job.Succeeded}, "for long": {1 << 20, job.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			j := w.open(w.acme)
			var mu sync.Mutex
			failed := 0
			w.voice.Before = func(llm.Call, speech.Line) error {
				mu.Lock()
				defer mu.Unlock()
				if failed++; failed > c.fails || w.calls(w.acme) == 0 {
					return nil
				}
				return fault.Unavailablef(nil, "model_unavailable", "it is gone")
			}
			var slept time.Duration
			e := w.run(w.acme, j)
			e.Asleep = func(d time.Duration) {
				assert.Less(t, d, speech.Late, "or another run would be begun")
				slept += d
			}
			require.NoError(t, e.Run(t.Context()))
			got := w.job(w.acme, j.ID)
			assert.Equal(t, c.state, got.State)
			assert.NotZero(t, slept)
			if c.state == job.Failed {
				assert.Equal(t, "model_unavailable", got.Error.Code)
				assert.Equal(t, time.Hour, slept)
				return
			}
			w.whole(w.acme, j.ID)
		})
	}
}

func TestARefusalIsFinal(t *testing.T) {
	w := start(t)
	w.voice.Before = func(_ llm.Call, l speech.Line) error {
		if strings.Contains(l.Text, "Chapter 20") {
			return fault.Invalidf("", "model_refused", "not this")
		}
		return nil
	}
	j := w.open(w.acme)
	e := w.run(w.acme, j)
	require.NoError(t, e.Run(t.Context()))
	assert.Equal(t, "model_refused", w.job(w.acme, j.ID).Error.Code)
	assert.Equal(t, []string{"step speak 0", "step speak 1", "step end"}, e.Names())
}

func TestAnOrderThatCannotBeRead(t *testing.T) {
	w := start(t)
	err := w.narrator.Flow(t.Context(), w.acme, nil, []byte("{"))
	assert.Equal(t, "narrate_order", fault.As(err).Code)
}
