package speak_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/consumers/speak"
	"levada.dev/events"
	"levada.dev/events/eventstest"
	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
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

// directory has the same configuration for everybody.
type directory struct{ tenants.Directory }

func (directory) Config(_ context.Context, id tenants.ID) (*tenants.Config, error) {
	return &tenants.Config{ID: id, Speech: tenants.Speech{Enabled: true, Model: aura}}, nil
}

type world struct {
	*testing.T
	desk         *memory.Speech
	voice        *memory.Synthesizer
	gate         *quotatest.Gate
	runs         *flowtest.Starts
	consumer     *speak.Consumer
	acme, globex tenants.Scope
	opened       int
}

func start(t *testing.T) *world {
	w := &world{T: t, desk: memory.NewSpeech(time.Now), voice: &memory.Synthesizer{}, gate: &quotatest.Gate{}, runs: &flowtest.Starts{}}
	w.acme, w.globex = tenantstest.Two(t)
	w.consumer = speak.New(record.New(record.Ports{
		Booth: w.desk, Sounds: &memory.Sounds{}, Synthesizer: speech.NewPaid(w.voice, w.gate), Directory: directory{},
	}).Within(consumers.NewRoom(1<<20).Enter), w.runs)
	t.Cleanup(func() { w.gate.Check(t) })
	return w
}

// open orders a text, and answers the job and what is told of its take.
func (w *world) open(s tenants.Scope, text string, direct bool) (speech.Opened, []consumers.Of[events.SpeechRequested]) {
	w.Helper()
	o := speech.Order{Text: text, Model: aura, Voice: "luna", Format: audio.MP3, Speed: 100}
	if len(text) < 1_000 {
		o.Format = audio.WAV
	}
	cuts, err := cut.Of(o)
	require.NoError(w, err)
	w.opened++
	out, err := w.desk.Open(w.Context(), s, speech.Opening{
		ID: fmt.Sprintf("job-%d", w.opened), Order: o, Cuts: cuts, Keep: time.Hour, Direct: direct, Cause: events.Cause{ID: "request"},
	})
	require.NoError(w, err)
	return out, w.told(s)
}

// told is what leaves the desk for the consumer.
func (w *world) told(s tenants.Scope) (ds []consumers.Of[events.SpeechRequested]) {
	w.Helper()
	var out eventstest.Publisher
	for n := 1; n > 0; {
		var err error
		n, err = w.desk.Relay(w.Context(), s, &out)
		require.NoError(w, err)
	}
	for _, ev := range out.Events() {
		d := consumers.Of[events.SpeechRequested]{Delivery: consumers.Delivery{Event: ev, Attempt: 1}}
		if ev.Type == events.TypeSpeechRequested {
			require.NoError(w, ev.As(&d.Fact))
			ds = append(ds, d)
		}
	}
	return ds
}

func (w *world) state(s tenants.Scope, id string) job.State {
	w.Helper()
	j, err := w.desk.Job(w.Context(), s, id)
	require.NoError(w, err)
	return j.State
}

const short = "Water leaves the spring. It is cold."

func TestAShortTextIsSpoken(t *testing.T) {
	w := start(t)
	mine, told := w.open(w.acme, short, false)
	theirs, alike := w.open(w.globex, short, false)
	require.Len(t, told, 1)
	for range 2 {
		assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.acme, told))
	}
	assert.Equal(t, []job.State{job.Succeeded, job.Queued}, []job.State{w.state(w.acme, mine.Job.ID), w.state(w.globex, theirs.Job.ID)})
	assert.Len(t, w.voice.Calls(), 1, "told twice, it is spoken once")
	other, unknown := w.open(w.acme, "Nobody else's.", false)
	assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.globex, unknown), "another tenant's take is none")
	assert.Len(t, w.voice.Calls(), 1)
	assert.Equal(t, job.Queued, w.state(w.acme, other.Job.ID))
	assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.globex, alike))
	assert.Equal(t, job.Succeeded, w.state(w.globex, theirs.Job.ID))
	assert.Len(t, w.gate.Used(w.globex), 1, "each pays for their own")
	assert.Empty(t, w.runs.Started)
}

func TestALongTextIsLeftToTheFlow(t *testing.T) {
	w := start(t)
	mine, told := w.open(w.acme, strings.Repeat(short+" ", 200), false)
	again := told[0]
	again.Fact.Try = 1
	w.runs.Down = true
	assert.True(t, fault.Retryable(w.consumer.Handle(t.Context(), w.acme, told)[0]))
	w.runs.Down = false
	for range 2 {
		assert.Equal(t, []error{nil, nil}, w.consumer.Handle(t.Context(), w.acme, append(told, again)))
	}
	assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.globex, told))
	order := narrate.Order{Take: mine.Job.Take}
	assert.Equal(t, map[string]any{
		w.acme.Key("narrate", mine.Job.Take): order, w.acme.Key("narrate", mine.Job.Take+".1"): order, w.globex.Key("narrate", mine.Job.Take): order,
	}, w.runs.Started, "a run for each time that it was asked for")
	assert.Empty(t, w.voice.Calls())
}

func TestAModelThatIsBusy(t *testing.T) {
	w := start(t)
	opened, told := w.open(w.acme, short, false)
	w.voice.Before = func(llm.Call, speech.Line) error { return fault.Unavailablef(nil, "model_busy", "later") }
	assert.Equal(t, "model_busy", fault.As(w.consumer.Handle(t.Context(), w.acme, told)[0]).Code)
	assert.Equal(t, job.Running, w.state(w.acme, opened.Job.ID), "its message comes again")
	w.voice.Before = func(llm.Call, speech.Line) error { return fault.Invalidf("", "model_refused", "not this") }
	assert.NoError(t, w.consumer.Handle(t.Context(), w.acme, told)[0], "there is no letter of what is nobody's mistake but the text's")
	assert.Equal(t, job.Failed, w.state(w.acme, opened.Job.ID))
}

func TestNobodyIsWaitingForIt(t *testing.T) {
	w := start(t)
	opened, told := w.open(w.acme, short, false)
	_, err := w.desk.Cancel(t.Context(), w.acme, opened.Job.ID)
	require.NoError(t, err)
	assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.acme, told))
	assert.Empty(t, w.voice.Calls())
}

// What is spoken for its caller is left to whoever does; the object's alarm looks after it.
func TestItIsSpokenForItsCaller(t *testing.T) {
	w := start(t)
	_, told := w.open(w.acme, short, false)
	direct, _ := w.open(w.acme, short, true)
	require.NotNil(t, direct.Claim, "nobody had begun")
	assert.Equal(t, []error{nil}, w.consumer.Handle(t.Context(), w.acme, told))
	assert.Empty(t, w.voice.Calls())
	require.NoError(t, w.desk.End(t.Context(), w.acme, direct.Claim.Ticket, &job.Problem{Code: "c"}), "the claim is still theirs")
}
