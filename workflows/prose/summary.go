package prose

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// SummaryOptions is how a summary is to be.
type SummaryOptions struct {
	MaxChars int  // characters of it at most
	Bullets  bool // a line for each sentence, "- " before it
}

// Summarize is the sentences of a text that say most of it, in their order: those that share most with all others, with some favour for those at
// the beginning, and none for what was said already. It is about two fifths of the text at most. A text with nothing to read in it has none.
func Summarize(ctx context.Context, text string, o SummaryOptions) (string, error) {
	spans := Sentences(text)
	all, count, lengths, err := bags(ctx, text, spans)
	if err != nil {
		return "", err
	}
	d := digest{text: text, options: o, spans: spans, bags: all, scores: rank(all, count), alike: make([]float64, len(spans))}
	d.sizes, d.taken = make([]int, len(spans)), make([]bool, len(spans))
	place := 0
	for i := range spans {
		d.scores[i] *= d.favour(i, place, lengths[i])
		if lengths[i] >= fewWords && ends(spans[i].Of(text)) {
			place++
		}
		d.sizes[i] = d.size(i)
		d.order = append(d.order, i)
	}
	slices.SortStableFunc(d.order, func(i, j int) int { return -cmp.Compare(d.scores[i], d.scores[j]) })
	d.order = d.order[:min(len(d.order), mostSentences)]
	return d.make(ctx)
}

// digest is a summary in the making.
type digest struct {
	text    string
	options SummaryOptions
	spans   []Span
	bags    []bag
	scores  []float64
	alike   []float64 // how much each is like a sentence that was taken
	sizes   []int     // characters of each, as it is shown
	order   []int     // the sentences that are looked at, the best first
	taken   []bool
	most    float64
	chars   int // of all that were taken, and what joins them
}

// The shortest summary that is made of a text that has more, and the part of a text that one is.
const (
	leastChars = 160
	part       = 0.4
)

// mostSentences are looked at, so that a text of very many takes no longer than it is read.
const mostSentences = 1000

// fewWords are so few that a sentence of them says little alone.
const fewWords = 4

// favour is by how much a sentence counts for its place among those before it, and for its form.
func (d *digest) favour(i, place, words int) float64 {
	f := 1 + 0.5/float64(1+place)
	said := d.spans[i].Of(d.text)
	switch {
	case words == 0:
		return 0
	case strings.HasSuffix(said, "?") || strings.HasSuffix(said, "？") || strings.HasSuffix(said, "؟"):
		f *= 0.6
	case !ends(said):
		f *= 0.5
	}
	if words < fewWords {
		f *= 0.1
	}
	return f
}

// ends reports whether a sentence ends as sentences do. A heading does not, nor does a row of a table.
func ends(sentence string) bool {
	last, _ := utf8.DecodeLastRuneInString(sentence)
	return strings.ContainsRune(".!?。！？।؟…”\"»)", last)
}

// make takes sentences while there is room.
func (d *digest) make(ctx context.Context) (string, error) {
	room := min(d.options.MaxChars, max(leastChars, int(part*float64(utf8.RuneCountInString(d.text)))))
	for {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		i := d.best(room)
		if i < 0 && d.chars == 0 {
			i = d.best(d.options.MaxChars)
		}
		if i < 0 || d.chars > 0 && d.scores[i] < 0.15*d.most {
			break
		}
		d.take(i)
	}
	if d.chars == 0 && len(d.spans) > 0 {
		return d.cut(), nil
	}
	return d.said(), nil
}

// best is the sentence that is taken next; below 0 when none has room.
func (d *digest) best(room int) int {
	best, most := -1, 0.0
	for _, i := range d.order {
		if d.taken[i] || d.alike[i] > 0.9 {
			continue
		}
		if s := d.scores[i] * (1 - d.alike[i]); (best < 0 || s > most) && d.chars+d.sizes[i] <= room+1 { // no joint before the first
			best, most = i, s
		}
	}
	return best
}

// size is the characters of a sentence, and of what joins it to another.
func (d *digest) size(i int) int {
	n := utf8.RuneCountInString(flat(d.spans[i].Of(d.text))) + 1
	if d.options.Bullets {
		n += len("- ")
	}
	return n
}

func (d *digest) take(i int) {
	d.taken[i], d.most = true, max(d.most, d.scores[i])
	d.chars += d.sizes[i]
	for _, j := range d.order {
		d.alike[j] = max(d.alike[j], d.bags[i].dot(d.bags[j]))
	}
}

// said is the summary.
func (d *digest) said() string {
	var b strings.Builder
	for i, taken := range d.taken {
		if !taken {
			continue
		}
		sentence := flat(d.spans[i].Of(d.text))
		switch {
		case d.options.Bullets && b.Len() > 0:
			b.WriteString("\n- ")
		case d.options.Bullets:
			b.WriteString("- ")
		case b.Len() > 0 && !unspaced(sentence):
			b.WriteString(" ")
		}
		b.WriteString(sentence)
	}
	return b.String()
}

// cut is the beginning of the best sentence, where none has room.
func (d *digest) cut() string {
	best := 0
	for i, s := range d.scores {
		if s > d.scores[best] {
			best = i
		}
	}
	room, before := d.options.MaxChars-1, ""
	if d.options.Bullets {
		room, before = room-len("- "), "- "
	}
	return before + Shorten(flat(d.spans[best].Of(d.text)), room) + "…"
}

// flat is a text on one line.
func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// unspaced reports whether a sentence is of a script that has no space before it.
func unspaced(sentence string) bool {
	r, _ := utf8.DecodeRuneInString(sentence)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) || r >= 0x3000 && r < 0x3040
}

// Shorten is the beginning of a text, of so many characters at most: whole words of it if the text has some, and whole signs if their marks leave room.
func Shorten(text string, chars int) string {
	end := 0
	for ; chars > 0 && end < len(text); chars-- {
		_, n := utf8.DecodeRuneInString(text[end:])
		end += n
	}
	if end == len(text) {
		return text
	}
	if next, _ := utf8.DecodeRuneInString(text[end:]); unicode.IsSpace(next) {
		return strings.TrimRightFunc(text[:end], unicode.IsSpace)
	}
	if space := strings.LastIndexFunc(text[:end], unicode.IsSpace); space > end/2 {
		return strings.TrimRightFunc(text[:space], unicode.IsSpace)
	}
	whole := 0
	for rest, state := text[:min(len(text), end+utf8.UTFMax)], -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if whole+len(cluster) > end {
			break
		}
		whole += len(cluster)
	}
	if whole > 0 {
		end = whole
	}
	return text[:end]
}
