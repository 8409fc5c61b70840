package terms

// english is Porter's second stemmer (https://snowballstem.org/algorithms/english/stemmer.html) over the letters a to z, in
// place. What the definition says of apostrophes has happened before: they are not in a word here.
func english(w []byte) []byte {
	if len(w) <= 2 {
		return w
	}
	if s, special := englishSpecial[string(w)]; special {
		return append(w[:0], s...)
	}
	p := porter{w: w}
	p.markYs()
	p.regions()
	p.plural()
	if !englishInvariant[string(p.w)] {
		p.past()
		p.finalY()
		p.suffixes()
		p.derivations()
		p.residues()
		p.finalE()
	}
	for i, c := range p.w {
		if c == 'Y' {
			p.w[i] = 'y'
		}
	}
	return p.w
}

var englishSpecial = map[string]string{
	"skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl", "gently": "gentl", "ugly": "ugli",
	"early": "earli", "only": "onli", "singly": "singl", "sky": "sky", "news": "news", "howe": "howe", "atlas": "atlas",
	"cosmos": "cosmos", "bias": "bias", "andes": "andes",
}

// englishInvariant is what stays as it is once a plural is gone.
var englishInvariant = map[string]bool{
	"inning": true, "outing": true, "canning": true, "herring": true, "earring": true, "proceed": true, "exceed": true, "succeed": true,
}

// porter is a word being stemmed. A y that is a consonant is written Y.
type porter struct {
	w      []byte
	r1, r2 int // where the regions begin that suffixes must be in
}

