package terms

import "bytes"

// Light stemmers: what they take away is number, gender and case, seldom what made a noun of a verb. They follow Savoy's, which
// CLEF's and FIRE's collections chose (http://members.unine.ch/jacques.savoy/clef/), over letters that have no marks here.

func german(w []byte) []byte {
	n := len(w)
	switch {
	case n > 5 && bytes.HasSuffix(w, []byte("ern")):
		n -= 3
	case n > 4 && w[n-2] == 'e' && (w[n-1] == 'm' || w[n-1] == 'n' || w[n-1] == 'r' || w[n-1] == 's'):
		n -= 2
	case n > 3 && w[n-1] == 'e':
		n--
	case n > 3 && w[n-1] == 's' && germanEnd(w[n-2]):
		n--
	}
	switch {
	case n > 5 && string(w[n-3:n]) == "est":
		n -= 3
	case n > 4 && w[n-2] == 'e' && (w[n-1] == 'r' || w[n-1] == 'n'):
		n -= 2
	case n > 4 && w[n-2] == 's' && w[n-1] == 't' && germanEnd(w[n-3]):
		n -= 2
	}
	return w[:n]
}

// germanEnd says whether a word can end in the letter that an s follows.
func germanEnd(c byte) bool {
	switch c {
	case 'b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 't':
		return true
	}
	return false
}

func french(w []byte) []byte {
	n := len(w)
	if n < 6 {
		return w
	}
	if w[n-1] == 'x' {
		if w[n-3] == 'a' && w[n-2] == 'u' { // chevaux
			w[n-2] = 'l'
		}
		return w[:n-1]
	}
	for _, c := range [...]byte{'s', 'r', 'e', 'e'} {
		if w[n-1] == c {
			n--
		}
	}
	if w[n-1] == w[n-2] {
		n--
	}
	return w[:n]
}

func spanish(w []byte) []byte {
	n := len(w)
	if n < 5 {
		return w
	}
	switch w[n-1] {
	case 'o', 'a', 'e':
		return w[:n-1]
	case 's':
		switch {
		case bytes.HasSuffix(w, []byte("eses")):
			return w[:n-2]
		case bytes.HasSuffix(w, []byte("ces")):
			w[n-3] = 'z'
			return w[:n-2]
		case w[n-2] == 'o' || w[n-2] == 'a' || w[n-2] == 'e':
			return w[:n-2]
		}
	}
	return w
}

func italian(w []byte) []byte {
	n := len(w)
	if n < 6 {
		return w
	}
	switch w[n-1] {
	case 'e', 'i':
		if w[n-2] == 'i' || w[n-2] == 'h' {
			return w[:n-2]
		}
		return w[:n-1]
	case 'a', 'o':
		if w[n-2] == 'i' {
			return w[:n-2]
		}
		return w[:n-1]
	}
	return w
}

// portuguesePlurals are endings of a plural and of its singular.
var portuguesePlurals = [...]rule{
	{"oes", "ao"}, {"aes", "ao"}, {"ais", "al"}, {"eis", "el"}, {"ois", "ol"}, {"res", "r"}, {"zes", "z"}, {"ns", "m"}, {"s", ""},
}

func portuguese(w []byte) []byte {
	if len(w) < 5 {
		return w
	}
	for _, r := range portuguesePlurals {
		if bytes.HasSuffix(w, []byte(r.suffix)) {
			w = append(w[:len(w)-len(r.suffix)], r.by...)
			break
		}
	}
	if n := len(w); n > 4 && (w[n-1] == 'a' || w[n-1] == 'e' || w[n-1] == 'o') && !bytes.HasSuffix(w, []byte("ao")) {
		w = w[:n-1]
	}
	return w
}

