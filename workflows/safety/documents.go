package safety

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// chunk is about how much of a document is read as one: characters. A string of a tool's arguments or result that is longer is a document.
const chunk = 2000

// sureOfDocuments is what the linear model must be sure of to speak alone of a document, which has many pieces.
const sureOfDocuments = 0.95

// isDocument reports whether a text is too long to be what somebody asks.
func isDocument(text string) bool { return len(text) > chunk && utf8.RuneCountInString(text) > chunk }

// piecesOf divides a document into pieces of about a chunk, at the ends of words: a word is cut when it is as long as a text may be that is
// screened. Each piece begins with the end of the one before, so that what stands across two is in one of them.
func piecesOf(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for {
			end := firstPiece(text)
			if !yield(text[:end]) || end == len(text) {
				return
			}
			text = cut2(text, end-overlap)
		}
	}
}

// firstPiece is where the first piece of a text ends.
func firstPiece(text string) int {
	at, chars := len(text), 0
	for i := range text {
		if chars++; chars > chunk {
			at = i
			break
		}
	}
	if at == len(text) {
		return at
	}
	if i := strings.LastIndexAny(text[:at], blanks); i > at/2 {
		return i + 1
	}
	most := len(text)
	if most > maxText {
		most = len(cut(text, maxText))
	}
	if i := strings.IndexAny(text[at:most], blanks); i >= 0 {
		return at + i + 1
	}
	return most
}

// certain is the verdict on a piece of a document.
func certain(v Verdict) Verdict {
	if strings.HasSuffix(v.Rule, byModel) && v.Score < sureOfDocuments {
		return Verdict{}
	}
	return v
}
