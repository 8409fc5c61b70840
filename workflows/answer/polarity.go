package answer

import (
	"strings"
	"sync"

	"levada.dev/workflows/corpus/terms"
)

// negators deny, by language; where it is not known, by the first.
var negators = map[string]string{
	"":   " no not never none nobody nothing neither nor without cannot nicht kein keine pas jamais ",
	"en": " no not never none nobody nothing neither nor without cannot cant dont ",
	"de": " nicht kein keine keinen keinem keiner keines nie niemals niemand nichts ohne weder ",
	"fr": " pas jamais aucun aucune sans rien ",
	"es": " no nunca jamas jamás sin ningun ningún ninguna nada ",
	"it": " non mai senza nessun nessuno nessuna ",
	"pt": " não nunca sem nenhum nenhuma ",
	"nl": " niet geen nooit zonder niemand niets ",
}

func negates(word string, in terms.Language) bool {
	if len(word) < 2 || len(word) > 9 {
		return false
	}
	lower := strings.ToLower(word)
	if strings.HasSuffix(lower, "n't") || strings.HasSuffix(lower, "n’t") {
		return true
	}
	words, ok := negators[in.Code()]
	if !ok {
		words = negators[""]
	}
	at := strings.Index(words, lower)
	return at > 0 && words[at-1] == ' ' && words[at+len(lower)] == ' '
}

// numerals are numbers that are written as words, from two on: one is an article in too many languages.
var numerals = map[string]string{
	"":   "two three four five six seven eight nine ten eleven twelve",
	"en": "two three four five six seven eight nine ten eleven twelve",
	"de": "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
}

// numeral is a number that is written as a word, in digits.
func numeral(word string, in terms.Language) (string, bool) {
	if len(word) < 3 || len(word) > 7 {
		return "", false
	}
	words, ok := numerals[in.Code()]
	if !ok {
		return "", false
	}
	lower, n := strings.ToLower(word), 2
	for w := range strings.FieldsSeq(words) {
		if w == lower {
			return digits[n], true
		}
		n++
	}
	return "", false
}

var digits = [...]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}

// opposites are words that say the contrary of one another.
var opposites = [...][2]string{
	{"increase rise higher more greater grow upregulate elevate", "decrease reduce lower less fewer decline fall drop downregulate"},
	{"before", "after"},
	{"above over", "below under"},
	{"first earliest", "last latest"},
	{"larger bigger longer", "smaller shorter"},
	{"win won", "lose lost"},
	{"open", "close shut"},
	{"allow permit may", "forbid prohibit ban"},
	{"maximum most", "minimum least"},
	{"positive", "negative"},
	{"enable activate promote", "disable inhibit prevent suppress block"},
	{"always", "never"},
	{"north northern", "south southern"},
	{"east eastern", "west western"},
	{"left", "right"},
}

// sides is which sides of the opposites a text takes: two bits for each pair.
type sides uint32

// opposed reports whether two texts take different sides of a pair, each only one.
func (a sides) opposed(b sides) bool {
	for i := range len(opposites) {
		x, y := a>>(2*i)&3, b>>(2*i)&3
		if x != 0 && x != 3 && y == 3-x {
			return true
		}
	}
	return false
}

// english is the language of the opposites, and which sides its terms take. It is made when the first text comes, by a function that a Worker
// which checks nothing does not have in it.
var english struct {
	sync.Once
	language terms.Language
	sides    map[string]sides
}

func readOpposites() {
	english.language = terms.LanguageOf("the words that are in this")
	english.sides = make(map[string]sides, 64)
	for i, pair := range opposites {
		for side, words := range pair {
			for _, p := range terms.Places(words, english.language) {
				english.sides[p.Terms[0]] |= 1 << (2*i + side)
			}
		}
	}
}

func sidesOf(term string, in terms.Language) sides {
	english.Do(readOpposites)
	if in != english.language {
		return 0
	}
	return english.sides[term]
}
