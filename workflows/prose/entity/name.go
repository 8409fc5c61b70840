package entity

import (
	"slices"
	"strings"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
)

// names finds persons, organizations and locations.
func (f *finder) names() {
	f.listed()
	f.language = terms.LanguageOf(f.text).Code()
	persons := map[string]bool{} // the last words of names of persons
	var alone []run
	for i := 0; i < len(f.tokens); {
		r, ok := f.run(i)
		if !ok {
			i++
			continue
		}
		i = r.to
		switch t := f.judge(&r); {
		case t != "":
			f.takeTokens(t, r.from, r.to)
			if t == Person && !r.weak {
				persons[f.at(r.to-1).said] = true
			}
		case r.to == r.from+1:
			alone = append(alone, r)
		}
	}
	for _, r := range alone { // "Ada Lovelace ... Lovelace"
		if persons[f.at(r.from).said] {
			f.takeTokens(Person, r.from, r.to)
		}
	}
}

// run is words with capital letters that stand together, with the small words between them that names have.
type run struct {
	from, to int
	first    bool // it begins a sentence, so its first capital letter says nothing
	weak     bool // only the word beside it says what it is, which says nothing of the same word elsewhere
}

// maxRun is how many tokens a name has at most.
const maxRun = 10

// run reads the words of a name from a token on.
func (f *finder) run(i int) (run, bool) {
	if !f.part(i) {
		return run{}, false
	}
	r := run{from: i, to: i + 1, first: f.begins(i)}
	if r.first && plainWords()[f.at(i).lower] {
		return run{}, false
	}
	for r.to < len(f.tokens) && r.to-r.from < maxRun {
		j := r.to
		if f.initial(j-1) && f.is(j, ".") { // J. K. Rowling
			j++
		} else if short := abbreviated()[f.at(j-1).lower]; short && f.is(j, ".") { // Mr. , Inc.
			if j++; corporate()[f.at(j-2).lower] {
				r.to = j
				return r, true
			}
		}
		if f.is(j, "-") && f.part(j+1) && !f.at(j+1).spaced {
			r.to = j + 2
			continue
		}
		if f.at(j).said == "&" && f.part(j+1) && !f.at(j+1).broken && !f.at(j).broken {
			r.to = j + 2
			continue
		}
		k := j
		for k < len(f.tokens) && k-j < 2 && particles()[f.at(k).said] && !f.at(k).broken {
			k++
		}
		if k == j && titles()[f.at(k).lower] && !titles()[f.at(r.to-1).lower] { // European Commission President Ursula von der Leyen
			break
		}
		if !f.part(k) || f.at(k).broken || !f.at(k).spaced || k > j && !f.mayJoin(r, j, k) {
			if j > r.to && f.at(j-1).said == "." && f.initial(j-2) {
				r.to = j - 1
			}
			break
		}
		r.to = k + 1
	}
	return r, true
}

// part reports whether a token can be a word of a name.
func (f *finder) part(i int) bool {
	t := f.at(i)
	return t.capital() && f.free(i) && (t.spaced || f.at(i-1).kind != digits) && months()[t.lower] == 0 && !days()[t.lower]
}

// mayJoin reports whether the small words between two parts of a name are of it. "of" joins what has a name of a kind before it, as University.
func (f *finder) mayJoin(r run, j, k int) bool {
	if !slices.Contains([]string{"of", "for", "and", "und", "et"}, f.at(j).said) {
		return true
	}
	for i := r.from; i < j; i++ {
		if corporateHeads()[f.at(i).lower] {
			return true
		}
	}
	return f.at(j).said == "of" && places()[strings.ToLower(f.text[f.at(r.from).from:f.at(k).to])]
}

// initial reports whether a token is one capital letter.
func (f *finder) initial(i int) bool {
	t := f.at(i)
	return t.capital() && utf8.RuneCountInString(t.said) == 1
}

// begins reports whether a token is the first of its sentence, or of a line.
func (f *finder) begins(i int) bool {
	t := f.at(i)
	if i == 0 || t.broken && f.at(i-1).kind == sign {
		return true
	}
	before := f.at(i - 1)
	for k := i - 1; k >= 0 && before.kind == sign && strings.Contains("\"'“”‘’«»„()[]*_#>-–—•", before.said); k-- {
		before = f.at(k - 1)
	}
	return before.kind == sign && strings.Contains(".!?:…", before.said) || t.broken && f.blankBefore(i)
}

// blankBefore reports whether an empty line is before a token.
func (f *finder) blankBefore(i int) bool {
	return strings.Count(f.text[f.at(i-1).to:f.at(i).from], "\n") > 1
}

// judge says what a run is, by what is in it and around it, and makes it shorter by what does not belong to a name. "" is nothing. The first word of
// a sentence may have its capital letter from there.
func (f *finder) judge(r *run) Type {
	if f.owning(r) {
		return Organization
	}
	t := f.kindOf(r)
	if t == "" && r.first && r.to-r.from > 1 && f.part(r.from+1) {
		shorter := run{from: r.from + 1, to: r.to}
		if t = f.kindOf(&shorter); t != "" {
			*r = shorter
		}
	}
	return t
}

