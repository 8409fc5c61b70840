package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
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
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
	"levada.dev/workflows/speech/record"
)

const (
	aura = "@cf/deepgram/aura-1"
	melo = "@cf/myshell-ai/melotts"
)

// directory has the same configuration for everybody.
type directory struct {
	tenants.Directory
	speech tenants.Speech
	err    error
}

func (d directory) Config(_ context.Context, id tenants.ID) (*tenants.Config, error) {
	return &tenants.Config{ID: id, Speech: d.speech}, d.err
}

// world is a recorder and all that it works on.
type world struct {
	*testing.T
	desk         *memory.Speech
	sounds       *memory.Sounds
	voice        *memory.Synthesizer
	gate         *quotatest.Gate
	directory    *directory
	recorder     *record.Recorder
	acme, globex tenants.Scope
	opened       int
}

func start(t *testing.T) *world {
	w := &world{
		T: t, desk: memory.NewSpeech(time.Now), sounds: &memory.Sounds{}, voice: &memory.Synthesizer{}, gate: &quotatest.Gate{},
		directory: &directory{speech: tenants.Speech{Enabled: true, Model: aura, Fallback: melo}},
	}
	w.acme, w.globex = tenantstest.Two(t)
	w.recorder = record.New(record.Ports{Booth: w.desk, Sounds: w.sounds, Synthesizer: speech.NewPaid(w.voice, w.gate), Directory: w.directory})
	t.Cleanup(func() { w.gate.Check(t) })
	return w
}

// text has three parts and a chapter.
const text = "Water leaves the spring. It is cold.\n\n# The fields\nThey drink, one after the other.\n\n# The sea\nIt takes what is left."

func order(f audio.Format, speed int) speech.Order {
	return speech.Order{Text: text, Model: aura, Voice: "luna", Format: f, Speed: speed}
}

// open orders, and answers the job.
func (w *world) open(s tenants.Scope, o speech.Order) speech.Job {
	w.Helper()
	cuts, err := cut.Of(o)
	require.NoError(w, err)
	w.opened++
	out, err := w.desk.Open(w.Context(), s, speech.Opening{
		ID: fmt.Sprintf("job-%d", w.opened), Order: o, Cuts: cuts, Keep: time.Hour,
		Cause: events.Cause{ID: "request", TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	})
	require.NoError(w, err)
	return out.Job
}

func (w *world) job(s tenants.Scope, id string) speech.Job {
	w.Helper()
	j, err := w.desk.Job(w.Context(), s, id)
	require.NoError(w, err)
	return j
}

// file is what a finished job's caller would get.
func (w *world) file(s tenants.Scope, j speech.Job) []byte {
	w.Helper()
	require.Equal(w, job.Succeeded, j.State, "%+v", j.Error)
	require.True(w, j.Tape.Whole())
	b, err := j.Tape.Header()
	require.NoError(w, err)
	for i, p := range j.Tape.Parts {
		require.Equal(w, i, p.Index)
		r, err := w.sounds.Open(w.Context(), s, j.Tape.Reel, p.Name, 0, p.Bytes)
		require.NoError(w, err)
		part, err := io.ReadAll(r)
		require.NoError(w, err)
		b = append(b, part...)
	}
	require.EqualValues(w, j.Tape.Bytes(), len(b))
	return b
}

// once checks that all of the text was paid, and nothing of it twice.
func (w *world) once(s tenants.Scope, j speech.Job) {
	w.Helper()
	used := w.gate.Used(s)
	var nanos, chars int64
	for _, u := range used {
		nanos += u.Nanos
		chars += u.Chars
		assert.False(w, u.Estimated)
	}
	assert.EqualValues(w, chars, j.Cost.Characters, "the signs of headings are not paid")
	assert.Len(w, used, j.Tape.Cuts)
	assert.Equal(w, nanos, j.Cost.Nanos)
}

func TestRecord(t *testing.T) {
	w := start(t)
	j := w.open(w.acme, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	b := w.file(w.acme, j)
	pcm, err := audio.ReadWAV(b)
	require.NoError(t, err)
	assert.Equal(t, j.Tape.Duration(), pcm.Duration(), "the parts are as long as the file")
	assert.Greater(t, audio.RMS(pcm), 0.05)
	w.once(w.acme, j)
	var spoken time.Duration
	for _, c := range w.voice.Calls() {
		assert.Equal(t, []any{aura, "luna", audio.WAV, llm.ForSpeech, "request"}, []any{c.Model, c.Line.Voice, c.Line.Format, c.Purpose, c.RequestID})
		spoken += time.Duration(len(c.Line.Text)) * 50 * time.Millisecond
	}
	assert.Equal(t, spoken+2*time.Second, pcm.Duration(), "a second is before each chapter")
	assert.Zero(t, w.sounds.Len(w.globex))
	assert.Empty(t, w.gate.Used(w.globex))

	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil), "a second delivery")
	w.once(w.acme, j)
	other := w.open(w.globex, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.globex, other.Take, nil))
	assert.Equal(t, b, w.file(w.globex, w.job(w.globex, other.ID)), "the same text sounds the same, and is spoken again for another tenant")
	w.once(w.globex, w.job(w.globex, other.ID))
}

