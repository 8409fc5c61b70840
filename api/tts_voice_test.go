package api_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/play"
	recording "levada.dev/workflows/speech/record"
)

// studio is what speech is made with, in memory. Consumers there are none: what waits is spoken when speak says so.
type studio struct {
	desk     *memory.Speech
	sounds   *memory.Sounds
	voice    *voice
	recorder *recording.Recorder
	opened   atomic.Int64 // parts of sounds
}

// voice speaks a hundredth of a second for each character, in WAV, whatever was asked for.
type voice struct {
	mu     sync.Mutex
	lines  []spokenLine
	before func(l speech.Line) error // may wait
	silent bool
}

type spokenLine struct {
	tenant tenants.ID
	call   llm.Call
	speech.Line
}

// voiceRate is how many samples a second the voice has.
const voiceRate = 8000

// Speak implements speech.Synthesizer.
func (v *voice) Speak(ctx context.Context, s tenants.Scope, c llm.Call, l speech.Line) (speech.Spoken, error) {
	v.mu.Lock()
	v.lines = append(v.lines, spokenLine{s.Tenant(), c, l})
	before := v.before
	v.mu.Unlock()
	if before != nil {
		if err := before(l); err != nil {
			return speech.Spoken{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return speech.Spoken{}, err
	}
	var samples []byte
	said := string(s.Tenant()) + l.Voice + l.Text
	if v.silent {
		said = ""
	}
	for _, r := range said { // the tenant is heard, so that nobody's sound is another's
		for i := range voiceRate / 100 {
			samples = binary.LittleEndian.AppendUint16(samples, uint16(int(r)*int(i%40)))
		}
	}
	header, err := audio.Header(voiceRate, 1, int64(len(samples)))
	return speech.Spoken{Audio: append(header, samples...), Format: audio.WAV}, err
}

func (v *voice) spoken() []spokenLine {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]spokenLine(nil), v.lines...)
}

func newStudio(w *world) *studio {
	x := &studio{desk: memory.NewSpeech(func() time.Time { return w.opts.Now() }), sounds: &memory.Sounds{}, voice: &voice{}}
	x.sounds.After = func(op string) error {
		if op == "open" {
			x.opened.Add(1)
		}
		return nil
	}
	x.recorder = recording.New(recording.Ports{Booth: x.desk, Sounds: x.sounds, Synthesizer: speech.NewPaid(x.voice, w.gate), Directory: w.deps.Directory})
	return x
}

// asked are the events of a stage, for a consumer that is none.
type asked struct{ facts []events.SpeechRequested }

// Publish implements events.Publisher.
func (a *asked) Publish(_ context.Context, _ tenants.Scope, evs ...events.Event) error {
	for _, ev := range evs {
		var f events.SpeechRequested
		if ev.Type != f.Type() {
			continue
		}
		if err := json.Unmarshal(ev.Data, &f); err != nil {
			return err
		}
		a.facts = append(a.facts, f)
	}
	return nil
}

// speak speaks what waits for a tenant, as the consumer would.
func (w *world) speak(tenant string) {
	w.t.Helper()
	for {
		var a asked
		_, err := w.studio.desk.Relay(context.Background(), w.scope(tenant), &a)
		require.NoError(w.t, err)
		if len(a.facts) == 0 {
			return
		}
		for _, f := range a.facts {
			require.NoError(w.t, w.studio.recorder.Record(context.Background(), w.scope(tenant), f.Take, nil))
		}
	}
}

// file is the sound of a job, read as a whole.
func (w *world) file(tenant, job string) []byte {
	w.t.Helper()
	j, err := w.studio.desk.Job(context.Background(), w.scope(tenant), job)
	require.NoError(w.t, err)
	p, err := play.New(context.Background(), w.studio.sounds, w.scope(tenant), j.Tape)
	require.NoError(w.t, err)
	b, err := io.ReadAll(p)
	require.NoError(w.t, err)
	return b
}
