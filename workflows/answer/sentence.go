package answer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Sentence is one of an answer, and the markers that it cites sources by.
type Sentence struct {
	From, To int   // bytes of the answer: the sentence with its markers and the space after it
	Markers  []int // the numbers in brackets, each once
}

// Sentences divides an answer into its sentences, without a gap. Markers behind the full stop belong to the sentence before it.
func Sentences(text string) []Sentence {
	var out []Sentence
	from, next, groups := 0, 0, groups(text)
	for rest, state := text, -1; rest != ""; {
		_, rest, state = uniseg.FirstSentenceInString(rest, state)
		end := len(text) - len(rest)
		for ; next < len(groups) && groups[next].from <= end; next++ { // a marker in it, or right behind it
			g := groups[next]
			if g.to <= from {
				continue
			}
			ended := g.from <= end && end <= g.to && !strings.Contains(text[max(from, g.from-1):g.from], "\n")
			if terminated(text[from:g.from]) && ended || terminated(text[from:g.from]) && g.to < end {
				out = append(out, Sentence{From: from, To: g.to})
				from = g.to
			}
		}
		if image := end - len("!["); image > from && strings.HasSuffix(text[:end], "![") && terminated(text[from:image]) {
			out = append(out, Sentence{From: from, To: image}) // uniseg takes the sign for the sentence's
			from = image
		}
		if end > from && rest != "" && (abbreviates(text[from:end]) || next > 0 && end < groups[next-1].to || withinAddress(text, end)) {
			continue
		}
		switch {
		case end <= from:
		case len(out) > 0 && strings.TrimSpace(text[from:end]) == "":
			out[len(out)-1].To = end
			from = end
		default:
			out = append(out, Sentence{From: from, To: end})
			from = end
		}
	}
	for i := range out {
		out[i].Markers = markers(text[out[i].From:out[i].To])
	}
	return out
}

// group is markers that stand together, with the spaces before, between and after them.
type group struct{ from, to int }

func groups(text string) []group {
	var out []group
	for at := 0; at < len(text); {
		i := strings.IndexAny(text[at:], "[【")
		if i < 0 {
			break
		}
		at += i
		n := leadingMarkers(text[at:])
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text[at:])
		} else {
			from := len(strings.TrimRight(text[:at], " "))
			out = append(out, group{from, at + n})
		}
		at += n
	}
	return out
}

// Claim is what a sentence says, without its markers.
func (s Sentence) Claim(answer string) string {
	text := answer[s.From:s.To]
	if len(s.Markers) > 0 {
		text = withoutMarkers(text, func(int) bool { return false })
	}
	return strings.TrimSpace(text)
}

// abbreviations end with a point that ends no sentence.
const abbreviations = " dr mr mrs ms prof st vs eg e.g ie i.e fig figs no nr approx ca bzw z.b vgl u.a d.h usw inc ltd co jr sr mt jan feb mar apr jun jul aug sep sept oct nov dec "

// abbreviates reports whether a text ends with such a word.
func abbreviates(text string) bool {
	text, point := strings.CutSuffix(strings.TrimRight(text, " "), ".")
	if !point {
		return false
	}
	word := text[strings.LastIndexAny(text, " \n([")+1:]
	if word == "" || len(word) > 6 {
		return false
	}
	if c, n := utf8.DecodeRuneInString(word); n == len(word) && unicode.IsUpper(c) { // an initial
		return true
	}
	return strings.Contains(abbreviations, " "+strings.ToLower(word)+" ")
}

// terminated reports whether a text ends as sentences do.
func terminated(text string) bool {
	text = strings.TrimRight(text, " \"')”’»")
	c, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(".!?。！？।؟…", c) && !abbreviates(text)
}

// marker reads one at the beginning of a text: "[1]", "[1, 2]", "【1】". It answers its length, or 0.
func marker(text string, each func(int)) int {
	i, end := 0, "]"
	switch {
	case strings.HasPrefix(text, "["):
		i = 1
	case strings.HasPrefix(text, "【"):
		i, end = len("【"), "】"
	default:
		return 0
	}
	number, digits := 0, 0
	for i < len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9' && digits < 3:
			number, digits = number*10+int(c-'0'), digits+1
			i++
		case digits > 0 && (c == ',' || c == ';'):
			each(number)
			number, digits = 0, 0
			for i++; i < len(text) && text[i] == ' '; i++ {
			}
		case digits > 0 && strings.HasPrefix(text[i:], end):
			each(number)
			return i + len(end)
		default:
			return 0
		}
	}
	return 0
}

// leadingMarkers is the length of the markers that a text begins with, and of the spaces after them.
func leadingMarkers(text string) int {
	n := 0
	for {
		spaces := n
		for spaces < len(text) && text[spaces] == ' ' {
			spaces++
		}
		size := marker(text[spaces:], func(int) {})
		if size == 0 {
			if n > 0 {
				return spaces
			}
			return 0
		}
		n = spaces + size
	}
}

// markers are the numbers that a text cites, each once, in their order.
func markers(text string) []int {
	var out []int
	for i := 0; i < len(text); {
		next := strings.IndexAny(text[i:], "[【")
		if next < 0 {
			break
		}
		i += next
		before := len(out)
		n := marker(text[i:], func(number int) {
			for _, had := range out {
				if had == number {
					return
				}
			}
			out = append(out, number)
		})
		if n == 0 {
			out = out[:before]
			_, n = utf8.DecodeRuneInString(text[i:])
		}
		i += n
	}
	return out
}

// withoutMarkers is a text with those markers alone that are to stay, and without the spaces before the others.
func withoutMarkers(text string, stays func(int) bool) string {
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		next := strings.IndexAny(text[i:], "[【")
		if next < 0 {
			b.WriteString(text[i:])
			break
		}
		at := i + next
		var kept []int
		n := marker(text[at:], func(number int) {
			if stays(number) {
				kept = append(kept, number)
			}
		})
		switch {
		case n == 0:
			_, n = utf8.DecodeRuneInString(text[at:])
			b.WriteString(text[i : at+n])
		case len(kept) == 0:
			b.WriteString(strings.TrimRight(text[i:at], " "))
		default:
			b.WriteString(text[i:at])
			for _, number := range kept {
				b.WriteString(bracketed(number))
			}
		}
		i = at + n
	}
	return b.String()
}
