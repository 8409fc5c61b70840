package audio

import (
	"bytes"
	"math"
	"time"

	"levada.dev/events/fault"
)

// Format is what a recording is, by the name that callers ask for it.
type Format string

// The formats. Unknown is everything else, samples without a header as well.
const (
	Unknown Format = ""
	WAV     Format = "wav"
	MP3     Format = "mp3"
	Opus    Format = "opus" // in Ogg
	FLAC    Format = "flac"
	AAC     Format = "aac" // in ADTS
)

// ContentType is the media type of recordings in this format.
func (f Format) ContentType() string {
	switch f {
	case WAV, FLAC, AAC:
		return "audio/" + string(f)
	case MP3:
		return "audio/mpeg"
	case Opus:
		return "audio/ogg"
	}
	return "application/octet-stream"
}

// Ext is the end of a file's name in this format, with its dot.
func (f Format) Ext() string {
	if f == Unknown {
		return ".bin"
	}
	return "." + string(f)
}

// Sniff tells the format by the first bytes; some hundreds are enough. What an answer is called goes by this and never by what was asked for: there
// are models that document one format and answer another.
func Sniff(b []byte) Format {
	switch {
	case isWAV(b):
		return WAV
	case isFLAC(b):
		return FLAC
	case isOpus(b):
		return Opus
	}
	rest := b[tagged(b):]
	switch {
	case isFLAC(rest):
		return FLAC
	case startsADTS(rest):
		return AAC
	case startsMP3(rest), bytes.HasPrefix(b, []byte("ID3")):
		return MP3
	}
	return Unknown
}

// CodeEmpty is the fault of a recording that is whole and has nothing in it: a WAV without a sample.
const CodeEmpty = "audio_empty"

// Duration is how long a recording is, and its format. It is exact: of WAV by its bytes, of MP3 and AAC by all of their frames, of FLAC and Opus by
// what they say. Bytes that are no recording, or one without sound, are an Invalid fault.
func Duration(b []byte) (time.Duration, Format, error) {
	f := Sniff(b)
	var d time.Duration
	switch f {
	case Unknown:
		return 0, f, fault.Invalidf("audio", "audio_unknown", "the bytes are no WAV, MP3, Ogg Opus, FLAC or AAC; ask the model for one of these, with a container")
	case WAV:
		p, err := ReadWAV(b)
		if err != nil {
			return 0, f, err
		}
		if p.Frames() == 0 {
			return 0, f, fault.Invalidf("audio", CodeEmpty, "the WAV has no samples; ask for a text that the voice can speak")
		}
		d = p.Duration()
	case MP3:
		d = lengthMP3(b)
	case Opus:
		d = lengthOpus(b)
	case FLAC:
		d = lengthFLAC(b[tagged(b):])
	case AAC:
		d = lengthADTS(b[tagged(b):])
	}
	if d <= 0 {
		return 0, f, fault.Invalidf("audio", "audio_unreadable", "the %s has no sound, or does not say how long it is; ask for it again, or for wav", f)
	}
	return d, f, nil
}

// span is how long so many samples a channel are; 0 for more than time can count, which is garbage.
func span(samples int64, rate int) time.Duration {
	if rate <= 0 || samples < 0 || samples/int64(rate) >= math.MaxInt64/int64(time.Second) {
		return 0
	}
	r := int64(rate)
	return time.Duration(samples/r)*time.Second + time.Duration(samples%r*int64(time.Second)/r)
}
