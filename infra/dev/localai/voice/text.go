package voice

import (
	"iter"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

const (
	// maxWord is how many letters of a word are spoken as one. Longer ones are cut.
	maxWord = 40
	// maxSentence is how many letters without an end are spoken as one sentence, some fifty words: so much is in memory at once and
	// comes before a context is looked at, and the program's time grows with the square of it.
	maxSentence = 300
)

// marks are letters that have a place in English text, and another one in ASCII.
var marks = strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`, "„", `"`, "«", `"`, "»", `"`, "–", "-", "—", ", ", "−", "-", "ß", "ss", "ø", "o", "Ø", "O", "æ", "ae", "Æ", "Ae", "œ", "oe")

// legible is the text in ASCII, which is what the program reads: letters without their accents, nothing of what it has no sound
// for, and sentences, words and paragraphs of a size that it can take.
func legible(text string) string {
	text = norm.NFKD.String(marks.Replace(strings.ToValidUTF8(text, " ")))
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == '\n' || r > ' ' && r <= '~':
			return r
		}
		return ' '
	}, text)
	var b strings.Builder
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		b.WriteString("\n\n")
		letters := 0
		for word := range words(paragraph) {
			if letters += len(word); letters > maxSentence {
				b.WriteString("\n\n")
				letters = len(word)
			}
			b.WriteString(word + " ")
			if strings.ContainsAny(word[len(word)-1:], ".?!") {
				letters = 0
			}
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

// words are those of a paragraph, long ones in parts.
func words(paragraph string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for word := range strings.FieldsSeq(paragraph) {
			for ; len(word) > maxWord; word = word[maxWord:] {
				if !yield(word[:maxWord]) {
					return
				}
			}
			if !yield(word) {
				return
			}
		}
	}
}
