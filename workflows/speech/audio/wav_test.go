package audio_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech/audio"
)

func TestHeader(t *testing.T) {
	h, err := audio.Header(16000, 1, 0x01020304)
	require.NoError(t, err)
	assert.Equal(t, "RIFF\x28\x03\x02\x01WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x04\x03\x02\x01", string(h))
	h, err = audio.Header(44100, 2, math.MaxUint32-39)
	require.NoError(t, err)
	assert.Equal(t, "RIFF\xfc\xff\xff\xffWAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00\x44\xac\x00\x00\x10\xb1\x02\x00\x04\x00\x10\x00data\xd8\xff\xff\xff", string(h))
	assert.Len(t, h, audio.HeaderSize)

	for _, c := range []struct {
		name           string
		rate, channels int
		bytes          int64
		code           string
	}{
		{"too long", 16000, 1, math.MaxUint32 - 35, "audio_too_long"},
		{"much too long", 16000, 1, math.MaxInt64 - 1, "audio_too_long"},
		{"half a sample", 16000, 1, 3, "audio_unreadable"},
		{"a sample of one channel", 16000, 2, 6, "audio_unreadable"},
		{"less than none", 16000, 1, -2, "audio_unreadable"},
		{"no rate", 0, 1, 2, "audio_unreadable"},
		{"a rate of nothing", 400_000, 1, 2, "audio_unreadable"},
		{"no channel", 16000, 0, 2, "audio_unreadable"},
		{"a choir", 16000, 9, 18, "audio_unreadable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := audio.Header(c.rate, c.channels, c.bytes)
			invalid(t, err, c.code)
			assert.Nil(t, h)
		})
	}
}

// chunk is one of a WAV, said to be of so many bytes.
func chunk(name string, size uint32, body string) string {
	return name + string(binary.LittleEndian.AppendUint32(nil, size)) + body
}

// riff is a WAV of chunks that says its own size.
func riff(chunks string) []byte { return []byte(chunk("RIFF", uint32(4+len(chunks)), "WAVE"+chunks)) }

const (
	plain = "\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00"                                                                                                 // 8 kHz, mono
	wide  = "\xfe\xff\x02\x00\x80\xbb\x00\x00\x00\xee\x02\x00\x04\x00\x10\x00\x16\x00\x10\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71" // 48 kHz, stereo
)

func TestReadWAV(t *testing.T) {
	form := chunk("fmt ", 16, plain)
	for _, c := range []struct {
		name           string
		b              []byte
		rate, channels int
		want           string
	}{
		{"plain", riff(form + chunk("data", 4, "abcd")), 8000, 1, "abcd"},
		{"chunks of others, an odd one among them", riff(chunk("LIST", 3, "xyz\x00") + form + chunk("fact", 4, "wxyz") + chunk("data", 4, "abcd") + chunk("id3 ", 2, "no")), 8000, 1, "abcd"},
		{"extensible", riff(chunk("fmt ", 40, wide) + chunk("data", 8, "abcdefgh")), 48000, 2, "abcdefgh"},
		{"a longer form of the plain one", riff(chunk("fmt ", 18, plain+"\x00\x00") + chunk("data", 2, "ab")), 8000, 1, "ab"},
		{"streamed, all bits set", []byte(chunk("RIFF", math.MaxUint32, "WAVE"+form+chunk("data", math.MaxUint32, "abcd"))), 8000, 1, "abcd"},
		{"streamed, zero", []byte(chunk("RIFF", 0, "WAVE"+form+chunk("data", 0, "abcd"))), 8000, 1, "abcd"},
		{"streamed, as if it were empty", []byte(chunk("RIFF", 36, "WAVE"+form+chunk("data", 0, "abcd"))), 8000, 1, "abcd"},
		{"empty indeed", riff(form + chunk("data", 0, "") + chunk("LIST", 2, "no")), 8000, 1, ""},
		{"cut off", riff(form + chunk("data", 400, "abcd")), 8000, 1, "abcd"},
		{"half a sample at the end", riff(form + chunk("data", 5, "abcde\x00")), 8000, 1, "abcd"},
		{"one channel's sample at the end", riff(chunk("fmt ", 40, wide) + chunk("data", 6, "abcdef")), 48000, 2, "abcd"},
		{"a second time", riff(form + chunk("fmt ", 40, wide) + chunk("data", 2, "ab") + chunk("data", 2, "no")), 8000, 1, "ab"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := audio.ReadWAV(c.b)
			require.NoError(t, err)
			assert.Equal(t, audio.PCM{Rate: c.rate, Channels: c.channels, Data: []byte(c.want)}, p)
			assert.Equal(t, len(c.want)/2/c.channels, p.Frames())
			if len(p.Data) > 0 {
				at := bytes.Index(c.b, p.Data)
				assert.Same(t, &c.b[at], &p.Data[0], "a view")
			}
		})
	}
}

