package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrShort says that a frame ended in the middle of a value.
var ErrShort = errors.New("wire: frame ends early")

// Kind tells what the next value of a frame is.
type Kind uint8

// The kinds of values.
const (
	End Kind = iota // nothing left
	Null
	Bool
	Int
	Float
	String
	Bytes
	JSON
	Float32s
	Values // a List
)

var kinds = [...]Kind{Null, Bool, Bool, Int, Int, Float, String, Bytes, JSON, Float32s, Values}

// Reader reads a frame value by value. After the first mismatch every method
// returns the zero value and Err tells what was wrong, so a caller checks once.
// Byte slices it returns share the frame's memory.
type Reader struct {
	b   []byte
	err error
}

// NewReader returns a Reader of the frame.
func NewReader(frame []byte) *Reader { return &Reader{b: frame} }

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Next tells the kind of the next value without reading it.
func (r *Reader) Next() Kind {
	if r.err != nil || len(r.b) == 0 || int(r.b[0]) >= len(kinds) {
		return End
	}
	return kinds[r.b[0]]
}

// Bool reads a truth value.
func (r *Reader) Bool() bool {
	switch r.tag() {
	case tagTrue:
		r.advance(1)
		return true
	case tagFalse:
		r.advance(1)
	default:
		r.mismatch("a bool")
	}
	return false
}

// Int reads an integer; a float with an integral value inside ±2^53 counts as one,
// because JavaScript has only one kind of number.
func (r *Reader) Int() int64 {
	switch r.tag() {
	case tagInt32:
		if p := r.fixed(4); p != nil {
			return int64(int32(binary.LittleEndian.Uint32(p)))
		}
	case tagInt64:
		if p := r.fixed(8); p != nil {
			return int64(binary.LittleEndian.Uint64(p))
		}
	case tagFloat64:
		if p := r.fixed(8); p != nil {
			f := math.Float64frombits(binary.LittleEndian.Uint64(p))
			if n, ok := exact(f); ok {
				return n
			}
			r.fail(fmt.Errorf("wire: %v is no exact integer", f))
		}
	default:
		r.mismatch("an integer")
	}
	return 0
}

// MaxSafe is the largest integer up to which a JavaScript number is exact.
const MaxSafe = 1<<53 - 1

func exact(f float64) (int64, bool) {
	if f != math.Trunc(f) || math.Abs(f) > MaxSafe {
		return 0, false
	}
	return int64(f), true
}

// Float reads a number.
func (r *Reader) Float() float64 {
	if r.tag() == tagFloat64 {
		if p := r.fixed(8); p != nil {
			return math.Float64frombits(binary.LittleEndian.Uint64(p))
		}
		return 0
	}
	return float64(r.Int())
}

// String reads text, or JSON as text.
func (r *Reader) String() string {
	if t := r.tag(); t != tagString && t != tagJSON {
		r.mismatch("a string")
		return ""
	}
	return string(r.sized(1))
}

// Bytes reads bytes, text or JSON; null gives nil.
func (r *Reader) Bytes() []byte {
	switch r.tag() {
	case tagBytes, tagString, tagJSON:
		return r.sized(1)
	case tagNull:
		r.advance(1)
	default:
		r.mismatch("bytes")
	}
	return nil
}

// Float32s reads a vector; null gives nil.
func (r *Reader) Float32s() []float32 {
	if r.tag() == tagNull {
		r.advance(1)
		return nil
	}
	if r.tag() != tagFloat32s {
		r.mismatch("a vector")
		return nil
	}
	p := r.sized(4)
	v := make([]float32, len(p)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(p[4*i:]))
	}
	return v
}

// List reads the head of a list and returns how many values follow; null is an
// empty list.
func (r *Reader) List() int {
	if r.tag() == tagNull {
		r.advance(1)
		return 0
	}
	if r.tag() != tagList {
		r.mismatch("a list")
		return 0
	}
	p := r.fixed(4)
	if p == nil {
		return 0
	}
	n := int(binary.LittleEndian.Uint32(p))
	if n > len(r.b) { // each value has at least its tag
		r.fail(ErrShort)
		return 0
	}
	return n
}

// Null reads a null if one is next, and tells whether it did.
func (r *Reader) Null() bool {
	if r.err != nil || len(r.b) == 0 || r.b[0] != tagNull {
		return false
	}
	r.advance(1)
	return true
}

// Skip reads over one value.
func (r *Reader) Skip() {
	switch r.tag() {
	case tagNull, tagFalse, tagTrue:
		r.advance(1)
	case tagInt32:
		r.fixed(4)
	case tagInt64, tagFloat64:
		r.fixed(8)
	case tagString, tagBytes, tagJSON:
		r.sized(1)
	case tagFloat32s:
		r.sized(4)
	case tagList:
		for range r.List() {
			r.Skip()
		}
	default:
		r.mismatch("a value")
	}
}

const noTag = 0xff

func (r *Reader) tag() byte {
	if r.err != nil {
		return noTag
	}
	if len(r.b) == 0 {
		return noTag
	}
	return r.b[0]
}

func (r *Reader) advance(n int) { r.b = r.b[n:] }

// fixed consumes the tag and n bytes.
func (r *Reader) fixed(n int) []byte {
	if len(r.b) < 1+n {
		r.fail(ErrShort)
		return nil
	}
	p := r.b[1 : 1+n]
	r.b = r.b[1+n:]
	return p
}

// sized consumes the tag, a count and count*unit bytes.
func (r *Reader) sized(unit int) []byte {
	p := r.fixed(4)
	if p == nil {
		return nil
	}
	n := int64(binary.LittleEndian.Uint32(p)) * int64(unit)
	if n > int64(len(r.b)) {
		r.fail(ErrShort)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *Reader) mismatch(want string) {
	if r.err != nil {
		return
	}
	if len(r.b) == 0 {
		r.fail(ErrShort)
		return
	}
	r.fail(fmt.Errorf("wire: want %s, frame has tag %d", want, r.b[0]))
}
