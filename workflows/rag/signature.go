package rag

import (
	"slices"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
)

const (
	shingle = 3  // words
	samples = 64 // of a text's shingles
)

// Duplicate is from which resemblance on two passages with the same numbers say the same.
const Duplicate = 0.6

// Signature is a sample of what a text says, by which near-duplicates are known without keeping the texts.
type Signature struct {
	sample  []uint32 // the smallest hashes of its three words in a row, in order
	numbers uint32   // of all of its numbers, in any order
}

// Sign makes the signature of a text. The same words have the same signature, whatever their case, marks and punctuation.
func Sign(text string) Signature { return sign(text, terms.Sketch(text)) }

// sign is Sign of a text whose words are known.
func sign(text string, words []uint32) Signature {
	n := max(1, len(words)-shingle+1)
	if len(words) == 0 {
		return Signature{}
	}
	all := make([]uint32, 0, n)
	for i := range n {
		h := uint32(2166136261)
		for _, w := range words[i:min(i+shingle, len(words))] {
			h = (h ^ w) * 16777619
			h ^= h >> 13
		}
		h *= 0x85ebca6b
		h ^= h >> 16
		all = append(all, h)
	}
	sortWords(all, make([]uint32, len(all)))
	all = slices.Compact(all)
	return Signature{slices.Clone(all[:min(len(all), samples)]), numbersIn(text)}
}

// numbersIn is a sum of the numbers that stand in a text.
func numbersIn(text string) (sum uint32) {
	const start = uint32(2166136261)
	h := start
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		digit := '0' <= r && r <= '9'
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
			digit = unicode.IsDigit(r)
		}
		i += n
		if digit {
			h = (h ^ uint32(r)) * 16777619
		} else if h != start {
			sum, h = sum+h, start
		}
	}
	if h != start {
		sum += h
	}
	return sum
}

// Twins reports whether two texts say the same: nearly the same words, and the same numbers. Two forms that were filled in
// differently are alike, and do not say the same.
func (s Signature) Twins(other Signature) bool {
	return s.numbers == other.numbers && s.Resembles(other) >= Duplicate
}

// Resembles estimates the part of what two texts say that both say, 0 to 1. A text without words resembles none.
func (s Signature) Resembles(other Signature) float64 {
	a, b := s.sample, other.sample
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both, seen := 0, 0
	for i, k := 0, 0; seen < samples && (i < len(a) || k < len(b)); seen++ {
		switch {
		case i == len(a):
			// What a does not have any more, it would have sampled if it were there; a full sample says nothing of what is above it.
			if len(a) == samples {
				return float64(both) / float64(seen)
			}
			k++
		case k == len(b):
			if len(b) == samples {
				return float64(both) / float64(seen)
			}
			i++
		case a[i] == b[k]:
			both++
			i++
			k++
		case a[i] < b[k]:
			i++
		default:
			k++
		}
	}
	return float64(both) / float64(seen)
}
