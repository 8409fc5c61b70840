package terms

import "levada.dev/workflows/corpus"

// What the terms of a question weigh.
const (
	ordinary   = 1.0
	functional = 0.1 // a word that every sentence has: it ranks what others found
	remainder  = 0.5 // a word without what may be a prefix
	pieced     = 0.2 // an end of a word, which is perhaps one of a compound
	hiragana   = 0.2 // two signs that are mostly endings
)

// sure is how many votes tell the language of a question: those of one word that no other language has.
const sure = 12

const everyLanguage = 1<<languages - 1

// maxQuestion is how many words of a question are read.
const maxQuestion = 2 * corpus.MaxTerms

// Question is what a question looks for: at most corpus.MaxTerms terms, each once.
//
// Its words are stemmed as those of a passage are, in the language it is asked in; a question too short to tell that is asked
// in all of them, as its documents will be in one. A passage in no known language has its words as they stand, so they are
// asked for as well. Words that say little weigh little, unless there are no others.
func Question(text string) []corpus.Term {
	var r reader
	r.read(text, maxQuestion)
	q := question{reader: &r, at: map[string]int{}}
	votes, which := r.best()
	q.stop = which
	if votes < sure {
		which = everyLanguage
	}
	q.languages = which | 1<<unknown
	for i := range r.words {
		q.word(&r.words[i])
		q.ids = append(q.ids, q.now)
	}
	for i := range r.words {
		q.now = q.ids[i]
		q.alternatives(&r.words[i])
	}
	q.now = 0
	for i := range r.words {
		q.ends(&r.words[i])
	}
	if !q.content {
		for i := range q.terms {
			q.terms[i].Weight /= functional
		}
	}
	return q.terms[:min(len(q.terms), corpus.MaxTerms)]
}

// question gathers the terms of a question.
type question struct {
	*reader
	languages uint32 // it may be in
	stop      uint32 // whose function words weigh little
	content   bool   // there are other words
	terms     []corpus.Term
	at        map[string]int
	w         writer
	ids       []int // of the words
	now       int   // the one that terms are forms of
}

// add adds what the writer has, and empties it.
func (q *question) add(weight float64, repeat bool) {
	for _, t := range q.w.take() {
		q.put(t, weight, repeat)
	}
}

// put adds a term. One that is there already gets the larger weight, or both.
func (q *question) put(t string, weight float64, repeat bool) {
	switch i, there := q.at[t]; {
	case !there:
		q.at[t] = len(q.terms)
		q.terms = append(q.terms, corpus.Term{Text: t, Weight: weight, Word: q.now})
	case repeat:
		q.terms[i].Weight += weight
	default:
		q.terms[i].Weight = max(q.terms[i].Weight, weight)
	}
}

// weight is that of a word.
func (q *question) weight(x *word) float64 {
	if x.stop&q.stop != 0 {
		return functional
	}
	q.content = true
	return ordinary
}

// word adds a word in the first language that it may be in; one that comes twice weighs twice.
func (q *question) word(x *word) {
	b := q.buf[x.from:x.to]
	switch x.script {
	case ideograph, kana, hangul:
		q.content = true
		q.w.grams(b, 2)
		for _, t := range q.w.take() {
			weight := ordinary
			if hiraganaOnly(t) {
				weight = hiragana
			}
			q.now++
			q.put(t, weight, true)
		}
		return
	case unspaced:
		q.content = true
		q.w.grams(b, 3)
		for _, t := range q.w.take() {
			q.now++
			q.put(t, ordinary, true)
		}
		return
	case hebrew:
		q.w.add(b)
	default:
		q.w.stem(b, x, q.first())
	}
	q.now++
	q.add(q.weight(x), true)
}

// first is the language that a question is most likely in.
func (q *question) first() language {
	for l := unknown + 1; l < languages; l++ {
		if q.languages&(1<<l) != 0 {
			return l
		}
	}
	return unknown
}

// alternatives adds what the word is in the other languages.
func (q *question) alternatives(x *word) {
	b := q.buf[x.from:x.to]
	switch x.script {
	case latin, cyrillic:
		for l := range languages {
			if q.languages&(1<<l) != 0 {
				q.w.stem(b, x, l)
			}
		}
		q.add(q.weight(x), false)
	case hebrew:
		if rest := afterPrefix(b); rest != nil {
			q.w.add(rest)
			q.add(remainder, false)
		}
	}
}

// ends adds the ends of a long word, for languages that join words.
func (q *question) ends(x *word) {
	if !x.plain || x.stop&q.stop != 0 {
		return
	}
	for l := range languages {
		if q.languages&(1<<l) == 0 || !l.joins() || l == unknown && q.languages != everyLanguage {
			continue
		}
		q.w.stem(q.buf[x.from:x.to], x, l)
		stem := q.w.take()[0]
		q.w.ends([]byte(stem))
		q.add(pieced, false)
	}
}

func hiraganaOnly(s string) bool {
	for _, r := range s {
		if r < 0x3041 || r > 0x309F {
			return false
		}
	}
	return true
}
