package trace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Parent is a trace context: the trace and the span that caused what carries it. The zero Parent is none.
// https://www.w3.org/TR/trace-context/#traceparent-header
type Parent struct {
	Trace [16]byte
	Span  [8]byte
	Flags byte
}

// The flags that level 2 of the specification defines; the others are 0 in what we send.
const (
	Sampled = 1 << 0 // the caller may have recorded the trace
	Random  = 1 << 1 // the trace id is random
)

const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

var errForm = errors.New("is not a W3C traceparent")

// Parse reads a traceparent. A version above 00 is read as far as 00 goes, as the specification asks.
func Parse(s string) (Parent, error) {
	if len(s) < length || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return Parent{}, errForm
	}
	var version, flags [1]byte
	var p Parent
	ok := decode(version[:], s[:2]) && decode(p.Trace[:], s[3:35]) && decode(p.Span[:], s[36:52]) && decode(flags[:], s[53:55])
	switch {
	case !ok, version[0] == 0xff:
		return Parent{}, errForm
	case version[0] == 0 && len(s) != length:
		return Parent{}, errForm
	case version[0] > 0 && len(s) > length && s[length] != '-':
		return Parent{}, errForm
	case p.Trace == [16]byte{}, p.Span == [8]byte{}:
		return Parent{}, errForm
	}
	p.Flags = flags[0] & (Sampled | Random)
	return p, nil
}

// decode reads lower-case hexadecimal digits, two for each byte of dst.
func decode(dst []byte, s string) bool {
	for i := range dst {
		high, ok1 := digit(s[2*i])
		low, ok2 := digit(s[2*i+1])
		if !ok1 || !ok2 {
			return false
		}
		dst[i] = high<<4 | low
	}
	return true
}

func digit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// New starts a sampled trace. The randomness is crypto/rand.Reader or, in tests, what the test says.
func New(random io.Reader) (Parent, error) {
	p := Parent{Flags: Sampled | Random}
	for p.Trace == [16]byte{} {
		if _, err := io.ReadFull(random, p.Trace[:]); err != nil {
			return Parent{}, fmt.Errorf("trace id: %w", err)
		}
	}
	return p.Child(random)
}

// Child is a new span of the same trace, caused by p's.
func (p Parent) Child(random io.Reader) (Parent, error) {
	p.Span = [8]byte{}
	for p.Span == [8]byte{} {
		if _, err := io.ReadFull(random, p.Span[:]); err != nil {
			return Parent{}, fmt.Errorf("span id: %w", err)
		}
	}
	return p, nil
}

// TraceID is the trace's id as people and logs know it: 32 hexadecimal digits.
func (p Parent) TraceID() string { return hex.EncodeToString(p.Trace[:]) }

// String is the traceparent, version 00; empty for the zero Parent.
func (p Parent) String() string {
	if p == (Parent{}) {
		return ""
	}
	b := make([]byte, 0, length)
	b = append(b, "00-"...)
	b = hex.AppendEncode(b, p.Trace[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, p.Span[:])
	b = append(b, '-')
	b = hex.AppendEncode(b, []byte{p.Flags})
	return string(b)
}