func (f *finder) kindOf(r *run) Type {
	if t, ok := f.titled(r); ok {
		return t
	}
	words := f.tokens[r.from:r.to]
	last := words[len(words)-1]
	switch {
	case places()[f.joinedWords(*r)]:
		return Location
	case f.corporate(words):
		return Organization
	case f.placeWords(words):
		return Location
	case f.person(words):
		return Person
	case len(words) == 1 && organizations()[words[0].said]:
		return Organization
	}
	before := f.at(r.from - 1)
	if before.broken || f.at(r.from).broken {
		before = token{kind: sign}
	}
	switch {
	case len(words) == 1 && !r.first && firstNames()[last.lower] && !last.capitals() && !f.determiner(before): // not "every Christian"
		return Person
	case titles()[before.lower] && before.said == before.lower && !common()[before.lower] && f.nameLike(words): // president Obama, not "president European"
		return Person
	case f.language == "de":
		return ""
	case placed()[before.lower] && len(words) <= 3 && !last.capitals() && !plainWords()[last.lower] && !peoples(last.lower) && !f.possessive(r.to):
		return Location
	case len(words) == 2 && !r.first && (said()[f.at(r.to).lower] || speaker()[before.lower]) && f.nameLike(words) && !places()[last.lower] && f.at(r.to).kind != digits:
		r.weak = true
		return Person
	}
	return ""
}

// owning makes an organization's name whole that has an owner in it: "Hudson's Bay Company". "Elon Musk's Tesla" and "Portugal's Parliament" are two names.
func (f *finder) owning(r *run) bool {
	if !f.possessive(r.to) || r.to+1 >= len(f.tokens) || f.at(r.to+1).broken {
		return false
	}
	owner := f.tokens[r.from:r.to]
	if w := owner[0]; titles()[w.lower] || firstNames()[w.lower] || organizations()[w.said] || places()[f.joinedWords(*r)] || f.person(owner) {
		return false
	}
	rest, ok := f.run(r.to + 1)
	if !ok || !f.corporate(f.tokens[r.from:rest.to]) || f.corporate(owner) {
		return false
	}
	r.to = rest.to
	return true
}

// possessive reports whether a token is the ending that makes an owner of the word before it.
func (f *finder) possessive(i int) bool { return f.is(i, "'s") || f.is(i, "’s") }

func (f *finder) joinedWords(r run) string {
	return strings.Join(strings.Fields(strings.ToLower(f.text[f.at(r.from).from:f.at(r.to-1).to])), " ")
}

// corporate reports whether a name has a word that organizations have in theirs.
func (f *finder) corporate(words []token) bool {
	if len(words) < 2 {
		return false
	}
	for i := 1; i < len(words); i++ {
		if w := words[i]; corporate()[w.lower] && (w.capitals() || w.said != w.lower) && i >= len(words)-2 {
			return true
		}
	}
	for _, w := range words {
		if corporateHeads()[w.lower] {
			return true
		}
	}
	return false
}

// placeWords reports whether a name has a word that places have in theirs: "Lake Como", "Douro Valley".
func (f *finder) placeWords(words []token) bool {
	return len(words) > 1 && (placeHeads()[words[0].lower] || placeTails()[words[len(words)-1].lower])
}

// person reports whether a name begins with a first name, or with initials, and goes on.
func (f *finder) person(words []token) bool {
	if len(words) < 2 || len(words) > 7 || words[len(words)-1].kind != word || things()[words[len(words)-1].lower] {
		return false
	}
	if firstNames()[words[0].lower] && !words[0].capitals() {
		return !plainWords()[words[1].lower]
	}
	last := words[len(words)-1]
	return utf8.RuneCountInString(words[0].said) == 1 && words[0].spaced && words[1].said == "." && len(words) > 2 &&
		utf8.RuneCountInString(last.said) > 2 && !plainWords()[last.lower]
}

// peoples reports whether a word is of a language or a people rather than a place.
func peoples(lower string) bool {
	for _, ending := range []string{"ish", "ese", "ian", "ians", "ean", "eans"} {
		if strings.HasSuffix(lower, ending) {
			return true
		}
	}
	return false
}

// listed finds what needs no capital letters: places and organizations of scripts that have none.
func (f *finder) listed() {
	for i := range f.tokens {
		t := f.tokens[i]
		if t.kind != word || t.capital() || !f.free(i) || t.said[0] < 0x80 {
			continue
		}
		if places()[t.said] {
			f.take(Location, t.from, t.to)
			continue
		}
		r, _ := utf8.DecodeRuneInString(t.said)
		if r >= 0x2E80 {
			f.signRun(t)
		}
	}
}

// maxSigns is how many signs a name in a list has at most, and how far back one is looked for from its ending.
const maxSigns = 8

// signRun finds names in a run of signs, where no spaces are.
func (f *finder) signRun(t token) {
	ends := make([]int, 0, len(t.said)/3+1) // byte offsets of signs
	for i := range t.said {
		ends = append(ends, i)
	}
	ends = append(ends, len(t.said))
	for i := 0; i < len(ends)-1; i++ {
		for n := min(maxSigns, len(ends)-1-i); n >= 2; n-- {
			name := t.said[ends[i]:ends[i+n]]
			if kind, ok := signNames()[name]; ok && f.take(kind, t.from+ends[i], t.from+ends[i+n]) {
				i += n - 1
				break
			}
		}
	}
}
