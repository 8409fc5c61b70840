package markup

import (
	"encoding/xml"
	"errors"
	"io"
)

// MaxToken is about how long a tag, a comment or a text between tags may be.
const MaxToken = 1 << 20

// ErrExpands is what a Decoder fails with when there is more than it may read, or a token that is too long.
var ErrExpands = errors.New("markup: it unpacks to too much")

// Decoder reads tokens.
type Decoder struct {
	xml  *xml.Decoder
	from *source
}

// NewDecoder reads from r as many bytes as are left. Several decoders may share what is left.
func NewDecoder(r io.Reader, left *int64) *Decoder {
	from := &source{from: r, left: left}
	return &Decoder{xml.NewDecoder(from), from}
}

// Token is the next token, as xml.Decoder.RawToken has it: names are not looked up, and nobody checks that ends have beginnings. At the end it
// is io.EOF.
func (d *Decoder) Token() (xml.Token, error) {
	d.from.token = 0
	return d.xml.RawToken()
}

// source counts what is read.
type source struct {
	from  io.Reader
	left  *int64
	token int // bytes read for the token that is being read
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	if *s.left -= int64(n); *s.left < 0 {
		return 0, ErrExpands
	}
	if s.token += n; s.token > MaxToken {
		return 0, ErrExpands
	}
	return n, err
}
