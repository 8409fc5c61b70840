package answer

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/corpus/terms"
)

// maxFollowUps is how many questions are proposed.
const maxFollowUps = 3

// askings make a question of a subject.
var askings = map[string]string{
	"en": "What do the documents say about %?",
	"de": "Was sagen die Dokumente über %?",
	"fr": "Que disent les documents sur % ?",
	"es": "¿Qué dicen los documentos sobre %?",
	"it": "Che cosa dicono i documenti su %?",
	"pt": "O que dizem os documentos sobre %?",
	"nl": "Wat zeggen de documenten over %?",
}

// followUps proposes questions that the sources have something to say on, and the answer has not: of their headings, of the titles of those
// that it did not cite, and of the names in them. No model is asked.
func followUps(e *Evidence, r *Request, a *Answer) []string {
	used := map[string]bool{}
	for _, text := range []string{r.Question, a.Text} {
		for _, p := range terms.Places(text, terms.LanguageOf(text)) {
			for _, t := range p.Terms {
				used[t] = true
			}
		}
	}
	cited := map[string]bool{}
	for _, c := range a.Citations {
		cited[c.Source] = cited[c.Source] || c.Supported
	}
	asking, ok := askings[language(r.Question)]
	if !ok {
		asking = askings["en"]
	}
	out := []string{}
	propose := func(subject string) {
		subject = strings.Trim(strings.Join(strings.Fields(subject), " "), " #*_:.,;|-–—")
		n := utf8.RuneCountInString(subject)
		if len(out) == maxFollowUps || n < 3 || n > 80 || !news(subject, used) {
			return
		}
		question := subject
		if !strings.HasSuffix(subject, "?") {
			question = strings.Replace(asking, "%", subject, 1)
		}
		if !slices.Contains(out, question) {
			out = append(out, question)
		}
	}
	for i := range r.Sources {
		for line := range strings.Lines(r.Sources[i].Text) {
			if title, ok := heading(line); ok {
				propose(title)
			}
		}
	}
	for i := range r.Sources {
		if !cited[r.Sources[i].ChunkID] {
			propose(r.Sources[i].Title)
		}
	}
	for i := range e.sources {
		for _, name := range e.sources[i].names() {
			propose(name)
		}
	}
	return out
}

// news reports whether a subject has a word that was not spoken of, and marks its words as spoken of.
func news(subject string, used map[string]bool) bool {
	fresh := 0
	places := terms.Places(subject, terms.LanguageOf(subject))
	content := 0
	for _, p := range places {
		if p.Function || len(p.Terms) == 0 {
			continue
		}
		content++
		if !used[p.Terms[0]] {
			fresh++
		}
	}
	if fresh == 0 || 2*fresh < content {
		return false
	}
	for _, p := range places {
		for _, t := range p.Terms {
			used[t] = true
		}
	}
	return true
}

// heading is the text of a line of Markdown that is one.
func heading(line string) (string, bool) {
	rest := strings.TrimLeft(line, "#")
	n := len(line) - len(rest)
	return strings.TrimSpace(rest), n > 0 && n <= 6 && strings.HasPrefix(rest, " ")
}

// names are words with capitals that stand together inside a sentence, at least two of them.
func (s *source) names() []string {
	var out []string
	for _, at := range s.sentences {
		text := s.text[at.from:at.to]
		first, last, words := -1, -1, 0
		flush := func() {
			if words >= 2 {
				out = append(out, text[first:last])
			}
			first, words = -1, 0
		}
		places := terms.Places(text, s.language)
		for i, p := range places {
			c, _ := utf8.DecodeRuneInString(text[p.From:])
			if i == 0 || !unicode.IsUpper(c) || p.Function {
				flush()
				continue
			}
			if first >= 0 && text[last:p.From] != " " {
				flush()
			}
			if first < 0 {
				first = p.From
			}
			last = p.To
			words++
		}
		flush()
	}
	return out
}
