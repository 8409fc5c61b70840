package audio_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech/audio"
)

// flac is the beginning of a recording of 4,800 samples at 24 kHz.
func flac(t testing.TB) []byte {
	b, err := hex.DecodeString("664c61430000002209000900000083" + "0002e505dc00f0000012c0ba58e032fe518204" + "4a0dc7d446d7e160")
	require.NoError(t, err)
	return b
}

// id3 is a tag of so many bytes after its head.
func id3(n int, footer bool) []byte {
	b := []byte{'I', 'D', '3', 4, 0, 0, 0, 0, byte(n >> 7), byte(n & 127)}
	if footer {
		b[5] = 0x10
		n += 10
	}
	return append(b, bytes.Repeat([]byte{0xFF}, n)...)
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []byte
		want audio.Format
		long time.Duration
	}{
		{"WAV", wav(t, sine(8000, 4000, 440)), audio.WAV, 500 * time.Millisecond},
		{"WAV, streamed", file(t, "streamed.wav"), audio.WAV, 50 * time.Millisecond},
		{"MP3 with tags and an Info frame", file(t, "tone.mp3"), audio.MP3, 264 * time.Millisecond},      // 11 frames of 576 at 24 kHz
		{"MP3 of more than one bit rate", file(t, "vbr.mp3"), audio.MP3, 9 * 1152 * time.Second / 44100}, // 9 frames
		{"Opus", file(t, "tone.opus"), audio.Opus, 200 * time.Millisecond},
		{"Opus, two streams", append(file(t, "tone.opus"), file(t, "tone.opus")...), audio.Opus, 400 * time.Millisecond},
		{"FLAC", flac(t), audio.FLAC, 200 * time.Millisecond},
		{"FLAC after a tag", append(id3(300, false), flac(t)...), audio.FLAC, 200 * time.Millisecond},
		{"AAC", file(t, "tone.aac"), audio.AAC, 6 * 1024 * time.Second / 24000},
		{"AAC after a tag", append(id3(5, true), file(t, "tone.aac")...), audio.AAC, 6 * 1024 * time.Second / 24000},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, audio.Sniff(c.b))
			assert.Equal(t, c.want, audio.Sniff(c.b[:min(len(c.b), 512)]), "the beginning is enough")
			d, f, err := audio.Duration(c.b)
			require.NoError(t, err)
			assert.Equal(t, c.want, f)
			assert.Equal(t, c.long, d)
		})
	}
}

func TestNames(t *testing.T) {
	for f, want := range map[audio.Format][2]string{
		audio.WAV: {"audio/wav", ".wav"}, audio.MP3: {"audio/mpeg", ".mp3"}, audio.Opus: {"audio/ogg", ".opus"},
		audio.FLAC: {"audio/flac", ".flac"}, audio.AAC: {"audio/aac", ".aac"}, audio.Unknown: {"application/octet-stream", ".bin"},
	} {
		assert.Equal(t, want, [2]string{f.ContentType(), f.Ext()})
	}
}

// What is no recording, or looks like one and has nothing in it.
func TestNoRecording(t *testing.T) {
	vorbis := bytes.Replace(file(t, "tone.opus"), []byte("OpusHead"), []byte("\x01vorbis\x00"), 1)
	silent := flac(t)
	clear(silent[21:26])
	odd := flac(t)
	copy(odd[18:], "\x00\x00\x1F\xFF\xFF\xFF\xFF\xFF") // 2^36 samples, one a second
	forever := file(t, "tone.opus")
	binary.LittleEndian.PutUint64(forever[bytes.LastIndex(forever, []byte("OggS"))+6:], 1<<62)
	for _, c := range []struct {
		name, code string
		b          []byte
		want       audio.Format
	}{
		{"nothing", "audio_unknown", nil, audio.Unknown},
		{"text", "audio_unknown", []byte("The sea is deep. The sea is deep."), audio.Unknown},
		{"JSON", "audio_unknown", []byte(`{"audio":"UklGRg=="}`), audio.Unknown},
		{"text in UTF-16", "audio_unknown", []byte("\xff\xfeT\x00h\x00e\x00"), audio.Unknown},
		{"JPEG", "audio_unknown", []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"), audio.Unknown},
		{"layer II", "audio_unknown", []byte{0xFF, 0xFD, 0x84, 0x04}, audio.Unknown},
		{"MP3 of an open bit rate", "audio_unknown", []byte{0xFF, 0xFB, 0x04, 0x04}, audio.Unknown},
		{"samples alone", "audio_unknown", sine(8000, 4000, 440).Data, audio.Unknown},
		{"Vorbis", "audio_unknown", vorbis, audio.Unknown},
		{"RIFF of pictures", "audio_unknown", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), audio.Unknown},
		{"WAV that ends with its name", "audio_unreadable", []byte("RIFF\x00\x00\x00\x00WAVE"), audio.WAV},
		{"WAV without samples", "audio_empty", wav(t, audio.PCM{Rate: 8000, Channels: 1}), audio.WAV},
		{"MP3 of a tag alone", "audio_unreadable", id3(40, false), audio.MP3},
		{"MP3 of half a frame", "audio_unreadable", []byte{0xFF, 0xFB, 0x90, 0x44, 0, 0}, audio.MP3},
		{"Opus without sound", "audio_unreadable", file(t, "tone.opus")[:60], audio.Opus},
		{"Opus longer than time", "audio_unreadable", forever, audio.Opus},
		{"FLAC that does not say it", "audio_unreadable", silent, audio.FLAC},
		{"FLAC longer than time", "audio_unreadable", odd, audio.FLAC},
		{"FLAC that is cut off", "audio_unreadable", flac(t)[:20], audio.FLAC},
		{"AAC of half a frame", "audio_unreadable", file(t, "tone.aac")[:20], audio.AAC},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, f, err := audio.Duration(c.b)
			invalid(t, err, c.code)
			assert.Zero(t, d)
			assert.Equal(t, c.want, f)
			assert.Equal(t, c.want, audio.Sniff(c.b))
		})
	}
}

// A page of a stream that is not whole is not heard, whatever it says; rubbish between pages is passed over, and pages of other streams.
func TestOpusThatIsDamaged(t *testing.T) {
	whole := file(t, "tone.opus")
	last := bytes.LastIndex(whole, []byte("OggS"))
	_, _, err := audio.Duration(whole[:len(whole)-1])
	invalid(t, err, "audio_unreadable")

	other := bytes.Clone(whole[last:])
	other[14]++
	binary.LittleEndian.PutUint64(other[6:], 48000*60)
	d, _, err := audio.Duration(bytes.Join([][]byte{whole[:last], []byte("rubbish OggS"), whole[last:], other}, nil))
	require.NoError(t, err)
	assert.Equal(t, 200*time.Millisecond, d)
}

func FuzzSniff(f *testing.F) {
	for _, name := range []string{"tone.mp3", "vbr.mp3", "tone.opus", "tone.aac", "streamed.wav"} {
		f.Add(file(f, name))
	}
	f.Add(flac(f))
	f.Add(append(id3(3, true), flac(f)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		d, format, err := audio.Duration(b)
		require.Equal(t, audio.Sniff(b), format)
		require.Equal(t, before, b)
		if err != nil {
			require.Zero(t, d)
			invalid(t, err, map[bool]string{true: "audio_unknown", false: "audio_unreadable"}[format == audio.Unknown])
			return
		}
		require.Positive(t, d)
		require.NotEqual(t, audio.Unknown, format)
	})
}
