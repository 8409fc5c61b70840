package answer

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
	"levada.dev/workflows/rag"
)

// Evidence is sources prepared for checking what is said of them. It belongs to one goroutine.
type Evidence struct {
	sources []source
	ids     map[string]int32
	spread  []int32 // by term: in how many sentences it stands
	count   int     // of sentences

	masks []mask // room
}

// source is one of them.
type source struct {
	text      string
	start     int // in the document's text
	language  terms.Language
	title     []int32
	joined    bool // of several chunks, between which the document may have other white space
	sentences []stated
}

// stated is a sentence of a source.
type stated struct {
	from, to int // bytes of the source's text
	words    []heard
}

// heard is a term and what kind of word has it.
type heard struct {
	id      int32
	word    int32 // which one of its sentence
	negates bool
	sides   sides
}

// maxSources is how many sources are read: more than a search gives.
const maxSources = 64

// Prepare reads sources.
func Prepare(sources []rag.Source) *Evidence {
	e := &Evidence{ids: make(map[string]int32, 1024)}
	for _, s := range sources[:min(len(sources), maxSources)] {
		e.add(&s)
	}
	return e
}

func (e *Evidence) add(from *rag.Source) {
	shown, start := from.Shown()
	s := source{text: shown, start: start, language: terms.LanguageOf(from.Title, shown), joined: from.Context != nil}
	for _, p := range terms.Places(from.Title, s.language) {
		for _, t := range p.Terms {
			s.title = append(s.title, e.id(t))
		}
	}
	for _, at := range Sentences(shown) {
		text := shown[at.From:at.To]
		lead := len(text) - len(strings.TrimLeftFunc(text, unicode.IsSpace))
		st := stated{from: at.From + lead, to: at.From + len(strings.TrimRightFunc(text, unicode.IsSpace))}
		if st.from >= st.to {
			continue
		}
		text = shown[st.from:st.to]
		for i, p := range terms.Places(text, s.language) {
			h := heard{word: int32(i), negates: negates(text[p.From:p.To], s.language)}
			if n, ok := numeral(text[p.From:p.To], s.language); ok {
				h.id = e.id(n)
				st.words = append(st.words, h)
			}
			for _, t := range p.Terms {
				h.id, h.sides = e.id(t), sidesOf(t, s.language)
				st.words = append(st.words, h)
			}
		}
		if len(st.words) == 0 {
			continue
		}
		e.spreads(st.words)
		s.sentences = append(s.sentences, st)
		e.count++
	}
	e.sources = append(e.sources, s)
}

func (e *Evidence) id(term string) int32 {
	id, known := e.ids[term]
	if !known {
		id = int32(len(e.spread))
		e.ids[term] = id
		e.spread = append(e.spread, 0)
	}
	return id
}

// spreads counts a sentence for each of its terms.
func (e *Evidence) spreads(words []heard) {
	for i, w := range words {
		again := false
		for _, before := range words[:i] {
			if again = before.id == w.id; again {
				break
			}
		}
		if !again {
			e.spread[w.id]++
		}
	}
}

// weight is what a term counts: more the rarer it is among the sources, and most when no source has it.
func (e *Evidence) weight(id int32) float64 {
	return math.Log(1 + (float64(e.count)+1)/(float64(e.spread[id])+0.5))
}

// Verdict is how a source stands to a claim.
type Verdict struct {
	Source    int     // its place among the sources, or -1
	From, To  int     // the bytes of its text that come nearest to the claim
	Coverage  float64 // the part of the claim that stands there, 0 to 1
	Supported bool    // it says so
}

// Quote is the exact words, and where they stand in the document.
func (e *Evidence) Quote(v Verdict) (text string, start, end int) {
	if v.Source < 0 {
		return "", 0, 0
	}
	s := &e.sources[v.Source]
	return s.text[v.From:v.To], s.start + v.From, s.start + v.To
}

const (
	// Enough is the coverage from which on a source supports a claim. docs/design/search.md has what it was chosen by.
	Enough = 0.7
	// apart is how much of that must stand in the words quoted, and not in the title alone.
	apart = 0.6
	// central is how much of a claim a sentence must have for its numbers to be about the same.
	central = 0.2
	// widest is how many sentences in a row are looked at together.
	widest = 3
	// wider is what a further sentence must add.
	wider = 0.04
	// functional is what a word weighs that every sentence has.
	functional = 0.05
)