func vowel(c byte) bool { return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y' }

func (p *porter) markYs() {
	for i, c := range p.w {
		if c == 'y' && (i == 0 || vowel(p.w[i-1])) {
			p.w[i] = 'Y'
		}
	}
}

func (p *porter) regions() {
	p.r1 = -1
	for _, prefix := range [...]string{"gener", "commun", "arsen"} {
		if len(p.w) >= len(prefix) && string(p.w[:len(prefix)]) == prefix {
			p.r1 = len(prefix)
		}
	}
	if p.r1 < 0 {
		p.r1 = p.region(0)
	}
	p.r2 = p.region(p.r1)
}

// region begins after the first consonant that follows a vowel.
func (p *porter) region(from int) int {
	for i := from + 1; i < len(p.w); i++ {
		if vowel(p.w[i-1]) && !vowel(p.w[i]) {
			return i + 1
		}
	}
	return len(p.w)
}

func (p *porter) ends(s string) bool {
	n := len(p.w) - len(s)
	return n >= 0 && string(p.w[n:]) == s
}

// cut takes n letters away and puts s in their place.
func (p *porter) cut(n int, s string) { p.w = append(p.w[:len(p.w)-n], s...) }

// in says whether the last n letters are all in the region.
func (p *porter) in(region, n int) bool { return len(p.w)-n >= region }

func (p *porter) vowelBefore(end int) bool {
	for _, c := range p.w[:end] {
		if vowel(c) {
			return true
		}
	}
	return false
}

func (p *porter) plural() {
	n := len(p.w)
	switch {
	case p.ends("sses"):
		p.cut(2, "")
	case p.ends("ied"), p.ends("ies"):
		if n > 4 {
			p.cut(2, "")
		} else {
			p.cut(1, "")
		}
	case p.ends("us"), p.ends("ss"):
	case p.ends("s") && n > 2 && p.vowelBefore(n-2):
		p.cut(1, "")
	}
}

func (p *porter) past() {
	n := 0
	switch {
	case p.ends("eedly"), p.ends("eed"):
		n = 3
		if p.ends("ly") {
			n = 5
		}
		if p.in(p.r1, n) {
			p.cut(n, "ee")
		}
		return
	case p.ends("ingly"):
		n = 5
	case p.ends("edly"):
		n = 4
	case p.ends("ing"):
		n = 3
	case p.ends("ed"):
		n = 2
	}
	if n == 0 || !p.vowelBefore(len(p.w)-n) {
		return
	}
	p.cut(n, "")
	switch {
	case p.ends("at"), p.ends("bl"), p.ends("iz"):
		p.cut(0, "e")
	case p.doubled():
		p.cut(1, "")
	case p.short():
		p.cut(0, "e")
	}
}

func (p *porter) doubled() bool {
	n := len(p.w)
	if n < 2 || p.w[n-1] != p.w[n-2] {
		return false
	}
	switch p.w[n-1] {
	case 'b', 'd', 'f', 'g', 'm', 'n', 'p', 'r', 't':
		return true
	}
	return false
}

// short says whether the word ends in a short syllable and has no first region.
func (p *porter) short() bool { return p.r1 >= len(p.w) && p.shortSyllable(len(p.w)) }

func (p *porter) shortSyllable(end int) bool {
	if end == 2 {
		return vowel(p.w[0]) && !vowel(p.w[1])
	}
	if end < 3 {
		return false
	}
	last := p.w[end-1]
	return !vowel(p.w[end-3]) && vowel(p.w[end-2]) && !vowel(last) && last != 'w' && last != 'x' && last != 'Y'
}

func (p *porter) finalY() {
	n := len(p.w)
	if n > 2 && (p.w[n-1] == 'y' || p.w[n-1] == 'Y') && !vowel(p.w[n-2]) {
		p.w[n-1] = 'i'
	}
}

// rule replaces a suffix; the longest that a word ends in is the one that is looked at, so it stands before those that it ends in.
type rule struct{ suffix, by string }

var englishSuffixes = [...]rule{
	{"ization", "ize"}, {"ational", "ate"}, {"fulness", "ful"}, {"ousness", "ous"}, {"iveness", "ive"}, {"tional", "tion"},
	{"biliti", "ble"}, {"lessli", "less"}, {"entli", "ent"}, {"ation", "ate"}, {"alism", "al"}, {"aliti", "al"}, {"ousli", "ous"},
	{"iviti", "ive"}, {"fulli", "ful"}, {"enci", "ence"}, {"anci", "ance"}, {"abli", "able"}, {"izer", "ize"}, {"ator", "ate"},
	{"alli", "al"}, {"bli", "ble"}, {"ogi", "og"}, {"li", ""},
}

func (p *porter) suffixes() {
	for _, r := range englishSuffixes {
		if !p.ends(r.suffix) {
			continue
		}
		n := len(r.suffix)
		if !p.in(p.r1, n) {
			return
		}
		before := byte(0)
		if n < len(p.w) {
			before = p.w[len(p.w)-n-1]
		}
		switch r.suffix {
		case "ogi":
			if before != 'l' {
				return
			}
		case "li":
			switch before {
			case 'c', 'd', 'e', 'g', 'h', 'k', 'm', 'n', 'r', 't':
			default:
				return
			}
		}
		p.cut(n, r.by)
		return
	}
}

var englishDerivations = [...]rule{
	{"ational", "ate"}, {"tional", "tion"}, {"alize", "al"}, {"icate", "ic"}, {"iciti", "ic"}, {"ative", ""}, {"ical", "ic"}, {"ness", ""}, {"ful", ""},
}

func (p *porter) derivations() {
	for _, r := range englishDerivations {
		if !p.ends(r.suffix) {
			continue
		}
		if n := len(r.suffix); p.in(p.r1, n) && (r.suffix != "ative" || p.in(p.r2, n)) {
			p.cut(n, r.by)
		}
		return
	}
}

var englishResidues = [...]string{
	"ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize", "ion", "al", "er", "ic",
}

func (p *porter) residues() {
	for _, s := range englishResidues {
		if !p.ends(s) {
			continue
		}
		if n := len(s); p.in(p.r2, n) {
			if s == "ion" {
				if before := len(p.w) - n - 1; before < 0 || p.w[before] != 's' && p.w[before] != 't' {
					return
				}
			}
			p.cut(n, "")
		}
		return
	}
}

func (p *porter) finalE() {
	n := len(p.w)
	if n == 0 {
		return
	}
	switch p.w[n-1] {
	case 'e':
		if p.in(p.r2, 1) || p.in(p.r1, 1) && !p.shortSyllable(n-1) {
			p.cut(1, "")
		}
	case 'l':
		if n > 1 && p.w[n-2] == 'l' && p.in(p.r2, 1) {
			p.cut(1, "")
		}
	}
}
