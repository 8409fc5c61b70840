package audio

import (
	"encoding/binary"
	"math"
	"time"

	"levada.dev/events/fault"
)

// PCM is sound as samples of 16 bits. It is a view: Data stays the bytes that it was read from.
type PCM struct {
	Rate     int    // samples a second, of each channel
	Channels int    // whose samples take turns
	Data     []byte // little-endian, whole samples of all channels
}

// Frames is how many samples each channel has.
func (p PCM) Frames() int {
	if p.Channels <= 0 {
		return 0
	}
	return len(p.Data) / (2 * p.Channels)
}

// Duration is how long it is.
func (p PCM) Duration() time.Duration { return span(int64(p.Frames()), p.Rate) }

// sample is one of the samples, of all channels counted.
func (p PCM) sample(i int) int { return int(int16(binary.LittleEndian.Uint16(p.Data[2*i:]))) }

// RMS is how loud the sound is, of full scale: 0 is silence, 1 a square wave as loud as can be.
func RMS(p PCM) float64 {
	n := len(p.Data) / 2
	if n == 0 {
		return 0
	}
	sum := 0.0
	for i := range n {
		s := float64(p.sample(i))
		sum += s * s
	}
	return math.Sqrt(sum/float64(n)) / 32768
}

// Peak is the loudest sample, of full scale.
func Peak(p PCM) float64 {
	most := 0
	for i := range len(p.Data) / 2 {
		s := p.sample(i)
		most = max(most, s, -s)
	}
	return float64(most) / 32768
}

// HeaderSize is the bytes before the samples of a WAV that is written here.
const HeaderSize = 44

// maxData is the most bytes of samples in a WAV, whose sizes are of 32 bits.
const maxData = math.MaxUint32 - (HeaderSize - 8)

// Header is what stands before so many bytes of samples, to make a WAV of them. It is HeaderSize bytes, whatever they say. More than a WAV can have,
// and what is not whole samples, is an Invalid fault.
func Header(rate, channels int, dataBytes int64) ([]byte, error) {
	if err := canBe(rate, channels); err != nil {
		return nil, err
	}
	align := 2 * channels
	switch {
	case dataBytes < 0 || dataBytes%int64(align) != 0:
		return nil, fault.Invalidf("audio", "audio_unreadable", "%d bytes are not whole samples of %d channels; leave out what is over", dataBytes, channels)
	case dataBytes > maxData:
		return nil, fault.Invalidf("audio", "audio_too_long", "a WAV has at most %d bytes of samples, and these are %d; divide the text, or ask for mp3", int64(maxData), dataBytes)
	}
	le := binary.LittleEndian
	h := append(make([]byte, 0, HeaderSize), "RIFF"...)
	h = le.AppendUint32(h, uint32(HeaderSize-8+dataBytes))
	h = append(h, "WAVEfmt "...)
	h = le.AppendUint32(h, 16)
	h = le.AppendUint16(h, formatPCM)
	h = le.AppendUint16(h, uint16(channels))
	h = le.AppendUint32(h, uint32(rate))
	h = le.AppendUint32(h, uint32(rate*align))
	h = le.AppendUint16(h, uint16(align))
	h = le.AppendUint16(h, 16)
	h = append(h, "data"...)
	return le.AppendUint32(h, uint32(dataBytes)), nil
}

// What is taken for a recording; beyond it are headers that are garbage.
const (
	maxRate     = 384_000
	maxChannels = 8
)

func canBe(rate, channels int) error {
	if rate < 1 || rate > maxRate || channels < 1 || channels > maxChannels {
		return fault.Invalidf("audio", "audio_unreadable", "%d channels of %d samples a second are no sound; at most %d of %d are: ask the model for mono at 24000",
			channels, rate, maxChannels, maxRate)
	}
	return nil
}

// Formats of samples in a WAV.
const (
	formatPCM        = 1
	formatExtensible = 0xFFFE // says it in the first two bytes of a GUID
)

// guid is the rest of the GUIDs that stand for formats.
const guid = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71"

// ReadWAV is the samples of a WAV, as a view of its bytes. One that was written as a stream, before anybody knew its size, goes to the end of the
// bytes; so does one that was cut off. Whatever else is in the file is passed over. One that is not of 16 bits PCM is an Invalid fault.
func ReadWAV(b []byte) (PCM, error) {
	if !isWAV(b) {
		return PCM{}, unreadable("it does not begin as one")
	}
	var p PCM
	whole := int64(binary.LittleEndian.Uint32(b[4:]))+8 == int64(len(b))
	for rest := b[12:]; len(rest) >= 8; {
		name, size := string(rest[:4]), int64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		body := rest[:min(size, int64(len(rest)))]
		switch {
		case name == "fmt " && p.Rate == 0:
			if err := p.format(body); err != nil {
				return PCM{}, err
			}
		case name == "data":
			if p.Rate == 0 {
				return PCM{}, unreadable("its samples come before their format")
			}
			if size == 0 && !whole {
				body = rest
			}
			p.Data = body[:len(body)-len(body)%(2*p.Channels)]
			return p, nil
		}
		rest = rest[min(size+size&1, int64(len(rest))):]
	}
	return PCM{}, unreadable("it has no samples")
}

// format reads the chunk that says what the samples are.
func (p *PCM) format(b []byte) error {
	if len(b) < 16 {
		return unreadable("its format is cut off")
	}
	le := binary.LittleEndian
	kind, bits := le.Uint16(b), le.Uint16(b[14:])
	if kind == formatExtensible && len(b) >= 40 && string(b[26:40]) == guid {
		kind = le.Uint16(b[24:])
	}
	if kind != formatPCM || bits != 16 {
		return unreadable("its samples are of format %d with %d bits, not 16 bits PCM (1)", kind, bits)
	}
	rate, channels := le.Uint32(b[4:]), le.Uint16(b[2:])
	if rate > maxRate {
		rate = maxRate + 1 // also where int has 32 bits
	}
	if err := canBe(int(rate), int(channels)); err != nil {
		return err
	}
	p.Rate, p.Channels = int(rate), int(channels)
	return nil
}

func isWAV(b []byte) bool {
	return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE"
}

func unreadable(why string, args ...any) error {
	return fault.Invalidf("audio", "audio_unreadable", "the WAV cannot be read: "+why+"; ask the model for linear16 in a WAV container", args...)
}