// Check compares a claim with one source. A source that does not exist supports nothing.
func (e *Evidence) Check(claim string, source int) Verdict {
	if source < 0 || source >= len(e.sources) {
		return Verdict{Source: -1}
	}
	return e.check(e.read(claim, e.sources[source].language), source)
}

// Says reports whether a claim has a word that says something: "Yes." has none.
func (e *Evidence) Says(claim string) bool {
	in := terms.Language{}
	if len(e.sources) > 0 {
		in = e.sources[0].language
	}
	return e.read(claim, in).content
}

// Best is the source that supports a claim best, or comes nearest.
func (e *Evidence) Best(claim string) Verdict {
	best := Verdict{Source: -1}
	var c claimed
	for i := range e.sources {
		if i == 0 || e.sources[i].language != e.sources[i-1].language {
			c = e.read(claim, e.sources[i].language)
		}
		v := e.check(c, i)
		if best.Source < 0 || v.Supported && !best.Supported || v.Supported == best.Supported && v.Coverage > best.Coverage {
			best = v
		}
	}
	return best
}

// check looks at every few sentences in a row of a source.
func (e *Evidence) check(c claimed, at int) Verdict {
	s := &e.sources[at]
	best := Verdict{Source: at}
	if !c.content {
		return best
	}
	title := c.maskOf(s.title)
	whole := title
	e.masks = e.masks[:0]
	for i := range s.sentences {
		m := c.maskOfWords(s.sentences[i].words)
		whole = whole.or(m)
		e.masks = append(e.masks, m)
	}
	named := whole.has(c.names) && !slices.ContainsFunc(c.addresses, func(a string) bool { return !strings.Contains(s.text, a) })
	for i := range s.sentences {
		var m, near mask
		last := 0.0
		for k := i; k < min(i+widest, len(s.sentences)); k++ {
			if s.joined && k > i && strings.Contains(s.text[s.sentences[k-1].to:s.sentences[k].from], "\n") {
				break // the quote would perhaps not be the document's, byte for byte
			}
			m = m.or(e.masks[k])
			if c.weigh(e.masks[k].without(c.numbers)) >= central*c.total {
				near = near.or(e.masks[k])
			}
			own := c.weigh(m) / c.total
			if k > i && own < last+wider {
				continue // what was added says nothing of the claim
			}
			last = own
			coverage := c.weigh(m.or(title)) / c.total
			rank := coverage - wider*float64(k-i)
			supported := len(c.terms) <= comparable && coverage >= Enough && own >= Enough*apart && named && near.has(c.numbers) && c.agrees(s.sentences[i:k+1], e.masks[i:k+1], own)
			if supported && !best.Supported || supported == best.Supported && rank > best.Coverage {
				best = Verdict{Source: at, From: s.sentences[i].from, To: s.sentences[k].to, Coverage: rank, Supported: supported}
			}
		}
	}
	return best
}

// claimed is a claim as it is compared with sources of one language.
type claimed struct {
	terms   []weighed
	total   float64
	numbers mask // which of the terms must stand in the words quoted
	names   mask // which must stand in the source
	denials int  // how many words deny
	sides   sides
	content bool // there is a word that says something

	addresses []string // which must stand in the source as they are
}

type weighed struct {
	id     int32
	weight float64
	times  int // a number comes
}

func (e *Evidence) read(claim string, in terms.Language) claimed {
	c := claimed{addresses: addresses(claim)}
	c.content = len(c.addresses) > 0
	first := true
	for _, p := range terms.Places(claim, in) {
		word := claim[p.From:p.To]
		if negates(word, in) { // its sign is compared, not the word
			c.denials++
			p.Function = true
		}
		numeral, isNumeral := numeral(word, in)
		isName := names(word, first, in) && !p.Function
		first = false
		if isNumeral {
			c.take(e, numeral, 1, p.Function, true, false)
			continue
		}
		for _, t := range p.Terms {
			c.sides |= sidesOf(t, in)
			c.take(e, t, 1/float64(len(p.Terms)), p.Function, p.Number, isName)
		}
	}
	return c
}