func TestSpeed(t *testing.T) {
	w := start(t)
	length := map[int]time.Duration{}
	for _, speed := range []int{100, 200, 50} {
		j := w.open(w.acme, order(audio.WAV, speed))
		require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
		j = w.job(w.acme, j.ID)
		pcm, err := audio.ReadWAV(w.file(w.acme, j))
		require.NoError(t, err)
		length[speed] = pcm.Duration() - 2*time.Second
	}
	assert.InDelta(t, length[100].Seconds()/2, length[200].Seconds(), 0.2, "the silences stay")
	assert.InDelta(t, length[100].Seconds()*2, length[50].Seconds(), 0.2)
}

func TestASpeedThatCannotBeGivenFails(t *testing.T) {
	tone, err := os.ReadFile("../audio/testdata/tone.mp3")
	require.NoError(t, err)
	w := start(t)
	w.voice.Hum = func(llm.Call, speech.Line) []byte { return tone } // whatever was asked for
	j := w.open(w.acme, order(audio.WAV, 50))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	require.NotNil(t, j.Error)
	assert.Equal(t, []any{job.Failed, "speed_unsupported", "speed"}, []any{j.State, j.Error.Code, j.Error.Field})
}

func TestMP3(t *testing.T) {
	tone, err := os.ReadFile("../audio/testdata/tone.mp3")
	require.NoError(t, err)
	one, format, err := audio.Duration(tone)
	require.NoError(t, err)
	require.Equal(t, audio.MP3, format)
	w := start(t)
	w.voice.Hum = func(llm.Call, speech.Line) []byte { return tone }
	j := w.open(w.acme, order(audio.MP3, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	b := w.file(w.acme, j)
	d, format, err := audio.Duration(b)
	require.NoError(t, err)
	assert.Equal(t, audio.MP3, format)
	assert.InDelta(t, float64(j.Tape.Cuts)*one.Seconds(), d.Seconds(), 0.1)
	assert.False(t, bytes.Contains(b, []byte("ID3")), "frames alone are joined")
}

// What an answer is called goes by its bytes: asked for MP3 and given WAV, the job says WAV.
func TestFormatIsWhatCame(t *testing.T) {
	w := start(t)
	j := w.open(w.acme, order(audio.MP3, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	assert.Equal(t, audio.WAV, j.Tape.Format)
	assert.Equal(t, audio.WAV, audio.Sniff(w.file(w.acme, j)))
}

var (
	errBusy    = fault.New(fault.Unavailable, "model_busy", "", nil)
	errRefused = fault.New(fault.Invalid, "model_refused", "not that", nil)
)

// refuse makes one model fail.
func (w *world) refuse(model string, err error) {
	w.voice.Before = func(c llm.Call, _ speech.Line) error {
		if c.Model == model {
			return err
		}
		return nil
	}
}

func TestFallback(t *testing.T) {
	t.Run("another voice speaks all of it", func(t *testing.T) {
		w := start(t)
		w.refuse(aura, errBusy)
		j := w.open(w.acme, order(audio.WAV, 100))
		require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
		j = w.job(w.acme, j.ID)
		w.file(w.acme, j)
		assert.Equal(t, []string{melo, "en"}, []string{j.Tape.Model, j.Tape.Voice})
		w.once(w.acme, j)
	})
	for asked, want := range map[string]string{"luna": "luna", "zeus": "zeus", "arcas": "arcas", "helios": "thalia"} {
		t.Run("the voice is kept where there is one of its name: "+asked, func(t *testing.T) {
			w := start(t)
			w.directory.speech = tenants.Speech{Enabled: true, Model: aura, Fallback: "@cf/deepgram/aura-2-en", Voice: "thalia"}
			w.refuse(aura, errBusy)
			o := order(audio.WAV, 100)
			o.Voice = asked
			j := w.open(w.acme, o)
			require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
			assert.Equal(t, []string{"@cf/deepgram/aura-2-en", want}, []string{w.job(w.acme, j.ID).Tape.Model, w.job(w.acme, j.ID).Tape.Voice})
		})
	}
	t.Run("what the first took is a part of the cost", func(t *testing.T) {
		w := start(t)
		w.refuse(aura, speech.ErrUnreadable(aura, nil))
		j := w.open(w.acme, order(audio.WAV, 100))
		require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
		var nanos int64
		for _, u := range w.gate.Used(w.acme) {
			nanos += u.Nanos
		}
		assert.Equal(t, nanos, w.job(w.acme, j.ID).Cost.Nanos)
	})
	t.Run("nobody else speaks what has begun", func(t *testing.T) {
		w := start(t)
		var n atomic.Int32
		w.voice.Before = func(llm.Call, speech.Line) error {
			if n.Add(1) > 1 {
				return errBusy
			}
			return nil
		}
		j := w.open(w.acme, order(audio.WAV, 100))
		err := w.recorder.Record(t.Context(), w.acme, j.Take, nil)
		assert.Equal(t, "model_busy", fault.As(err).Code)
		w.refuse(melo, errRefused)
		require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
		j = w.job(w.acme, j.ID)
		w.file(w.acme, j)
		w.once(w.acme, j)
	})
	for name, change := range map[string]func(w *world){
		"nobody is configured":        func(w *world) { w.directory.speech.Fallback = "" },
		"it is the model itself":      func(w *world) { w.directory.speech.Fallback = aura },
		"it is unknown":               func(w *world) { w.directory.speech.Fallback = "no/such" },
		"it fails as well":            func(w *world) { w.voice.Before = func(llm.Call, speech.Line) error { return errBusy } },
		"it cannot give the format":   func(w *world) { w.directory.speech.Fallback = speech.LocalModel },
		"the directory cannot be had": func(w *world) { w.directory.err = errBusy },
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.refuse(aura, errBusy)
			change(w)
			j := w.open(w.acme, order(audio.MP3, 100))
			err := w.recorder.Record(t.Context(), w.acme, j.Take, nil)
			assert.Equal(t, "model_busy", fault.As(err).Code, "%v", err)
			assert.False(t, w.job(w.acme, j.ID).State.Final(), "it may be tried again")
			assert.Empty(t, w.gate.Used(w.acme))
		})
	}
}

func TestWhatIsRefusedFails(t *testing.T) {
	w := start(t)
	w.refuse(aura, errRefused)
	j := w.open(w.acme, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil), "it is over")
	j = w.job(w.acme, j.ID)
	assert.Equal(t, job.Failed, j.State)
	require.NotNil(t, j.Error)
	assert.Equal(t, []string{"speak", "model_refused"}, []string{j.Error.Stage, j.Error.Code})
	assert.Empty(t, w.gate.Used(w.acme))
	assert.Zero(t, w.sounds.Len(w.acme))
}

// A voice that has nothing for a part, be it the first or another, fails the job: it is asked once, and again by nobody, the gateway's answer least of all.
func TestAVoiceThatSaysNothing(t *testing.T) {
	header, err := audio.Header(8_000, 1, 0)
	require.NoError(t, err)
	for silent, paid := range map[string][]int{
		"Water leaves the spring.": {1, 2, 1}, // nothing is kept of the first take, and the second begins anew
		"They drink":               {1, 1, 1}, // the second goes on with the first's parts, and finds this one in the gateway
	} {
		w := start(t)
		w.voice.Hum = func(_ llm.Call, l speech.Line) []byte {
			if strings.Contains(l.Text, silent) {
				return header
			}
			return nil
		}
		for n, s := range []tenants.Scope{w.acme, w.acme, w.globex} {
			j := w.open(s, order(audio.WAV, 100))
			require.NoError(t, w.recorder.Record(t.Context(), s, j.Take, nil), "it is over")
			j = w.job(s, j.ID)
			require.NotNil(t, j.Error, silent)
			assert.Equal(t, []any{job.Failed, "audio_empty", "text"}, []any{j.State, j.Error.Code, j.Error.Field}, silent)
			assert.Contains(t, j.Error.Hint, "language")
			asked := 0
			for _, c := range w.voice.Calls() {
				if strings.Contains(c.Line.Text, silent) && c.Tenant == s.Tenant() && !c.Cached {
					asked++
				}
			}
			assert.Equal(t, paid[n], asked, silent)
		}
	}
}

// An answer that is of no use is in the gateway like any other: it is asked for anew, three times in all, and what the gateway had is not paid again.
func TestAnswersOfNoUse(t *testing.T) {
	for bad, succeeds := range map[int]bool{1: true, 2: true, 3: false} {
		for _, died := range []bool{false, true} { // and with it what the first try came to
			w := start(t)
			w.directory.speech.Fallback = ""
			left := map[string]int{}
			var mu sync.Mutex
			w.voice.Hum = func(_ llm.Call, l speech.Line) []byte {
				mu.Lock()
				defer mu.Unlock()
				if left[l.Text]++; left[l.Text] <= bad {
					return []byte("no sound")
				}
				return nil
			}
			j := w.open(w.acme, order(audio.WAV, 100))
			if died {
				c, err := w.desk.Claim(t.Context(), w.acme, j.Take)
				require.NoError(t, err)
				_, err = speech.NewPaid(w.voice, w.gate).Speak(t.Context(), w.acme, llm.Call{Model: aura, Purpose: llm.ForSpeech}, speech.Line{
					Text: cut.Spoken(text, c.Cuts[0]), Voice: "luna", Format: audio.WAV, Key: c.Tape.Reel + "/0",
				})
				require.Equal(t, speech.CodeUnreadable, fault.As(err).Code)
			}
			require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil), "it is over")
			j = w.job(w.acme, j.ID)
			if succeeds {
				w.file(w.acme, j)
				assert.Len(t, w.gate.Used(w.acme), 3*(bad+1), "each answer is paid, and once")
				continue
			}
			require.NotNil(t, j.Error)
			assert.Equal(t, []any{job.Failed, speech.CodeUnreadable}, []any{j.State, j.Error.Code})
			assert.Len(t, w.gate.Used(w.acme), 3, "a part is paid three times at most")
			assert.Empty(t, w.gate.Used(w.globex))
		}
	}
}

