package audio

import (
	"bytes"
	"iter"
	"time"
)

// Frame is one frame of an MP3: its bytes, as a view of the recording's, and what its header says.
type Frame struct {
	Data     []byte
	Rate     int // samples a second
	Channels int
	Samples  int // of each channel
}

// Frames are the whole frames of sound in an MP3, in their order. Passed over are tags, the frame at the beginning that tells of the others (Xing,
// Info, VBRI) and has no sound, what is cut off at the end, and what is no frame.
func Frames(b []byte) iter.Seq[Frame] {
	return func(yield func(Frame) bool) {
		for _, f := range walk(b) {
			if !yield(f) {
				return
			}
		}
	}
}

// StripTags is the frames of sound of an MP3 and nothing else, so that what is made of many parts, one after the other, is one recording, as long as
// all of them. It is a view of the bytes where the frames follow each other, and empty when there are none.
func StripTags(b []byte) []byte {
	var out []byte
	from, end, view := 0, 0, true
	for at, f := range walk(b) {
		if out == nil {
			from, end = at, at
		}
		if view = view && at == end; view {
			end += len(f.Data)
			out = b[from:end:end]
		} else {
			out = append(out, f.Data...)
		}
	}
	return out
}

// lengthMP3 is how long all frames of an MP3 are: exact while they have one rate, as encoders make them.
func lengthMP3(b []byte) (d time.Duration) {
	samples, rate := int64(0), 0
	for f := range Frames(b) {
		if f.Rate != rate {
			d += span(samples, rate)
			samples, rate = 0, f.Rate
		}
		samples += int64(f.Samples)
	}
	return d + span(samples, rate)
}

// walk goes through the frames of sound, each with its place. Where a frame does not follow another one, it counts only if one follows it: a header
// is too few bits to be sure.
func walk(b []byte) iter.Seq2[int, Frame] {
	return func(yield func(int, Frame) bool) {
		follows, sound := false, false
		for at := 0; at < len(b); {
			if n := tagged(b[at:]); n > 0 {
				at, follows = at+n, false
				continue
			}
			h := headerMP3(b[at:])
			if h.size == 0 || h.size > len(b)-at || !follows && !goesOn(b[at+h.size:]) {
				follows = false
				next := bytes.IndexByte(b[at+1:], 0xFF)
				if next < 0 {
					return
				}
				at += 1 + next
				continue
			}
			f := Frame{Data: b[at:][:h.size:h.size], Rate: h.rate, Channels: h.channels, Samples: h.samples}
			if sound = sound || !h.tells(f.Data); sound && !yield(at, f) {
				return
			}
			at, follows = at+h.size, true
		}
	}
}

// goesOn reports whether an MP3 can go on like this after a frame, or end.
func goesOn(b []byte) bool {
	return len(b) < 4 || headerMP3(b).size > 0 || tagged(b) > 0 || bytes.HasPrefix(b, []byte("TAG")) || bytes.HasPrefix(b, []byte("APETAGEX"))
}

func startsMP3(b []byte) bool {
	h := headerMP3(b)
	return h.size > 0 && (h.size >= len(b) || goesOn(b[h.size:]))
}

// header is what the first four bytes of a frame say; its size is 0 when they are of no frame.
type header struct {
	size, rate, channels, samples int
	side                          int // bytes that say how the sound is packed, after the header
}

// What the fields of a header stand for, in MPEG 1 and in MPEG 2 and 2.5 (ISO 11172-3, 13818-3): kilobits a second of layer III, and its rates.
var (
	kilobits = [2][15]int{
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
	rates = [3]int{44100, 48000, 32000}
)

// headerMP3 reads the header of a frame of layer III. A bit rate that is left open ("free") is none: such a frame does not say how long it is.
func headerMP3(b []byte) (h header) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE6 != 0xE2 || b[3]&3 == 2 {
		return h
	}
	version, kbit, rate := b[1]>>3&3, b[2]>>4, b[2]>>2&3
	if version == 1 || kbit == 0 || kbit == 15 || rate == 3 {
		return h
	}
	table, mono := kilobits[0], b[3]>>6 == 3
	h.rate, h.samples, h.channels, h.side = rates[rate], 1152, 2, 32
	if version != 3 {
		table, h.rate, h.samples, h.side = kilobits[1], h.rate/2, 576, 17
	}
	if version == 0 {
		h.rate /= 2
	}
	if mono {
		h.channels, h.side = 1, (h.side+2)/2 // 17 for 32, 9 for 17
	}
	h.size = h.samples/8*1000*table[kbit]/h.rate + int(b[2]>>1&1)
	return h
}

// tells reports whether a frame tells of the others, for players to find their way.
func (h header) tells(frame []byte) bool {
	for _, at := range [2]int{4 + h.side, 4 + 32} {
		if len(frame) >= at+4 {
			switch string(frame[at : at+4]) {
			case "Xing", "Info", "VBRI":
				return true
			}
		}
	}
	return false
}

// tagged is the bytes of an ID3v2 tag that b begins with, 0 when it does not.
func tagged(b []byte) int {
	if len(b) < 10 || string(b[:3]) != "ID3" || (b[6]|b[7]|b[8]|b[9])&0x80 != 0 {
		return 0
	}
	n := 10 + int(b[6])<<21 + int(b[7])<<14 + int(b[8])<<7 + int(b[9])
	if b[5]&0x10 != 0 {
		n += 10 // the footer
	}
	return min(n, len(b))
}
