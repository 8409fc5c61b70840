package audio_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech/audio"
)

// plan is a join of sounds, with a gap before each but the first.
func plan(t testing.TB, gap time.Duration, sounds ...audio.PCM) *audio.Join {
	t.Helper()
	parts := make([]audio.Part, len(sounds))
	for i, p := range sounds {
		parts[i].Bytes = int64(len(p.Data))
		if i > 0 {
			parts[i].Gap = gap
		}
	}
	j, err := audio.NewJoin(sounds[0].Rate, sounds[0].Channels, parts)
	require.NoError(t, err)
	return j
}

// written is the whole of a join; every part has to begin where it was said to.
func written(t testing.TB, j *audio.Join, sounds ...audio.PCM) []byte {
	t.Helper()
	var b bytes.Buffer
	b.Write(j.Header())
	for i, p := range sounds {
		require.EqualValues(t, j.Offset(i), b.Len())
		before := bytes.Clone(p.Data)
		require.NoError(t, j.WritePart(&b, i, p))
		require.Equal(t, before, p.Data, "the part stays as it was")
	}
	require.EqualValues(t, j.Offset(len(sounds)), b.Len())
	require.EqualValues(t, j.Size(), b.Len())
	return b.Bytes()
}

// Wherever parts are cut, loud ones as well, no step at a join is larger than those inside, and the silence between is silence.
func TestNoClicks(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 48000} {
		for _, gap := range []time.Duration{0, time.Millisecond, 250 * time.Millisecond} {
			n := rate / 5
			loud := made(rate, n, func(t float64) float64 { return math.Cos(2 * math.Pi * 300 * t) }) // begins at full scale
			down := made(rate, n, func(t float64) float64 { return -math.Cos(2 * math.Pi * 300 * t) })
			j := plan(t, gap, loud, down, loud)
			p, err := audio.ReadWAV(written(t, j, loud, down, loud))
			require.NoError(t, err)
			got, inside, silence := samples(p), steepest(samples(loud), 0, n), int(gap.Seconds()*float64(rate))
			require.Len(t, got, 3*n+2*silence)
			for i := range 3 {
				at := i * (n + silence)
				require.Equal(t, time.Duration(at)*time.Second/time.Duration(rate), j.Start(i))
				assert.LessOrEqual(t, steepest(got, at-silence-rate/100, at+rate/100), inside)
				assert.Zero(t, got[at], "it begins in silence")
				assert.Zero(t, got[at+n-1], "and ends there")
				if i > 0 {
					assert.Equal(t, make([]int16, silence), got[at-silence:at], "the gap")
				}
				fade := rate / 200
				assert.Equal(t, samples([]audio.PCM{loud, down, loud}[i])[fade:n-fade], got[at+fade:at+n-fade], "what is inside stays as it was")
			}
			assert.Greater(t, steepest(append(samples(loud), samples(down)...), n, n+1), inside, "they would have clicked")
		}
	}
}

func TestJoin(t *testing.T) {
	p := sine(16000, 16000, 440)
	short, none := sine(16000, 7, 440), audio.PCM{Rate: 16000, Channels: 1}
	for _, c := range []struct {
		name   string
		sounds []audio.PCM
		gap    time.Duration
		want   time.Duration
	}{
		{"one", []audio.PCM{p}, time.Second, time.Second},
		{"two", []audio.PCM{p, p}, time.Second / 4, 9 * time.Second / 4},
		{"no gap", []audio.PCM{p, p, p}, 0, 3 * time.Second},
		{"parts with nothing in them", []audio.PCM{none, p, none}, time.Second, 3 * time.Second},
		{"parts shorter than their fade", []audio.PCM{short, short}, 0, 14 * time.Second / 16000},
		{"a gap of less than a sample", []audio.PCM{p, p}, time.Second/16000 - 1, 2 * time.Second},
		{"a gap of samples and a bit", []audio.PCM{p, p}, 3*time.Second/16000 + 1, 2*time.Second + 3*time.Second/16000},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := plan(t, c.gap, c.sounds...)
			assert.Equal(t, c.want, j.Duration())
			b := written(t, j, c.sounds...)
			d, f, err := audio.Duration(b)
			require.NoError(t, err)
			assert.Equal(t, audio.WAV, f)
			assert.Equal(t, c.want, d)
			if heard, there := decoded(t, b); there {
				assert.Equal(t, b[audio.HeaderSize:], heard)
			}
			assert.Equal(t, b, written(t, j, c.sounds...), "a second time")
		})
	}
	stereo := p
	stereo.Channels = 2
	j, err := audio.NewJoin(16000, 2, []audio.Part{{Bytes: int64(len(stereo.Data)), Gap: time.Second}})
	require.NoError(t, err)
	assert.Equal(t, time.Second, j.Start(0), "a gap before the first")
	got, err := audio.ReadWAV(written(t, j, stereo))
	require.NoError(t, err)
	assert.Equal(t, make([]byte, 64000+4), got.Data[:64000+4], "silence, and the first sample of both channels")
	assert.Equal(t, 1500*time.Millisecond, got.Duration())
	none2, err := audio.NewJoin(16000, 1, nil)
	require.NoError(t, err)
	assert.EqualValues(t, audio.HeaderSize, none2.Size(), "nothing is a WAV, too")
}

