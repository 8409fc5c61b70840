package entity

import (
	"strings"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
)

// names finds persons, organizations and locations.
func (f *finder) names() {
	f.listed()
	german := terms.LanguageOf(f.text).Code() == "de"
	persons := map[string]bool{} // the last words of names of persons
	var alone []run
	for i := 0; i < len(f.tokens); {
		r, ok := f.run(i)
		if !ok {
			i++
			continue
		}
		i = r.to
		switch t := f.judge(&r, german); {
		case t != "":
			f.takeTokens(t, r.from, r.to)
			if t == Person {
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
	if s := f.at(j).said; s != "of" && s != "for" && s != "and" {
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
func (f *finder) judge(r *run, german bool) Type {
	t := f.kindOf(r, german)
	if t == "" && r.first && r.to-r.from > 1 && f.part(r.from+1) {
		shorter := run{from: r.from + 1, to: r.to}
		if t = f.kindOf(&shorter, german); t != "" {
			*r = shorter
		}
	}
	return t
}

func (f *finder) kindOf(r *run, german bool) Type {
	if f.title(r) {
		return Person
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
	if len(words) == 1 && !r.first && firstNames()[last.lower] && !last.capitals() {
		return Person
	}
	before := f.at(r.from - 1)
	if before.broken || f.at(r.from).broken {
		before = token{kind: sign}
	}
	switch {
	case titles()[before.lower] && before.said == before.lower && !plainWords()[last.lower]: // president Joe Biden
		return Person
	case german:
		return ""
	case placed()[before.lower] && len(words) <= 3 && !last.capitals() && !plainWords()[last.lower] && !peoples(last.lower):
		return Location
	case len(words) == 2 && !r.first && (said()[f.at(r.to).lower] || speaker()[before.lower]) && !words[0].capitals():
		return Person
	}
	return ""
}

// title reports whether a title is before a name, or the name begins with one, which is no part of it.
func (f *finder) title(r *run) bool {
	i := r.from
	for i < r.to && (titles()[f.at(i).lower] || i > r.from && f.at(i).said == ".") {
		i++
	}
	if i == r.from {
		return false
	}
	if i < r.to {
		r.from = i
		return true
	}
	return false
}

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
	if len(words) < 2 || len(words) > 7 || words[len(words)-1].kind != word {
		return false
	}
	if firstNames()[words[0].lower] && !words[0].capitals() {
		return !plainWords()[words[1].lower]
	}
	return utf8.RuneCountInString(words[0].said) == 1 && words[1].said == "." && len(words) > 2 && utf8.RuneCountInString(words[len(words)-1].said) > 2
}

// peoples reports whether a word is of a language or a people rather than a place.
func peoples(lower string) bool {
	for _, ending := range []string{"ish", "ese", "ian", "ians"} {
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
