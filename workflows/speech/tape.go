package speech

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	"levada.dev/workflows/speech/audio"
)

// Cut is a part of a text.
type Cut struct {
	From    int    `json:"from"`              // in bytes,
	To      int    `json:"to"`                // without it
	At      int    `json:"at"`                // characters of the text before it
	Chars   int    `json:"chars"`             // its own
	Chapter string `json:"chapter,omitempty"` // that begins with it
}

// Part is what is kept of a part that was spoken: for WAV its samples alone, for MP3 its frames alone.
type Part struct {
	Index    int           `json:"index"` // of its Cut
	Name     string        `json:"name"`  // under which it is kept: the digest of its bytes
	Bytes    int64         `json:"bytes"`
	Duration time.Duration `json:"duration"`
	Nanos    int64         `json:"nanos"`           // what it cost, in billionths of a US dollar,
	Chars    int           `json:"chars,omitempty"` // and how many characters were paid for it, as the ledger has them
}

// Tape is what was spoken of an order so far. Its file is a header and the parts in their order.
type Tape struct {
	Model    string       `json:"model"` // that spoke: the order's, or the tenant's fallback
	Voice    string       `json:"voice"`
	Format   audio.Format `json:"format"` // as it was found in what came
	Rate     int          `json:"rate,omitempty"`
	Channels int          `json:"channels,omitempty"`
	Reel     string       `json:"reel"` // where its parts are kept
	Parts    []Part       `json:"parts,omitempty"`
	Cuts     int          `json:"cuts"` // how many parts there will be
}

// Whole reports whether nothing is missing.
func (t Tape) Whole() bool { return len(t.Parts) == t.Cuts && t.Cuts > 0 }

// Ready are the parts that can be played: those before the first that is missing.
func (t Tape) Ready() []Part {
	for i, p := range t.Parts {
		if p.Index != i {
			return t.Parts[:i]
		}
	}
	return t.Parts
}

// Header is what stands before the parts in the file of a whole tape.
func (t Tape) Header() ([]byte, error) {
	if t.Format != audio.WAV {
		return nil, nil
	}
	return audio.Header(t.Rate, t.Channels, t.sum())
}

// OpenHeader is Header of a tape of which nobody knows yet how long it will be: its sizes are the largest there are, by which players know that the
// sound goes on to the end.
func (t Tape) OpenHeader() ([]byte, error) {
	if t.Format != audio.WAV {
		return nil, nil
	}
	h, err := audio.Header(t.Rate, t.Channels, 0)
	if err != nil {
		return nil, err
	}
	for _, size := range [...]int{4, audio.HeaderSize - 4} {
		binary.LittleEndian.PutUint32(h[size:], math.MaxUint32)
	}
	return h, nil
}

func (t Tape) sum() (n int64) {
	for _, p := range t.Parts {
		n += p.Bytes
	}
	return n
}

// Bytes is how long the file of a whole tape is.
func (t Tape) Bytes() int64 {
	if t.Format == audio.WAV {
		return audio.HeaderSize + t.sum()
	}
	return t.sum()
}

// Duration is how long the parts sound together.
func (t Tape) Duration() (d time.Duration) {
	for _, p := range t.Parts {
		d += p.Duration
	}
	return d
}

// Digest names what the file of a whole tape holds.
func (t Tape) Digest() string {
	h := sha256.New()
	h.Write([]byte(t.Format))
	for _, p := range t.Parts {
		h.Write([]byte(p.Name))
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
