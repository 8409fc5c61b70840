package audio_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech/audio"
)

// silent is a frame of silence with a header, of so many bytes.
func silent(h string, size int) []byte { return append([]byte(h), make([]byte, size-len(h))...) }

// Headers of one frame each.
const (
	mpeg1  = "\xff\xfb\x90\x04" // 128 kbit/s, 44.1 kHz, stereo: 417 bytes
	mpeg2  = "\xff\xf3\x44\xc4" // 32 kbit/s, 24 kHz, mono: 96 bytes
	mpeg25 = "\xff\xe3\x18\xc4" // 8 kbit/s, 8 kHz, mono: 72 bytes
)

// info is a frame that tells of the others.
func info(h string, size, at int, name string) []byte {
	b := silent(h, size)
	copy(b[at:], name)
	return b
}

// described is what each frame of an MP3 says.
func described(b []byte) (all []string) {
	for f := range audio.Frames(b) {
		all = append(all, fmt.Sprintf("%d of %d at %d in %d", f.Samples, f.Channels, f.Rate, len(f.Data)))
	}
	return all
}

func TestFrames(t *testing.T) {
	one, two, slow := silent(mpeg1, 417), silent(mpeg2, 96), silent(mpeg25, 72)
	const is1, is2, is25 = "1152 of 2 at 44100 in 417", "576 of 1 at 24000 in 96", "576 of 1 at 8000 in 72"
	old := append([]byte("TAG"), make([]byte, 125)...)
	noise := append([]byte{0}, bytes.Repeat([]byte{0xFF, 0xFB, 0x90}, 5)...) // headers, and no frame after any
	for _, c := range []struct {
		name  string
		parts [][]byte
		want  []string
	}{
		{"MPEG 1", [][]byte{one, one}, []string{is1, is1}},
		{"MPEG 2", [][]byte{two, two, two}, []string{is2, is2, is2}},
		{"MPEG 2.5", [][]byte{slow}, []string{is25}},
		{"a padded frame", [][]byte{silent("\xff\xfb\x92\x04", 418), one}, []string{"1152 of 2 at 44100 in 418", is1}},
		{"with a checksum", [][]byte{silent("\xff\xfa\x90\x04", 417), one}, []string{is1, is1}},
		{"320 kbit/s", [][]byte{silent("\xff\xfb\xe4\x04", 960)}, []string{"1152 of 2 at 48000 in 960"}},
		{"160 kbit/s of MPEG 2", [][]byte{silent("\xff\xf3\xe8\x04", 720)}, []string{"576 of 2 at 16000 in 720"}},
		{"tags around", [][]byte{id3(200, false), id3(3, true), two, two, old}, []string{is2, is2}},
		{"a tag of APE", [][]byte{two, []byte("APETAGEX and more")}, []string{is2}},
		{"Xing", [][]byte{info(mpeg1, 417, 36, "Xing"), one}, []string{is1}},
		{"Info of mono", [][]byte{id3(9, false), info(mpeg2, 96, 13, "Info"), two}, []string{is2}},
		{"Info of MPEG 1 mono", [][]byte{info("\xff\xfb\x90\xc4", 417, 21, "Info"), one}, []string{is1}},
		{"Info of MPEG 2 stereo", [][]byte{info("\xff\xf3\x44\x04", 96, 21, "Info"), two}, []string{is2}},
		{"VBRI", [][]byte{info(mpeg2, 96, 36, "VBRI"), two}, []string{is2}},
		{"Info in the middle is sound", [][]byte{two, info(mpeg2, 96, 13, "Info")}, []string{is2, is2}},
		{"parts with all their tags", [][]byte{id3(9, false), two, old, id3(9, false), two, two}, []string{is2, is2, is2}},
		{"cut off", [][]byte{two, two[:95]}, []string{is2}},
		{"cut off in a header", [][]byte{two, two[:3]}, []string{is2}},
		{"noise before", [][]byte{noise, two, two}, []string{is2, is2}},
		{"noise between", [][]byte{two, two, noise, one, one}, []string{is2, is2, is1, is1}},
		{"a frame alone in noise is noise", [][]byte{two, two, noise, one, noise}, []string{is2, is2}},
		{"noise alone", [][]byte{noise}, nil},
		{"nothing", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := bytes.Join(c.parts, nil)
			assert.Equal(t, c.want, described(b))
			assert.Equal(t, c.want, described(audio.StripTags(b)), "the same sound")
			assert.Equal(t, audio.StripTags(b), audio.StripTags(audio.StripTags(b)))
		})
	}
	for f := range audio.Frames(append(one, one...)) {
		assert.Len(t, f.Data, 417)
		break // whoever has enough may leave
	}
}