// take adds a term, once.
func (c *claimed) take(e *Evidence, term string, part float64, function, number, name bool) {
	id := e.id(term)
	for i := range c.terms {
		if c.terms[i].id == id {
			if number {
				c.terms[i].times++
			}
			return
		}
	}
	weight := e.weight(id) * part
	if function {
		weight *= functional
	} else {
		c.content = true
	}
	c.total += weight
	i := len(c.terms)
	c.terms = append(c.terms, weighed{id: id, weight: weight, times: 1})
	if i < comparable {
		if number {
			c.numbers.set(i)
		}
		if name {
			c.names.set(i)
		}
	}
}

func (c *claimed) weigh(m mask) float64 {
	sum := 0.0
	for i := range c.terms[:min(len(c.terms), comparable)] {
		if m[i>>6]&(1<<(i&63)) != 0 {
			sum += c.terms[i].weight
		}
	}
	return sum
}

func (c *claimed) maskOf(ids []int32) (m mask) {
	for i, t := range c.terms[:min(len(c.terms), comparable)] {
		for _, id := range ids {
			if id == t.id {
				m.set(i)
				break
			}
		}
	}
	return m
}

func (c *claimed) maskOfWords(words []heard) (m mask) {
	for i, t := range c.terms[:min(len(c.terms), comparable)] {
		for k := range words {
			if words[k].id == t.id {
				m.set(i)
				break
			}
		}
	}
	return m
}

// reach is how many words after it a negation is about, and before it.
const (
	reach  = 4
	before = 2
)

// verbatim is the coverage from which on a claim has the source's own words, and so as many that deny.
const verbatim = 0.95

// agrees reports whether the sentences say it with the same sign: neither denies what the other says, and neither says the opposite.
// Sentences that have little of the claim are not asked.
func (c *claimed) agrees(sentences []stated, masks []mask, coverage float64) bool {
	denials, near := 0, 0
	var sides sides
	for i := range sentences {
		if c.weigh(masks[i]) < central*c.total {
			continue
		}
		words := sentences[i].words
		for k := range words {
			sides |= words[k].sides
			if !words[k].negates || k > 0 && words[k-1].word == words[k].word {
				continue // it may have several terms
			}
			denials++
			if c.concerns(words, words[k].word) {
				near++
			}
		}
	}
	if (c.denials > 0) != (near > 0) && !(coverage >= verbatim && c.denials == denials) {
		return false
	}
	if coverage >= verbatim && c.denials != near && c.denials != denials {
		return false
	}
	return !c.sides.opposed(sides) && c.counts(sentences, masks)
}

// counts reports whether the sentences have each number as often as the claim.
func (c *claimed) counts(sentences []stated, masks []mask) bool {
	for _, t := range c.terms {
		if t.times < 2 {
			continue
		}
		times := 0
		for i := range sentences {
			if c.weigh(masks[i]) < central*c.total {
				continue
			}
			for _, w := range sentences[i].words {
				if w.id == t.id {
					times++
				}
			}
		}
		if times < t.times {
			return false
		}
	}
	return true
}

// concerns reports whether a word of a sentence is near to something that the claim says.
func (c *claimed) concerns(words []heard, at int32) bool {
	for i := range words {
		w := &words[i]
		if w.word < at-before || w.word > at+reach || w.word == at {
			continue
		}
		for _, t := range c.terms {
			if t.id == w.id && t.weight > 0.5 {
				return true
			}
		}
	}
	return false
}

// mask says which of a claim's terms are meant.
type mask [comparable / 64]uint64

// comparable is how many different terms of a claim are compared. What is beyond is found nowhere, and neither are its numbers and names, so
// nothing supports a claim that has more.
const comparable = 256

func (m *mask) set(i int) { m[i>>6] |= 1 << (i & 63) }

func (m mask) or(o mask) mask {
	for i := range m {
		m[i] |= o[i]
	}
	return m
}

func (m mask) without(o mask) mask {
	for i := range m {
		m[i] &^= o[i]
	}
	return m
}

func (m mask) has(o mask) bool {
	for i := range m {
		if o[i]&^m[i] != 0 {
			return false
		}
	}
	return true
}

// names reports whether a word is a name, by its capitals. Where every noun has one that cannot be told.
func names(word string, first bool, in terms.Language) bool {
	c, n := utf8.DecodeRuneInString(word)
	if !unicode.IsUpper(c) {
		return false
	}
	if next, _ := utf8.DecodeRuneInString(word[n:]); unicode.IsUpper(next) {
		return true
	}
	return !first && in.Code() != "de"
}
