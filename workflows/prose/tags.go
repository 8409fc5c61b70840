package prose

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
)

// Tags are the words and pairs of words that each part of a text is about, best first, most of them at most: those that it says often, and other
// parts seldom. They are in lower case, but for names. known are tags that somebody has given already: a part has those of them that it says.
func Tags(ctx context.Context, text string, parts []Span, known []string, most int) ([][]string, error) {
	t := tagger{language: terms.LanguageOf(text), parts: make([]map[string]*phrase, len(parts)), in: map[string]int{}}
	for i, p := range parts {
		if i%patience == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		t.parts[i] = t.read(p.Of(text))
		for key := range t.parts[i] {
			t.in[key]++
		}
	}
	labels := make([]label, 0, len(known))
	for _, k := range known {
		if l := t.label(k); l.tag != "" {
			labels = append(labels, l)
		}
	}
	out := make([][]string, len(parts))
	for i := range parts {
		if i%patience == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		out[i] = t.best(t.parts[i], labels, most)
		t.parts[i] = nil // what a long text says is many times as large as the text
	}
	return out, nil
}

// tagger reads the parts of a text.
type tagger struct {
	language terms.Language
	parts    []map[string]*phrase
	in       map[string]int // in how many parts a phrase is
}

// phrase is one or two words, by their terms.
type phrase struct {
	key   string
	words int
	count int
	first int    // where in the part it stands first
	said  string // as it was said first
	lower bool   // it was said in lower case once
}

// read is what a part says.
func (t *tagger) read(text string) map[string]*phrase {
	out := map[string]*phrase{}
	places := terms.Places(text, t.language)
	before := -1 // the word that one may make a pair with
	for i, p := range places {
		if !telling(text, p) {
			before = -1
			continue
		}
		if cjk(text[p.From:]) && utf8.RuneCountInString(text[p.From:p.To]) > 4 {
			for _, term := range p.Terms { // signs, and pairs of them: the pairs say something
				if utf8.RuneCountInString(term) == 2 {
					add(out, term, term, 1, p.From)
				}
			}
			before = -1
			continue
		}
		key := p.Terms[0]
		add(out, key, text[p.From:p.To], 1, p.From)
		if before >= 0 && text[places[before].To:p.From] == " " {
			add(out, places[before].Terms[0]+" "+key, text[places[before].From:p.To], 2, places[before].From)
		}
		before = i
	}
	return out
}

func add(out map[string]*phrase, key, said string, words, at int) {
	p := out[key]
	if p == nil {
		p = &phrase{key: key, words: words, first: at, said: said}
		out[key] = p
	}
	p.count++
	if first, _ := utf8.DecodeRuneInString(said); !unicode.IsUpper(first) && !p.lower {
		p.lower, p.said = true, said
	}
}

// The lengths of words that can be tags, in characters and in bytes.
const (
	shortTag = 3
	longTag  = 60
)

// telling reports whether a word can be a tag.
func telling(text string, p terms.Place) bool {
	word := text[p.From:p.To]
	if p.Function || p.Number || len(p.Terms) == 0 {
		return false
	}
	if cjk(word) {
		return utf8.RuneCountInString(word) > 1
	}
	return len(word) <= longTag && utf8.RuneCountInString(word) >= shortTag
}

func cjk(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// score is how much a phrase tells of a part: pairs only where they are said again, or are names.
func (t *tagger) score(p *phrase) float64 {
	s := float64(p.count) * math.Log(1+float64(len(t.parts))/float64(t.in[p.key]))
	switch {
	case p.words == 1:
		return s * (1 - 1/float64(1+utf8.RuneCountInString(p.said)))
	case p.count > 1:
		return s * 2
	case !p.lower && capitals(p.said):
		return s * 1.5
	}
	return 0
}

// capitals reports whether both words of a pair begin with one.
func capitals(pair string) bool {
	_, second, _ := strings.Cut(pair, " ")
	r, _ := utf8.DecodeRuneInString(second)
	return unicode.IsUpper(r)
}

// best are the tags of a part: those that are known first.
func (t *tagger) best(part map[string]*phrase, labels []label, most int) []string {
	tags := []string{}
	for _, l := range labels {
		if len(tags) < most && l.in(part) && !slices.Contains(tags, l.tag) {
			tags = append(tags, l.tag)
		}
	}
	type scored struct {
		*phrase
		score float64
	}
	all := make([]scored, 0, len(part))
	for _, p := range part {
		if s := t.score(p); s > 0 {
			all = append(all, scored{p, s})
		}
	}
	slices.SortFunc(all, func(x, y scored) int {
		return cmp.Or(-cmp.Compare(x.score, y.score), cmp.Compare(x.first, y.first), -cmp.Compare(x.words, y.words), cmp.Compare(x.key, y.key))
	})
	var taken []string // terms of tags
	for _, p := range all {
		if len(tags) >= most {
			break
		}
		words := strings.Fields(p.key)
		if slices.ContainsFunc(words, func(w string) bool { return slices.Contains(taken, w) }) {
			continue
		}
		tag := p.tag(t.language)
		if slices.Contains(tags, tag) {
			continue
		}
		tags, taken = append(tags, tag), append(taken, words...)
	}
	return tags
}

// tag is the phrase as it is shown. German nouns keep their capitals.
func (p *phrase) tag(in terms.Language) string {
	if p.lower && in.Code() != "de" {
		return strings.ToLower(p.said)
	}
	return p.said
}

// label is a tag that somebody has given, by its terms.
type label struct {
	tag   string
	terms []string
}

func (t *tagger) label(tag string) label {
	l := label{tag: flat(tag)}
	for _, p := range terms.Places(l.tag, t.language) {
		if len(p.Terms) > 0 && !p.Function {
			l.terms = append(l.terms, p.Terms[0])
		}
	}
	if len(l.terms) == 0 {
		return label{}
	}
	return l
}

// in reports whether a part says all of a label's words.
func (l label) in(part map[string]*phrase) bool {
	return !slices.ContainsFunc(l.terms, func(term string) bool { return part[term] == nil })
}