// Hours are planned without a byte of them.
func TestJoinOfHours(t *testing.T) {
	parts := make([]audio.Part, 100)
	for i := range parts {
		parts[i] = audio.Part{Bytes: 16000 * 2 * 150, Gap: 600 * time.Millisecond}
	}
	j, err := audio.NewJoin(16000, 1, parts)
	require.NoError(t, err)
	assert.Equal(t, 100*(150*time.Second+600*time.Millisecond), j.Duration())
	assert.EqualValues(t, 44+100*(4_800_000+19_200), j.Size())
	assert.Equal(t, 99*(150*time.Second+600*time.Millisecond)+600*time.Millisecond, j.Start(99))
	assert.EqualValues(t, 44+99*(4_800_000+19_200), j.Offset(99))
	want, err := audio.Header(16000, 1, j.Size()-44)
	require.NoError(t, err)
	assert.Equal(t, want, j.Header())
	parts[0].Bytes = 0
	assert.Equal(t, 600*time.Millisecond+150*time.Second+600*time.Millisecond, j.Start(1), "the plan is its own")
}

func TestJoinRefuses(t *testing.T) {
	const most = math.MaxUint32 - 37 // even
	for _, c := range []struct {
		name           string
		rate, channels int
		parts          []audio.Part
		code           string
	}{
		{"more than a WAV has", 16000, 1, []audio.Part{{Bytes: most}, {Bytes: 2}}, "audio_too_long"},
		{"a gap too many", 16000, 1, []audio.Part{{Bytes: most}, {Gap: time.Second}}, "audio_too_long"},
		{"sizes that would run over", 16000, 1, []audio.Part{{Bytes: math.MaxInt64 - 1}, {Bytes: math.MaxInt64 - 1}}, "audio_too_long"},
		{"gaps that would run over", 16000, 1, []audio.Part{{Gap: math.MaxInt64}}, "audio_too_long"},
		{"a gap below nothing", 16000, 1, []audio.Part{{Gap: -1}}, "audio_too_long"},
		{"half a sample", 16000, 1, []audio.Part{{Bytes: 2}, {Bytes: 3}}, "audio_unreadable"},
		{"less than nothing", 16000, 1, []audio.Part{{Bytes: 8}, {Bytes: -4}}, "audio_unreadable"},
		{"no rate", 0, 1, nil, "audio_unreadable"},
		{"no channel", 16000, 0, []audio.Part{{Bytes: 2}}, "audio_unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j, err := audio.NewJoin(c.rate, c.channels, c.parts)
			invalid(t, err, c.code)
			assert.Nil(t, j)
		})
	}
	j, err := audio.NewJoin(16000, 1, []audio.Part{{Bytes: most}})
	require.NoError(t, err, "as much as there can be")
	assert.Equal(t, "\xfe\xff\xff\xff", string(j.Header()[4:8]))

	p := sine(16000, 100, 440)
	j = plan(t, time.Second, p, p)
	longer, faster, stereo := sine(16000, 101, 440), p, p
	faster.Rate, stereo.Channels = 24000, 2
	for _, other := range []audio.PCM{longer, faster, stereo, {}} {
		var b bytes.Buffer
		invalid(t, j.WritePart(&b, 1, other), "audio_mixed")
		assert.Zero(t, b.Len(), "and nothing is written")
	}
}

// full is a writer that has room for so many bytes.
type full struct {
	bytes.Buffer
	room int
}

var errFull = errors.New("full")

func (w *full) Write(b []byte) (int, error) {
	n, _ := w.Buffer.Write(b[:min(len(b), w.room-w.Len())])
	if n < len(b) {
		return n, errFull
	}
	return n, nil
}

// Whichever byte a writer fails at, the failure is told, what it has is the beginning, and writing again gives the whole.
func TestWriterThatFails(t *testing.T) {
	p := sine(16000, 400, 440)
	j := plan(t, 600*time.Millisecond, p, p)
	var whole bytes.Buffer
	require.NoError(t, j.WritePart(&whole, 1, p))
	require.Equal(t, 2*(9600+400), whole.Len())
	for _, room := range []int{0, 1, 8 << 10, 19199, 19200, 19201, 19360, 19361, 19839, 19840, 19999} {
		w := &full{room: room}
		require.ErrorIs(t, j.WritePart(w, 1, p), errFull, "%d", room)
		require.Equal(t, whole.Bytes()[:room], append([]byte{}, w.Bytes()...))
		var again bytes.Buffer
		require.NoError(t, j.WritePart(&again, 1, p))
		require.Equal(t, whole.Bytes(), again.Bytes())
	}
}

func BenchmarkJoin(b *testing.B) {
	p := sine(16000, 16000*150, 220)
	j := plan(b, 600*time.Millisecond, p, p)
	b.SetBytes(int64(len(p.Data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := j.WritePart(discard{}, 1, p); err != nil {
			b.Fatal(err)
		}
	}
}

// discard is a writer that is not one of io's, which might know a faster way.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
