package chunk

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/rivo/uniseg"

	"levada.dev/events"
)

// level is how good a place a cut is; the lower the better.
type level uint8

const (
	levelSection  level = iota // before a heading
	levelBlock                 // before a paragraph, list, table, block of code
	levelItem                  // before a list item or a paragraph of code
	levelSentence              // before a sentence, a line of code, a row
	levelGlued                 // after a heading
	levelWord
	levelInside // inside a word
)

// section is a heading with those above it.
type section struct {
	parent *section
	rank   int // 1 to 6
	title  string
}

// atom is the smallest part that is not cut. Its tokens include the white space before it.
type atom struct {
	start, end int
	tokens     int
	level      level // of a cut before it
	section    *section
}

// packer puts atoms into pieces as they come. It holds the atoms of one piece at a time.
type packer struct {
	text    []byte
	shared  string // the text: pieces that were copies would be in memory a second time, for which a large document has no room
	o       Options
	section *section
	at      int // the end of the last atom

	atoms []atom
	fresh int // the atoms before it repeat the last piece
	sum   int // tokens of atoms
	out   []events.Chunk
}

func newPacker(text []byte, o Options) *packer {
	return &packer{text: text, shared: unsafe.String(unsafe.SliceData(text), len(text)), o: o}
}

// add takes the part of the text from start to end as one atom, or as several when it is larger than a piece.
func (p *packer) add(start, end int, l level) {
	if start, end = p.trim(start, end); start >= end {
		return
	}
	gap := Tokens(p.text[p.at:start])
	if tokens := Tokens(p.text[start:end]); tokens <= p.o.MaxTokens {
		p.push(atom{start, end, tokens, l, p.section}, gap)
		return
	}
	p.pieces(start, end, l, gap)
}

// trim leaves white space at the ends out, but for what belongs to a cluster with something else.
func (p *packer) trim(start, end int) (int, int) {
	a, b := start, end
	for b > start {
		r, n := utf8.DecodeLastRune(p.text[start:b])
		if !unicode.IsSpace(r) {
			break
		}
		b -= n
	}
	if b == start {
		return start, start
	}
	for {
		r, n := utf8.DecodeRune(p.text[a:b])
		if !unicode.IsSpace(r) {
			break
		}
		a += n
	}
	for b < end && !boundary(p.text, b) {
		_, n := utf8.DecodeRune(p.text[b:end])
		b += n
	}
	for a > start && !boundary(p.text, a) {
		_, n := utf8.DecodeLastRune(p.text[start:a])
		a -= n
	}
	return a, b
}

// push takes an atom that is no larger than a piece. The gap is the tokens of the white space before it, which count
// when it follows another.
func (p *packer) push(a atom, gap int) {
	if a.level == levelSection && p.sum >= p.o.MaxTokens/4 {
		p.cut(a.level)
	}
	if a.tokens+gap > p.o.MaxTokens {
		p.flush()
	}
	if len(p.atoms) > 0 {
		a.tokens += gap
	}
	for p.sum+a.tokens > p.o.MaxTokens && len(p.atoms) > 0 {
		p.cut(a.level)
	}
	p.atoms = append(p.atoms, a)
	p.sum += a.tokens
	p.at = a.end
}

// flush makes pieces of all atoms, and lets nothing be repeated.
func (p *packer) flush() {
	for len(p.atoms) > p.fresh {
		if p.sum <= p.o.MaxTokens {
			p.emit(p.atoms)
			break
		}
		p.cut(levelSection)
	}
	p.atoms, p.fresh, p.sum = p.atoms[:0], 0, 0
}

// cut makes a piece of the first atoms, up to the best place. next is the level of the place after the last atom.
func (p *packer) cut(next level) {
	if len(p.atoms) == p.fresh { // nothing new to say: give the repetition up
		p.atoms, p.fresh, p.sum = p.atoms[:0], 0, 0
		return
	}
	k := p.best(next)
	p.emit(p.atoms[:k])
	if k < len(p.atoms) {
		next = p.atoms[k].level
	}
	from := p.repeat(k, next)
	p.fresh = k - from
	p.atoms = append(p.atoms[:0], p.atoms[from:]...)
	p.sum = 0
	for _, a := range p.atoms {
		p.sum += a.tokens
	}
}

// best is before which atom to cut: the best place that leaves the piece at least half full, the last of its kind, or
// the best of all if there is no good one.
func (p *packer) best(next level) int {
	place := func(k int) level {
		if k == len(p.atoms) {
			return next
		}
		return p.atoms[k].level
	}
	sum, full, all := 0, 0, 0
	for i := range p.atoms {
		sum += p.atoms[i].tokens
		k := i + 1
		if k <= p.fresh {
			continue
		}
		if all == 0 || place(k) <= place(all) {
			all = k
		}
		if 2*sum >= p.o.MaxTokens && (full == 0 || place(k) <= place(full)) {
			full = k
		}
	}
	if full > 0 && place(full) < levelGlued {
		return full
	}
	return all
}