func TestCancelled(t *testing.T) {
	w := start(t)
	j := w.open(w.acme, order(audio.WAV, 100))
	w.voice.After = func(llm.Call, speech.Line) error {
		_, err := w.desk.Cancel(context.Background(), w.acme, j.ID)
		return err
	}
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil), "it is over, which is no error")
	assert.Equal(t, job.Cancelled, w.job(w.acme, j.ID).State)
	assert.Len(t, w.voice.Calls(), 1, "no more is spoken")
	assert.Len(t, w.gate.Used(w.acme), 1, "what was spoken is paid")
}

// A budget that is used up in the middle ends the take, as does a quota of the model's: nobody waits until tomorrow. What was spoken is kept, and the same order
// speaks the rest.
func TestBudget(t *testing.T) {
	w := start(t)
	w.gate.Refuse = func(s tenants.Scope, _ quota.Ask) error {
		if len(w.gate.Used(s)) > 0 {
			return fault.New(fault.Limited, "budget_exhausted", "", nil)
		}
		return nil
	}
	j := w.open(w.acme, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	assert.Equal(t, []any{job.Failed, "budget_exhausted"}, []any{j.State, j.Error.Code})
	assert.Equal(t, 1, w.sounds.Len(w.acme))
	w.gate.Refuse = nil
	before := j.Cost
	j = w.open(w.acme, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
	j = w.job(w.acme, j.ID)
	w.file(w.acme, j)
	assert.Len(t, w.voice.Calls(), 3, "each part once")
	var nanos int64
	for _, u := range w.gate.Used(w.acme) {
		nanos += u.Nanos
	}
	assert.Equal(t, nanos, before.Nanos+j.Cost.Nanos, "each take has what it took")
}

// A part that differs from the first is spoken again, not joined.
func TestPartsThatDiffer(t *testing.T) {
	tone, err := os.ReadFile("../audio/testdata/tone.mp3")
	require.NoError(t, err)
	header, err := audio.Header(16_000, 1, 32_000)
	require.NoError(t, err)
	for name, other := range map[string][]byte{"format": tone, "rate": append(header, make([]byte, 32_000)...)} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			var n atomic.Int32
			w.voice.Hum = func(llm.Call, speech.Line) []byte {
				if n.Add(1) > 1 {
					return other
				}
				return nil
			}
			j := w.open(w.acme, order(audio.WAV, 100))
			require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil), "it is over")
			j = w.job(w.acme, j.ID)
			require.NotNil(t, j.Error)
			assert.Equal(t, []any{job.Failed, "audio_differs"}, []any{j.State, j.Error.Code})
			assert.Equal(t, 1, w.sounds.Len(w.acme))
		})
	}
}

