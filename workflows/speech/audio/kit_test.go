package audio_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/speech/audio"
)

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return b
}

// sound is samples of one channel.
func sound(rate int, samples []int16) audio.PCM {
	p := audio.PCM{Rate: rate, Channels: 1}
	for _, s := range samples {
		p.Data = binary.LittleEndian.AppendUint16(p.Data, uint16(s))
	}
	return p
}

// samples are all of a sound.
func samples(p audio.PCM) []int16 {
	s := make([]int16, len(p.Data)/2)
	for i := range s {
		s[i] = int16(binary.LittleEndian.Uint16(p.Data[2*i:]))
	}
	return s
}

// made is a sound of a function of the time in seconds, from -1 to 1.
func made(rate, n int, of func(t float64) float64) audio.PCM {
	s := make([]int16, n)
	for i := range s {
		s[i] = int16(math.Round(32767 * of(float64(i)/float64(rate))))
	}
	return sound(rate, s)
}

// sine is a tone of half of full scale.
func sine(rate, n int, hertz float64) audio.PCM {
	return made(rate, n, func(t float64) float64 { return math.Sin(2*math.Pi*hertz*t+1) / 2 })
}

// steepest is the largest step from one sample to the next, from one place to another.
func steepest(s []int16, from, to int) (most int) {
	for i := max(1, from); i < min(len(s), to); i++ {
		d := int(s[i]) - int(s[i-1])
		most = max(most, d, -d)
	}
	return most
}

// wav is a sound with its header.
func wav(t testing.TB, p audio.PCM) []byte {
	t.Helper()
	h, err := audio.Header(p.Rate, p.Channels, int64(len(p.Data)))
	require.NoError(t, err)
	return append(h, p.Data...)
}

// invalid asserts an Invalid fault of a code, with a next step.
func invalid(t testing.TB, err error, code string) {
	t.Helper()
	require.Error(t, err)
	f := fault.As(err)
	require.Equal(t, fault.Invalid, f.Kind, "%v", err)
	require.Equal(t, code, f.Code, "%v", err)
	require.NotEmpty(t, f.Message)
}

// decoded is what ffmpeg hears in a recording, as samples of 16 bits; false where there is no ffmpeg.
func decoded(t *testing.T, b []byte) ([]byte, bool) {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, false
	}
	c := exec.Command(ffmpeg, "-v", "error", "-i", "pipe:0", "-f", "s16le", "pipe:1")
	c.Stdin = bytes.NewReader(b)
	var told bytes.Buffer
	c.Stderr = &told
	out, err := c.Output()
	require.NoError(t, err, "%s", told.String())
	require.Empty(t, told.String(), "ffmpeg has nothing to complain of")
	return out, true
}