func TestReadWAVThatIsNone(t *testing.T) {
	form, data := chunk("fmt ", 16, plain), chunk("data", 2, "ab")
	with := func(at int, b string) string { return chunk("fmt ", 16, plain[:at]+b+plain[at+len(b):]) }
	for name, b := range map[string][]byte{
		"nothing":                 nil,
		"something else":          []byte("RIFX\x00\x00\x00\x00WAVE"),
		"no chunk":                riff(""),
		"no samples":              riff(form),
		"half a chunk's head":     riff(form + "dat"),
		"samples first":           riff(data + form),
		"a format that is cut":    riff(chunk("fmt ", 4, plain[:4]) + data),
		"floats":                  riff(with(0, "\x03") + data),
		"mu-law":                  riff(with(0, "\x07") + data),
		"8 bits":                  riff(with(14, "\x08") + data),
		"24 bits":                 riff(with(14, "\x18") + data),
		"no channel":              riff(with(2, "\x00") + data),
		"65,535 channels":         riff(with(2, "\xff\xff") + data),
		"no rate":                 riff(with(4, "\x00\x00") + data),
		"a rate above any":        riff(with(4, "\xff\xff\xff\xff") + data),
		"extensible floats":       riff(chunk("fmt ", 40, wide[:24]+"\x03"+wide[25:]) + data),
		"extensible, cut off":     riff(chunk("fmt ", 24, wide[:24]) + data),
		"extensible of a company": riff(chunk("fmt ", 40, wide[:39]+"!") + data),
	} {
		t.Run(name, func(t *testing.T) {
			p, err := audio.ReadWAV(b)
			invalid(t, err, "audio_unreadable")
			assert.Zero(t, p)
		})
	}
}

func TestWAVRoundTrip(t *testing.T) {
	for _, channels := range []int{1, 2, 8} {
		p := sine(22050, 800, 440)
		p.Channels = channels
		got, err := audio.ReadWAV(wav(t, p))
		require.NoError(t, err)
		assert.Equal(t, p, got)
	}
	heard, there := decoded(t, wav(t, sine(22050, 800, 440)))
	if there {
		assert.Equal(t, sine(22050, 800, 440).Data, heard)
	}
}

func TestLoudness(t *testing.T) {
	for _, c := range []struct {
		name      string
		p         audio.PCM
		rms, peak float64
	}{
		{"nothing", audio.PCM{Rate: 8000, Channels: 1}, 0, 0},
		{"silence", sound(8000, make([]int16, 100)), 0, 0},
		{"a square wave", sound(8000, []int16{-32768, -32768, 16384, -16384}), math.Sqrt(0.625), 1},
		{"up", sound(8000, []int16{16384, 8192}), math.Sqrt((0.25 + 0.0625) / 2), 0.5},
		{"a sine", sine(8000, 8000, 100), 0.5 / math.Sqrt2, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.InDelta(t, c.rms, audio.RMS(c.p), 2e-4)
			assert.InDelta(t, c.peak, audio.Peak(c.p), 2e-4)
		})
	}
	assert.Zero(t, audio.PCM{Data: make([]byte, 8)}.Frames(), "of no channel")
	assert.Zero(t, audio.PCM{Data: make([]byte, 8)}.Duration())
	assert.Equal(t, 500*time.Millisecond, audio.PCM{Rate: 2, Channels: 2, Data: make([]byte, 4)}.Duration())
}

func FuzzReadWAV(f *testing.F) {
	f.Add(file(f, "streamed.wav"))
	f.Add(riff(chunk("LIST", 3, "xyz\x00") + chunk("fmt ", 40, wide) + chunk("data", 8, "abcdefgh")))
	f.Add([]byte(chunk("RIFF", 0, "WAVE"+chunk("fmt ", 16, plain)+chunk("data", 0, "abcd"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := audio.ReadWAV(b)
		if err != nil {
			invalid(t, err, "audio_unreadable")
			return
		}
		require.Zero(t, len(p.Data)%(2*p.Channels))
		require.LessOrEqual(t, len(p.Data), len(b)-audio.HeaderSize)
		again, err := audio.ReadWAV(wav(t, p))
		require.NoError(t, err)
		require.True(t, again.Rate == p.Rate && again.Channels == p.Channels && bytes.Equal(again.Data, p.Data))
		require.LessOrEqual(t, audio.RMS(p), audio.Peak(p)+1e-9)
	})
}
