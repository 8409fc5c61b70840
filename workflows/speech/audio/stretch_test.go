package audio_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech/audio"
)

var speeds = []float64{0.25, 0.5, 0.75, 0.9, 0.99, 1.01, 1.1, 1.25, 1.5, 2, 3, 4}

func stretched(t testing.TB, p audio.PCM, speed float64) audio.PCM {
	t.Helper()
	got, err := audio.Stretch(p, speed)
	require.NoError(t, err)
	require.Equal(t, p.Rate, got.Rate)
	require.Equal(t, 1, got.Channels)
	require.Equal(t, int(math.Round(float64(p.Frames())/speed)), got.Frames())
	return got
}

// crossings is how often a second the sound goes up through zero, from the first time to the last.
func crossings(p audio.PCM) float64 {
	s, n, first, last := samples(p), -1, 0, 0
	for i := 1; i < len(s); i++ {
		if s[i-1] < 0 && s[i] >= 0 {
			if n++; n == 0 {
				first = i
			}
			last = i
		}
	}
	return float64(n*p.Rate) / float64(last-first)
}

// A tone stays the tone that it was, as loud everywhere, and without a step that was not in it.
func TestStretchKeepsTones(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000, 48000} {
		for _, hertz := range []float64{90, 220, 1000} {
			in := sine(rate, rate, hertz)
			for _, speed := range speeds {
				t.Run(fmt.Sprintf("%d/%v/%v", rate, hertz, speed), func(t *testing.T) {
					out := stretched(t, in, speed)
					assert.InEpsilon(t, crossings(in), crossings(out), 0.02)
					assert.LessOrEqual(t, steepest(samples(out), 0, out.Frames()), steepest(samples(in), 0, in.Frames())*101/100+1)
					assert.InEpsilon(t, audio.RMS(in), audio.RMS(out), 0.02)
					for at := 0; at+rate/10 <= out.Frames(); at += rate / 20 {
						part := out
						part.Data = out.Data[2*at : 2*(at+rate/10)]
						assert.InEpsilon(t, audio.RMS(in), audio.RMS(part), 0.1, "at %d", at)
					}
				})
			}
		}
	}
}

// chirps is like speech: a voice that glides, with overtones, in syllables.
func chirps(rate int, seconds float64) audio.PCM {
	return made(rate, int(seconds*float64(rate)), func(t float64) float64 {
		pitch := 2 * math.Pi * (140*t - 8*math.Cos(2*math.Pi*0.7*t)) // 105 to 175 Hz
		voice := 0.0
		for k := 1.0; k <= 12; k++ {
			voice += math.Sin(k*pitch+k*k) / k
		}
		return 0.3 * voice * (0.55 - 0.45*math.Cos(2*math.Pi*4*t))
	})
}

func TestStretchKeepsSpeech(t *testing.T) {
	for _, rate := range []int{8000, 16000, 24000} {
		in := chirps(rate, 2)
		for _, speed := range speeds {
			out := stretched(t, in, speed)
			assert.InEpsilon(t, audio.RMS(in), audio.RMS(out), 0.1, "%v", speed)
			assert.LessOrEqual(t, audio.Peak(out), audio.Peak(in)+1e-4)
			assert.LessOrEqual(t, steepest(samples(out), 0, out.Frames()), steepest(samples(in), 0, in.Frames())+2, "%d, %v", rate, speed)
		}
	}
}

// What is in the middle of a sound comes when its time has come, and what is silence stays silence.
func TestStretchKeepsTime(t *testing.T) {
	const rate = 16000
	in := made(rate, 4*rate, func(t float64) float64 {
		if t < 1 || t >= 1.5 && t < 3 || t >= 3.5 {
			return 0
		}
		return math.Sin(2*math.Pi*200*t) / 2
	})
	for _, speed := range speeds {
		out := samples(stretched(t, in, speed))
		first, last := -1, 0
		for i, s := range out {
			if s != 0 && first < 0 {
				first = i
			}
			if s != 0 {
				last = i
			}
		}
		assert.InDelta(t, 1/speed, float64(first)/rate, max(0.025, 0.025/speed), "%v: a block, and as far as is searched", speed)
		assert.InDelta(t, 3.5/speed, float64(last)/rate, max(0.025, 0.025/speed), "%v", speed)
		middle := int(2.25 / speed * rate)
		assert.Equal(t, make([]int16, 100), out[middle-50:middle+50], "%v", speed)
	}
}

func TestStretchOfLittle(t *testing.T) {
	for _, rate := range []int{1, 60, 100, 8000, 384000} {
		for _, n := range []int{0, 1, 2, 3, 5, 31, 59, 60, 61, 119, 120, 121, 241, 479, 480, 481, 1000, 1921} {
			in := sine(rate, n, 220)
			before := append([]byte{}, in.Data...)
			for _, speed := range append(speeds, 1) {
				out := stretched(t, in, speed)
				assert.LessOrEqual(t, audio.Peak(out), audio.Peak(in))
				assert.LessOrEqual(t, audio.RMS(out), audio.Peak(in)+1e-9)
			}
			assert.Equal(t, before, append([]byte{}, in.Data...), "it stays as it was")
		}
	}
	in := sine(8000, 8000, 220)
	assert.Equal(t, in, stretched(t, in, 1))
	assert.Equal(t, stretched(t, in, 1.3), stretched(t, in, 1.3), "the same each time")
	loud := made(8000, 8000, func(t float64) float64 { return math.Copysign(1, math.Sin(2*math.Pi*220*t)) })
	assert.LessOrEqual(t, audio.Peak(stretched(t, loud, 0.7)), 1.0, "the loudest there is does not turn over")
}

func TestStretchRefuses(t *testing.T) {
	p := sine(8000, 800, 220)
	for _, speed := range []float64{0, -1, 0.2499, 4.0001, math.NaN(), math.Inf(1), math.Inf(-1)} {
		got, err := audio.Stretch(p, speed)
		invalid(t, err, "speed_unsupported")
		assert.Zero(t, got)
	}
	stereo, still, none := p, p, p
	stereo.Channels, still.Rate, none.Channels = 2, 0, 0
	for _, other := range []audio.PCM{stereo, still, none} {
		_, err := audio.Stretch(other, 2)
		invalid(t, err, "audio_unreadable")
	}
}

func FuzzStretch(f *testing.F) {
	f.Add(uint8(2), uint16(16000), chirps(8000, 0.2).Data)
	f.Add(uint8(11), uint16(100), sine(100, 200, 20).Data)
	f.Fuzz(func(t *testing.T, speed uint8, rate uint16, data []byte) {
		in := audio.PCM{Rate: max(1, int(rate)), Channels: 1, Data: data[:len(data)&^1]}
		out := stretched(t, in, speeds[int(speed)%len(speeds)])
		require.LessOrEqual(t, audio.Peak(out), audio.Peak(in))
	})
}

func BenchmarkStretch(b *testing.B) {
	in := chirps(16000, 150) // as long as a part of a narration
	for _, speed := range []float64{0.5, 1.25, 2} {
		b.Run(fmt.Sprint(speed), func(b *testing.B) {
			b.SetBytes(int64(len(in.Data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := audio.Stretch(in, speed); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