// Each bit rate and each rate, of both tables, by the length that the standard's formula gives.
func TestFrameSizes(t *testing.T) {
	for _, c := range []struct {
		version     byte
		rates       [3]int
		kilobits    [14]int
		bits, count int
	}{
		{3, [3]int{44100, 48000, 32000}, [14]int{32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, 144, 1152},
		{2, [3]int{22050, 24000, 16000}, [14]int{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}, 72, 576},
		{0, [3]int{11025, 12000, 8000}, [14]int{8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}, 72, 576},
	} {
		for r, rate := range c.rates {
			for k, kbit := range c.kilobits {
				b := make([]byte, 2000)
				copy(b, []byte{0xFF, 0xE3 | c.version<<3, byte(k+1)<<4 | byte(r)<<2, 0x04})
				size := c.bits * kbit * 1000 / rate
				assert.Equal(t, []string{fmt.Sprintf("%d of 2 at %d in %d", c.count, rate, size)}, described(b[:size]), "%d kbit/s", kbit)
			}
		}
	}
	for _, h := range []string{"\xff\xeb\x90\x04", "\xff\xfd\x90\x04", "\xff\xff\x90\x04", "\xff\xf9\x90\x04", "\xff\xfb\x00\x04", "\xff\xfb\xf0\x04", "\xff\xfb\x9c\x04", "\xff\xfb\x90\x06", "\xff\x1b\x90\x04"} {
		assert.Empty(t, described(silent(h, 417)), "%x is reserved, or of another layer, or says no length", h)
	}
}

// What is made of stripped parts is as long as all of them, is one stream to a decoder, and no byte of it is a tag.
func TestStripTags(t *testing.T) {
	tone := file(t, "tone.mp3")
	part := audio.StripTags(tone)
	require.Len(t, part, 11*96)
	at := bytes.Index(tone, part)
	assert.Same(t, &tone[at], &part[0], "a view")
	assert.Equal(t, len(part), cap(part), "what is appended does not go into the recording")

	whole := bytes.Join([][]byte{part, part, part}, nil)
	d, _, err := audio.Duration(whole)
	require.NoError(t, err)
	assert.Equal(t, 3*264*time.Millisecond, d)
	assert.NotContains(t, string(whole), "Info")
	assert.NotContains(t, string(whole), "TAG")
	if heard, there := decoded(t, whole); there {
		assert.Len(t, heard, 3*11*576*2)
	}

	two := silent(mpeg2, 96)
	between := bytes.Join([][]byte{two, two, []byte("noise"), two, two}, nil)
	before := bytes.Clone(between)
	assert.Equal(t, bytes.Repeat(two, 4), audio.StripTags(between))
	assert.Equal(t, before, between, "they stay as they were")

	mixed := append(bytes.Repeat(silent(mpeg1, 417), 2), two...)
	d, _, err = audio.Duration(mixed)
	require.NoError(t, err)
	assert.Equal(t, 2*1152*time.Second/44100+576*time.Second/24000, d)
}

func FuzzFrames(f *testing.F) {
	f.Add(file(f, "tone.mp3"))
	f.Add(file(f, "vbr.mp3"))
	f.Add(bytes.Join([][]byte{id3(5, true), info(mpeg2, 96, 13, "Info"), silent(mpeg2, 96), []byte("noise"), silent(mpeg1, 417), silent(mpeg25, 72), []byte("TAG")}, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		pure := audio.StripTags(b)
		require.Equal(t, before, b)
		require.Equal(t, described(b), described(pure), "the same sound")
		bytes := 0
		for f := range audio.Frames(b) {
			require.Positive(t, f.Rate)
			require.Positive(t, f.Samples)
			bytes += len(f.Data)
		}
		require.Len(t, pure, bytes)
		require.Equal(t, append(described(pure), described(pure)...), described(append(pure[:len(pure):len(pure)], pure...)), "twice the sound")
	})
}
