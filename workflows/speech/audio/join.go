package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"levada.dev/events/fault"
)

// Part is a piece of a recording that is to be joined: what has to be known of it before it is there.
type Part struct {
	Bytes int64         // of its samples: len(PCM.Data)
	Gap   time.Duration // silence before it, also before the first; a whole number of samples of it
}

// Join makes one WAV of many: the header, then each part after its gap. A part begins and ends in silence, within fade, so that no cut is heard.
// Nothing but the sizes is needed to know the length of the whole and where each part begins. It has no state: parts may be written in any order,
// more than once and by different processes, and are the same bytes each time.
type Join struct {
	rate, channels int
	parts          []Part
	starts         []int64 // of each part's samples, in frames; last the end of all
}

// fade is how long a part takes to come up at its beginning and to go down at its end: too short to be heard, long enough not to click.
const fade = 5 * time.Millisecond

// NewJoin plans a recording. Parts that are not whole samples, or that are together more than a WAV can have, are an Invalid fault.
func NewJoin(rate, channels int, parts []Part) (*Join, error) {
	if err := canBe(rate, channels); err != nil {
		return nil, err
	}
	j := &Join{rate: rate, channels: channels, parts: slices.Clone(parts), starts: make([]int64, 0, len(parts)+1)}
	at, align := int64(0), int64(2*channels)
	for i, p := range parts {
		if p.Gap < 0 || p.Gap > time.Hour || p.Bytes > maxData {
			return nil, fault.Invalidf("audio", "audio_too_long", "part %d has %d bytes after %s of silence; a part has %d at most, and an hour", i, p.Bytes, p.Gap, int64(maxData))
		}
		at += j.silence(p)
		j.starts = append(j.starts, at)
		at += p.Bytes / align
		if _, err := Header(rate, channels, p.Bytes); err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		if _, err := Header(rate, channels, at*align); err != nil {
			return nil, fmt.Errorf("parts 0 to %d: %w", i, err)
		}
	}
	j.starts = append(j.starts, at)
	return j, nil
}

// silence is how many frames of it are before a part.
func (j *Join) silence(p Part) int64 { return int64(p.Gap) * int64(j.rate) / int64(time.Second) }

// Size is the bytes of the whole WAV, the header's included.
func (j *Join) Size() int64 { return HeaderSize + j.data() }

func (j *Join) data() int64 { return j.starts[len(j.parts)] * int64(2*j.channels) }

// Duration is how long the whole is.
func (j *Join) Duration() time.Duration { return j.Start(len(j.parts)) }

// Start is when the samples of a part begin, after its gap; that of the part after the last is the end of all.
func (j *Join) Start(i int) time.Duration { return span(j.starts[i], j.rate) }

// Offset is the byte of the WAV at which what WritePart writes for a part begins, its gap first; that of the part after the last is Size.
func (j *Join) Offset(i int) int64 {
	if i == len(j.parts) {
		return j.Size()
	}
	return HeaderSize + (j.starts[i]-j.silence(j.parts[i]))*int64(2*j.channels)
}

// Header is the first bytes of the WAV.
func (j *Join) Header() []byte {
	h, err := Header(j.rate, j.channels, j.data())
	if err != nil {
		panic("audio: a join that was planned has no header: " + err.Error()) // NewJoin made one
	}
	return h
}

// WritePart writes a part, its gap first. The part's own bytes stay as they are. A part that is not as it was planned is an Invalid fault, and
// nothing is written; when the writer fails, some of it may be.
func (j *Join) WritePart(w io.Writer, i int, p PCM) error {
	if p.Rate != j.rate || p.Channels != j.channels || int64(len(p.Data)) != j.parts[i].Bytes {
		return fault.Invalidf("audio", "audio_mixed", "part %d has %d bytes, %d channels of %d samples a second; planned were %d, %d and %d; speak it again with the same model",
			i, len(p.Data), p.Channels, p.Rate, j.parts[i].Bytes, j.channels, j.rate)
	}
	align := 2 * j.channels
	n := min(int(int64(fade)*int64(j.rate)/int64(time.Second)), p.Frames()/2) * align
	in, out := slices.Clone(p.Data[:n]), slices.Clone(p.Data[len(p.Data)-n:])
	for k := range n / align {
		g := (1 - math.Cos(math.Pi*float64(k)/float64(n/align))) / 2
		scale(in[k*align:][:align], g)
		scale(out[n-(k+1)*align:][:align], g)
	}
	err := writeSilence(w, j.silence(j.parts[i])*int64(align))
	for _, b := range [][]byte{in, p.Data[n : len(p.Data)-n], out} {
		if err == nil && len(b) > 0 {
			_, err = w.Write(b)
		}
	}
	if err != nil {
		return fmt.Errorf("join part %d: %w", i, err)
	}
	return nil
}

// scale makes samples less loud.
func scale(b []byte, by float64) {
	for i := 0; i < len(b); i += 2 {
		s := math.Round(by * float64(int16(binary.LittleEndian.Uint16(b[i:]))))
		binary.LittleEndian.PutUint16(b[i:], uint16(int16(s)))
	}
}

// writeSilence writes zeros, not many at once.
func writeSilence(w io.Writer, n int64) error {
	zeros := make([]byte, min(n, 8<<10))
	for ; n > 0; n -= int64(len(zeros)) {
		zeros = zeros[:min(n, int64(len(zeros)))]
		if _, err := w.Write(zeros); err != nil {
			return err
		}
	}
	return nil
}
