package lexicon

import (
	"encoding/binary"
	"hash/fnv"
	"maps"
	"slices"

	"levada.dev/workflows/corpus"
)

// Forward is what a passage's terms come to for its score: how many its head and its body have (two bytes each), and then for each
// different one, in their order, four bytes of its hash and one with how often head and body have it, up to 15 times each: beyond
// that a term counts no more. Two terms of the same hash are one; among the terms of a question and a passage that is one in a million.
type Forward []byte

const (
	lengths  = 4
	perTerm  = 5
	maxTimes = 15
)

// NewForward makes it of the passage's terms.
func NewForward(head, body []string) Forward {
	times := make(map[uint32]byte, len(body))
	for _, t := range body {
		if h := hash(Clip(t)); times[h]&maxTimes < maxTimes {
			times[h]++
		}
	}
	for _, t := range head {
		if h := hash(Clip(t)); times[h]>>4 < maxTimes {
			times[h] += 1 << 4
		}
	}
	f := make(Forward, 0, lengths+perTerm*len(times))
	f = binary.LittleEndian.AppendUint16(f, clamp(len(head)))
	f = binary.LittleEndian.AppendUint16(f, clamp(len(body)))
	for _, h := range slices.Sorted(maps.Keys(times)) {
		f = append(binary.LittleEndian.AppendUint32(f, h), times[h])
	}
	return f
}

func clamp(n int) uint16 { return uint16(min(n, 1<<16-1)) }

// Of is the Forward of a passage.
func Of(p corpus.Passage) Forward { return NewForward(p.Head, p.Body) }

// Lengths are how many terms head and body have.
func (f Forward) Lengths() (head, body int) {
	if len(f) < lengths {
		return 0, 0
	}
	return int(binary.LittleEndian.Uint16(f)), int(binary.LittleEndian.Uint16(f[2:]))
}

func (f Forward) terms() int { return max(len(f)-lengths, 0) / perTerm }

func (f Forward) hash(i int) uint32 { return binary.LittleEndian.Uint32(f[lengths+perTerm*i:]) }

func (f Forward) at(i int) (hash uint32, head, body int) {
	times := f[lengths+perTerm*i+4]
	return f.hash(i), int(times >> 4), int(times & maxTimes)
}

// seek is the first term of [from, to) whose hash is not below h.
func (f Forward) seek(h uint32, from, to int) int {
	for from < to {
		if middle := (from + to) / 2; f.hash(middle) < h {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from
}

func hash(term string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(term))
	return h.Sum32()
}
