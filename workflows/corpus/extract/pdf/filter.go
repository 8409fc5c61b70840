package pdf

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/ascii85"
	"errors"
	"io"
)

var errFilter = errors.New("pdf: a stream is packed in a way that has no text")

// decode unpacks a stream. Of one that is damaged it returns what there is.
func (f *file) decode(s *stream) ([]byte, error) {
	b := f.crypt.stream(s)
	filters, params := f.list(s.dict["Filter"], s.dict["F"]), f.list(s.dict["DecodeParms"], s.dict["DP"])
	if len(filters) > 4 {
		return nil, errFilter
	}
	for i, filter := range filters {
		var param dict
		if i < len(params) {
			param = f.dict(params[i])
		}
		var err error
		if b, err = f.filter(f.name(filter), b, param); err != nil {
			return nil, err
		}
	}
	f.unpacked += int64(len(b))
	if f.unpacked > maxUnpacked {
		return nil, ErrExpands
	}
	return b, nil
}

// list is an array, or an array of the one thing that stands in its place.
func (f *file) list(all ...any) array {
	for _, o := range all {
		switch o := f.resolve(o).(type) {
		case array:
			return o
		case nil:
		default:
			return array{o}
		}
	}
	return nil
}

func (f *file) filter(n name, b []byte, param dict) ([]byte, error) {
	var err error
	switch n {
	case "FlateDecode", "Fl":
		b, err = inflate(b)
	case "LZWDecode", "LZW":
		b, err = unLZW(b, f.int(param["EarlyChange"]) != 0)
	case "ASCII85Decode", "A85":
		return un85(b), nil
	case "ASCIIHexDecode", "AHx":
		return []byte((&lexer{b: append(append([]byte{'<'}, b...), '>')}).hex()), nil
	case "RunLengthDecode", "RL":
		return unRunLength(b)
	case "Crypt":
		return b, nil
	default:
		return nil, errFilter
	}
	if err != nil {
		return nil, err
	}
	return f.unpredict(b, param), nil
}

func inflate(b []byte) ([]byte, error) {
	var r io.Reader
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err == nil {
		r = z
	} else if len(b) > 2 {
		r = flate.NewReader(bytes.NewReader(b[2:])) // the head is damaged
	} else {
		return nil, nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxStream+1))
	if len(out) > maxStream {
		return nil, ErrExpands
	}
	if err != nil && len(out) == 0 && len(b) > 2 {
		out, _ = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b[2:])), maxStream))
	}
	return out, nil
}

// unLZW unpacks the PDF kind of LZW: codes of 9 to 12 bits, the highest first, which grow a code early or not.
func unLZW(b []byte, early bool) ([]byte, error) {
	type entry struct {
		prev int16
		last byte
		size uint16
	}
	var table [4096]entry
	for i := range 256 {
		table[i] = entry{-1, byte(i), 1}
	}
	var out []byte
	next, width, prev := 258, 9, -1
	bits, n := uint32(0), 0
	shift := 0
	if early {
		shift = 1
	}
	for _, c := range b {
		bits, n = bits<<8|uint32(c), n+8
		if n < width {
			continue
		}
		code := int(bits >> (n - width) & (1<<width - 1))
		n -= width
		switch {
		case code == 257:
			return out, nil
		case code == 256:
			next, width, prev = 258, 9, -1
			continue
		case code > next || prev < 0 && code > 255:
			return out, nil
		}
		first := code
		if code == next {
			first = prev
		}
		size := int(table[first].size)
		if code == next {
			size++
		}
		if len(out)+size > maxStream {
			return nil, ErrExpands
		}
		at := len(out)
		out = append(out, make([]byte, size)...)
		i := at + size - 1
		if code == next {
			i--
		}
		for k := first; k >= 0 && i >= at; k, i = int(table[k].prev), i-1 {
			out[i] = table[k].last
		}
		if code == next {
			out[at+size-1] = out[at]
		}
		if prev >= 0 && next < 4096 {
			table[next] = entry{int16(prev), out[at], table[prev].size + 1}
			next++
		}
		prev = code
		if width < 12 && next+shift >= 1<<width {
			width++
		}
	}
	return out, nil
}

func un85(b []byte) []byte {
	if i := bytes.Index(b, []byte("~")); i >= 0 {
		b = b[:i]
	}
	b = bytes.TrimPrefix(bytes.TrimSpace(b), []byte("<~"))
	out := make([]byte, 4*len(b)/5+4+3*bytes.Count(b, []byte("z")))
	n, _, _ := ascii85.Decode(out, b, true)
	return out[:n]
}

func unRunLength(b []byte) ([]byte, error) {
	var out []byte
	for i := 0; i < len(b) && b[i] != 128; {
		n := int(b[i])
		i++
		if n < 128 {
			e := min(i+n+1, len(b))
			out = append(out, b[i:e]...)
			i = e
		} else if i < len(b) {
			out = append(out, bytes.Repeat(b[i:i+1], 257-n)...)
			i++
		}
		if len(out) > maxStream {
			return nil, ErrExpands
		}
	}
	return out, nil
}

// unpredict undoes what was done to rows of bytes before they were packed.
func (f *file) unpredict(b []byte, param dict) []byte {
	kind := f.int(param["Predictor"])
	if kind < 2 {
		return b
	}
	atLeast := func(o any, least int) int { return min(max(f.int(o), least), 1<<16) }
	colors, bits, columns := atLeast(param["Colors"], 1), 8, atLeast(param["Columns"], 1)
	if n := f.int(param["BitsPerComponent"]); n > 0 {
		bits = min(n, 16)
	}
	pixel := max(1, colors*bits/8)
	row := (colors*bits*columns + 7) / 8
	if kind == 2 {
		for at := 0; at < len(b) && bits == 8; at += row {
			for i := at + pixel; i < min(at+row, len(b)); i++ {
				b[i] += b[i-pixel]
			}
		}
		return b
	}
	out := make([]byte, 0, len(b))
	last := make([]byte, row)
	for len(b) > 1 {
		line := b[1:min(len(b), row+1)]
		undoPNG(b[0], line, last, pixel)
		out = append(out, line...)
		copy(last, line)
		b = b[1+len(line):]
	}
	return out
}

func undoPNG(filter byte, line, last []byte, pixel int) {
	for i := range line {
		var left, corner byte
		if i >= pixel {
			left, corner = line[i-pixel], last[i-pixel]
		}
		switch filter {
		case 1:
			line[i] += left
		case 2:
			line[i] += last[i]
		case 3:
			line[i] += byte((int(left) + int(last[i])) / 2)
		case 4:
			line[i] += paeth(left, last[i], corner)
		}
	}
}

func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(n int) int { return max(n, -n) }