// Parts may come in any order, and the caller says which: a narration's steps do.
func TestPartsOutOfOrder(t *testing.T) {
	w := start(t)
	straight := w.open(w.globex, order(audio.WAV, 100))
	require.NoError(t, w.recorder.Record(t.Context(), w.globex, straight.Take, nil))
	j := w.open(w.acme, order(audio.WAV, 100))
	for _, i := range []int{2, 0, 1} {
		c, err := w.desk.Claim(t.Context(), w.acme, j.Take)
		require.NoError(t, err)
		require.NoError(t, w.recorder.Speak(t.Context(), w.acme, &c, []int{i}))
	}
	c, err := w.desk.Claim(t.Context(), w.acme, j.Take)
	require.NoError(t, err)
	require.Empty(t, c.Missing())
	require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, &c))
	j = w.job(w.acme, j.ID)
	assert.Equal(t, w.file(w.globex, w.job(w.globex, straight.ID)), w.file(w.acme, j))
	w.once(w.acme, j)
}

var errKilled = fault.New(fault.Unavailable, "killed", "", errors.New("killed"))

// Whoever makes a take is killed at each call of a port in turn, before it has its effect and after it; whoever comes next ends it. The sound is the same
// each time, and nothing is paid twice.
func TestKilled(t *testing.T) {
	want := func() []byte {
		w := start(t)
		j := w.open(w.acme, order(audio.WAV, 100))
		require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
		return w.file(w.acme, w.job(w.acme, j.ID))
	}()
	for _, after := range []bool{false, true} {
		for at := 1; ; at++ {
			w := start(t)
			j := w.open(w.acme, order(audio.WAV, 100))
			var n atomic.Int32
			count := func() error {
				if int(n.Add(1)) >= at { // and nothing comes after it
					return errKilled
				}
				return nil
			}
			kill := func(on bool) {
				op, call := func(string) error { return count() }, func(llm.Call, speech.Line) error { return count() }
				if !on {
					op, call = nil, nil
				}
				if after {
					w.desk.After, w.sounds.After, w.voice.After = op, op, call
				} else {
					w.desk.Before, w.sounds.Before, w.voice.Before = op, op, call
				}
			}
			w.directory.speech.Fallback = ""
			kill(true)
			err := w.recorder.Record(t.Context(), w.acme, j.Take, nil)
			kill(false)
			if err == nil {
				require.Greater(t, at, 10, "claim, three parts of three calls each, end")
				break
			}
			require.Equal(t, "killed", fault.As(err).Code)
			require.NoError(t, w.recorder.Record(t.Context(), w.acme, j.Take, nil))
			got := w.job(w.acme, j.ID)
			assert.True(t, bytes.Equal(want, w.file(w.acme, got)), "killed at call %d, after it: %t", at, after)
			assert.Equal(t, got.Tape.Cuts, paid(w.voice.Calls()), "killed at call %d, after it: %t", at, after)
			assert.Equal(t, got.Tape.Cuts, w.sounds.Len(w.acme), "a part that is kept twice is one")
		}
	}
}

// paid is how many calls the provider was asked.
func paid(calls []memory.SpeechCall) (n int) {
	for _, c := range calls {
		if !c.Cached {
			n++
		}
	}
	return n
}