func dutch(w []byte) []byte {
	n := len(w)
	switch {
	case n > 6 && bytes.HasSuffix(w, []byte("heden")):
		return append(w[:n-4], "id"...)
	case n > 4 && bytes.HasSuffix(w, []byte("en")):
		n -= 2
	case n > 4 && w[n-1] == 'e':
		n--
	case n > 4 && w[n-1] == 's' && w[n-2] != 's':
		n--
	}
	if n > 3 && w[n-1] == w[n-2] && !vowel(w[n-1]) { // katten, kat
		n--
	}
	if n > 3 && n < len(w) { // brieven, brief; huizen, huis
		switch w[n-1] {
		case 'v':
			w[n-1] = 'f'
		case 'z':
			w[n-1] = 's'
		}
	}
	if n > 3 && w[n-2] == w[n-3] && vowel(w[n-2]) && !vowel(w[n-1]) { // boom, bomen
		w[n-2] = w[n-1]
		n--
	}
	return w[:n]
}

// northern is for the languages of Scandinavia, whose endings have much in common.
func northern(w []byte) []byte {
	for _, s := range [...]string{"ernes", "arnas", "ornas", "ernas", "erne", "arna", "orna", "erna", "ene", "ens", "ets", "ers", "ar", "er", "or", "en", "et", "na", "a", "e"} {
		if n := len(w) - len(s); n >= 3 && string(w[n:]) == s {
			return w[:n]
		}
	}
	if n := len(w); n > 4 && w[n-1] == 's' && germanEnd(w[n-2]) {
		return w[:n-1]
	}
	return w
}

// endings are what a word may end in, and how many bytes have to stay.
type endings struct {
	keep   int
	suffix []string
}

// strip takes the first ending away that leaves enough of the word.
func strip(w []byte, all []endings) []byte {
	for _, e := range all {
		for _, s := range e.suffix {
			if n := len(w) - len(s); n >= e.keep && string(w[n:]) == s {
				return w[:n]
			}
		}
	}
	return w
}

// A letter of Cyrillic, Arabic and Hebrew is two bytes, one of Devanagari is three.
var (
	russianCases = []endings{
		{6, []string{"иями", "оями"}},
		{6, []string{"иям", "иях", "оях", "ями", "оям", "ами", "его", "ему", "ери", "ими", "ого", "ому", "ыми", "оев"}},
		{6, []string{
			"ая", "яя", "ях", "юю", "ах", "ею", "их", "ия", "ию", "ою", "ую", "ям", "ых", "ея", "ам", "ем", "ей", "ев", "ий", "им", "ое", "ой", "ом", "ов",
			"ые", "ый", "ым", "ми", "ее", "ие",
		}},
		{6, []string{"а", "е", "и", "о", "у", "й", "ы", "я", "ь", "ю"}},
	}
	arabicSuffixes = []endings{{4, []string{"ها", "ان", "ات", "ون", "ين", "يه", "ه", "ي"}}}
	arabicPrefixes = []endings{{4, []string{"وال", "بال", "كال", "فال", "ال", "لل"}}}
	hindiSuffixes  = []endings{
		{6, []string{"ियों", "ाओं", "ियां", "ुओं", "ताओं"}},
		{9, []string{"ता", "ना", "ने", "नी", "कर"}},
		{6, []string{"ों", "ें", "ाएं", "ीं", "ओं"}},
		{6, []string{"ा", "े", "ी", "ो", "ि", "ु", "ू"}},
	}
)

func russian(w []byte) []byte {
	w = strip(w, russianCases)
	if n := len(w); n > 8 && string(w[n-4:]) == "нн" {
		w = w[:n-2]
	}
	return w
}

// arabicStem is Larkey's light10, but for "and", which is also the first letter of many words.
func arabicStem(w []byte) []byte {
	for _, s := range arabicPrefixes[0].suffix {
		if n := len(s); len(w)-n >= arabicPrefixes[0].keep && string(w[:n]) == s {
			w = w[n:]
			break
		}
	}
	return strip(w, arabicSuffixes)
}
