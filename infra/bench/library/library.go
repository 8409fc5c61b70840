// Package library is documents as a platform gets them, and questions about them, made up: titles, sections, sentences. Their commonest words are
// English, as the rules for terms go by these; the others are made of syllables, few of them common and most rare (Zipf), and each document
// has some of its own that come again and again. They are the same each time.
package library

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"levada.dev/infra/bench/zipf"
)

// Sections is how many sections a document has, each of which is cut into one chunk.
const Sections = 20

const (
	subjects       = 12   // words that a document is about
	onSubject      = 0.12 // of the words of a text
	shortest       = 130  // words of a section
	longest        = 250
	rarestSubject  = 40_000
	commonestTopic = 300
)

// english are the commonest words, the first the most.
var english = strings.Fields(`the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there
	would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now
	over such our man me even most made after also did many off before must well back through years much where your way down should because long each just state those people too`)

// Library is the documents there are.
type Library struct{ language zipf.Language }

// New makes them.
func New() Library { return Library{zipf.New()} }

// word is the word of a rank.
func word(rank int) string {
	if rank < len(english) {
		return english[rank]
	}
	const starts, vowels, ends = "bdfgklmnprtvz", "aeiou", "nmktpl"
	n, b := rank-len(english), make([]byte, 0, 12)
	b = append(b, starts[n%len(starts)])
	n /= len(starts)
	for {
		b = append(b, vowels[n%len(vowels)])
		if n /= len(vowels); n == 0 {
			return string(append(b, ends[rank%len(ends)]))
		}
		b = append(b, starts[n%len(starts)])
		n /= len(starts)
	}
}

// subject is a word that a document may be about: the commoner ones more often.
func subject(r *rand.Rand) int {
	return int(commonestTopic * math.Pow(rarestSubject/commonestTopic, r.Float64()))
}

func (l Library) about(n int) (*rand.Rand, []int) {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	words := make([]int, subjects)
	for i := range words {
		words[i] = subject(r)
	}
	return r, words
}

// Document is the n-th document, in Markdown.
func (l Library) Document(n int) string {
	r, about := l.about(n)
	var b strings.Builder
	fmt.Fprintf(&b, "# %s %s\n", word(about[0]), word(about[1]))
	for s := range Sections {
		fmt.Fprintf(&b, "\n## %s %s %s\n\n", word(about[s%subjects]), word(l.language.Draw(r)), word(l.language.Draw(r)))
		sentence := 0
		for left := shortest + r.IntN(longest-shortest); left > 0; left-- {
			w := ""
			if r.Float64() < onSubject {
				w = word(about[r.IntN(subjects)])
			} else {
				w = word(l.language.Draw(r))
			}
			if sentence == 0 {
				w, sentence = strings.ToUpper(w[:1])+w[1:], 6+r.IntN(20)
			}
			b.WriteString(w)
			if sentence--; sentence == 0 || left == 1 {
				b.WriteByte('.')
			}
			b.WriteByte(' ')
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Question is the n-th question about the n-th of so many documents: 3 to 12 words, of which some are what the document is about, some are in other
// documents, and some are in all of them. One in ten has only words that many documents have.
func (l Library) Question(n, documents int) string {
	r := rand.New(rand.NewPCG(4, uint64(n)))
	_, about := l.about(int(r.Int64N(int64(documents))))
	common := n%10 == 9
	words := []string{[]string{"what is", "where are", "how many", "which", "who has", "when did"}[r.IntN(6)]}
	for range 2 + r.IntN(9) {
		switch x := r.Float64(); {
		case common:
			words = append(words, word(r.IntN(2*commonestTopic)))
		case x < 0.45:
			words = append(words, word(about[r.IntN(subjects)]))
		case x < 0.55:
			words = append(words, word(subject(r)))
		default:
			words = append(words, word(l.language.Draw(r)))
		}
	}
	return strings.Join(words, " ") + "?"
}
