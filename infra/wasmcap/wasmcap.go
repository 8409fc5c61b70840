package wasmcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	memorySection = 5
	pagesPerMiB   = 16
	maxPages      = 1 << 16
)

var header = []byte("\x00asm\x01\x00\x00\x00")

// Cap returns a copy of the module whose one memory has the maximum of maxMiB. A
// smaller maximum that it already has is kept. It is an error when the module is
// malformed (the message has the offset), has no memory of its own, or needs more than
// maxMiB to start.
func Cap(wasm []byte, maxMiB int) ([]byte, error) {
	if maxMiB < 1 || maxMiB > maxPages/pagesPerMiB {
		return nil, fmt.Errorf("wasmcap: maximum of %d MiB is not between 1 and %d", maxMiB, maxPages/pagesPerMiB)
	}
	s, err := findMemory(wasm)
	if err != nil {
		return nil, fmt.Errorf("wasmcap: %w", err)
	}
	limits, err := capLimits(wasm[s.body:s.end], uint64(maxMiB)*pagesPerMiB)
	if err != nil {
		return nil, fmt.Errorf("wasmcap: memory section at offset %d: %w", s.start, err)
	}
	out := make([]byte, 0, len(wasm)+16)
	out = append(out, wasm[:s.start]...)
	out = append(out, memorySection)
	out = binary.AppendUvarint(out, uint64(len(limits)))
	out = append(out, limits...)
	return append(out, wasm[s.end:]...), nil
}

// section is where a section lies: its id byte, its body, its end.
type section struct{ start, body, end int }

func findMemory(wasm []byte) (section, error) {
	if !bytes.HasPrefix(wasm, header) {
		return section{}, errors.New("not a WebAssembly 1 module (offset 0)")
	}
	for p := len(header); p < len(wasm); {
		size, n, err := u32(wasm[p+1:])
		if err != nil {
			return section{}, fmt.Errorf("size of the section at offset %d: %w", p, err)
		}
		s := section{start: p, body: p + 1 + n}
		if size > uint64(len(wasm)-s.body) {
			return section{}, fmt.Errorf("section at offset %d has %d bytes, %d are left", p, size, len(wasm)-s.body)
		}
		s.end = s.body + int(size)
		if wasm[p] == memorySection {
			return s, nil
		}
		p = s.end
	}
	return section{}, errors.New("the module has no memory section")
}

// capLimits returns the section's body with the maximum set.
func capLimits(body []byte, pages uint64) ([]byte, error) {
	count, n, err := u32(body)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	if count != 1 {
		return nil, fmt.Errorf("%d memories, want 1", count)
	}
	rest := body[n:]
	if len(rest) == 0 {
		return nil, errTruncated
	}
	flags := rest[0]
	if flags > 1 { // shared or 64-bit memories
		return nil, fmt.Errorf("limits flags %#x are not supported", flags)
	}
	least, n, err := u32(rest[1:])
	if err != nil {
		return nil, fmt.Errorf("minimum: %w", err)
	}
	rest = rest[1+n:]
	if flags == 1 {
		most, n, err := u32(rest)
		if err != nil {
			return nil, fmt.Errorf("maximum: %w", err)
		}
		rest = rest[n:]
		pages = min(pages, most)
	}
	if len(rest) != 0 {
		return nil, fmt.Errorf("%d bytes after the limits", len(rest))
	}
	if least > pages {
		return nil, fmt.Errorf("the module starts with %d MiB, more than the maximum", (least+pagesPerMiB-1)/pagesPerMiB)
	}
	out := []byte{1, 1}
	out = binary.AppendUvarint(out, least)
	return slices.Clip(binary.AppendUvarint(out, pages)), nil
}

var (
	errTruncated = errors.New("ends early")
	errTooLong   = errors.New("number is longer than 32 bits")
)

// u32 reads a LEB128 number and returns its length.
func u32(b []byte) (v uint64, n int, err error) {
	v, n = binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, 0, errTruncated
	case n < 0 || n > 5 || v > 1<<32-1:
		return 0, 0, errTooLong
	}
	return v, n, nil
}