// repeat is from which atom on the end of a piece of k atoms is said again in the next: whole sentences of the same
// section.
func (p *packer) repeat(k int, next level) int {
	from := k
	for i, sum := k, 0; i > 1 && next != levelSection; {
		i--
		next = p.atoms[i].level
		if sum += p.atoms[i].tokens; sum > p.o.OverlapTokens {
			break
		}
		if next <= levelSentence {
			from = i
		}
	}
	return from
}

func (p *packer) emit(atoms []atom) {
	start, end := atoms[0].start, atoms[len(atoms)-1].end
	p.out = append(p.out, events.Chunk{
		Index: len(p.out), Start: start, End: end, Text: p.shared[start:end], Heading: heading(atoms),
	})
}

// finish makes pieces of what is left.
func (p *packer) finish() []events.Chunk {
	p.flush()
	return p.out
}

// pieces divides a part that is larger than a piece, between words where there are any. One meter goes through all of
// it, so that a word's tokens do not get fewer by cutting it; one more is for a beginning in the middle of one.
func (p *packer) pieces(start, end int, l level, gap int) {
	var m meter
	before := -gap
	for start < end {
		cut, next := p.piece(start, end, m)
		upTo := m.tokens
		for i := start; i < cut; {
			i += m.next(p.text[i:cut])
		}
		if a, b := p.trim(start, cut); a < b {
			p.push(atom{a, b, m.tokens - upTo + 1, l, p.section}, upTo-before)
			l, before = next, m.tokens
		}
		start = cut
	}
}

// piece is where to cut a part so that its beginning is an eighth of a piece, and what sort of place that is.
func (p *packer) piece(start, end int, m meter) (cut int, l level) {
	limit := m.tokens + p.o.MaxTokens/8 - 1
	word := 0
	i := start
	for i < end {
		c := p.text[i]
		n := m.next(p.text[i:end])
		if m.tokens > limit && i > start {
			break
		}
		i += n
		if c < utf8.RuneSelf && (asciiClass[c] == space || asciiClass[c] == mark) {
			word = i
		}
	}
	if i >= end {
		return end, levelWord
	}
	if word > start && boundary(p.text, word) {
		return word, levelWord
	}
	// No word ends here. Go by clusters, and take one that is larger than that whole if it fits into a piece.
	cut = start
	rest := p.text[start:min(end, start+4*p.o.MaxTokens)]
	for state := -1; len(rest) > 0; {
		var cluster []byte
		cluster, rest, _, state = uniseg.FirstGraphemeCluster(rest, state)
		if cut+len(cluster) > i && (cut > start || Tokens(cluster) >= p.o.MaxTokens) {
			break
		}
		if cut += len(cluster); cut >= i {
			break
		}
	}
	if cut == start || cut < end && !utf8.RuneStart(p.text[cut]) {
		cut = i
	}
	return cut, levelInside
}

// heading is the headings that are above all atoms, outermost first.
func heading(atoms []atom) string {
	common := atoms[0].section
	for _, a := range atoms[1:] {
		common = ancestor(common, a.section)
	}
	var titles []string
	for s := common; s != nil; s = s.parent {
		titles = append(titles, s.title)
	}
	for i, j := 0, len(titles)-1; i < j; i, j = i+1, j-1 {
		titles[i], titles[j] = titles[j], titles[i]
	}
	return strings.Join(titles, " > ")
}

// ancestor is the lowest section that holds both. Ranks fall from child to parent.
func ancestor(a, b *section) *section {
	for a != b {
		if a == nil || b == nil {
			return nil
		}
		if a.rank > b.rank {
			a = a.parent
		} else if b.rank > a.rank {
			b = b.parent
		} else {
			a, b = a.parent, b.parent
		}
	}
	return a
}

// maxTitle is how many bytes of a heading are kept above its pieces.
const maxTitle = 120

// open begins a section.
func (p *packer) open(rank int, title string) {
	parent := p.section
	for parent != nil && parent.rank >= rank {
		parent = parent.parent
	}
	title = strings.Join(strings.Fields(title), " ")
	if len(title) > maxTitle {
		cut := maxTitle
		for cut > 0 && !(utf8.RuneStart(title[cut]) && boundary([]byte(title), cut)) {
			cut--
		}
		title = title[:cut]
	}
	if title == "" {
		p.section = parent
		return
	}
	p.section = &section{parent: parent, rank: rank, title: title}
}
