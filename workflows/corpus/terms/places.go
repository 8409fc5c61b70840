package terms

// Language is the one that a text is written in, as far as its terms depend on that. The zero value is one that is not known.
type Language struct{ language language }

// codes of the languages that clients may be answered in.
var codes = [languages]string{inEnglish: "en", inGerman: "de", inFrench: "fr", inSpanish: "es", inItalian: "it", inPortuguese: "pt", inDutch: "nl"}

// Code is the language's two letters, or "" where nobody needs them.
func (l Language) Code() string { return codes[l.language] }

// Known reports whether the text told its language.
func (l Language) Known() bool { return l.language != unknown }

// LanguageOf tells the language of texts that belong together.
func LanguageOf(texts ...string) Language {
	var r reader
	for _, text := range texts {
		r.read(text, maxWords)
	}
	return Language{r.language()}
}

// Place is a word of a text, and where it stands.
type Place struct {
	From, To int      // bytes of the text
	Terms    []string // one, or more where words are joined, or are not told apart
	Function bool     // a word that every sentence has
	Number   bool     // it begins with a digit
}

// Places are the words of a text in their order, with the terms they have in a language: to be compared with the words of another
// text, which may be too short to tell that it is in the same one.
func Places(text string, in Language) []Place {
	r := reader{buf: make([]byte, 0, len(text)), words: make([]word, 0, len(text)/5+8)}
	r.read(text, maxWords)
	w := writer{buf: make([]byte, 0, len(r.buf)*5/4), cuts: make([]int, 0, len(r.words)*5/4)}
	counts := make([]int, len(r.words))
	for i := range r.words {
		before := len(w.cuts)
		w.passage(&r, &r.words[i], in.language)
		counts[i] = len(w.cuts) - before
	}
	all := w.terms()
	places := make([]Place, len(r.words))
	for i := range r.words {
		x := &r.words[i]
		first := r.buf[x.from]
		places[i] = Place{
			From: x.at, To: x.end, Terms: all[:counts[i]:counts[i]],
			Function: x.stop&(1<<in.language) != 0 || in.language == unknown && x.stop != 0,
			Number:   x.script == number || first >= '0' && first <= '9',
		}
		all = all[counts[i]:]
	}
	return places
}
