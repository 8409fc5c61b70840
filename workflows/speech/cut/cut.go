package cut

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"levada.dev/workflows/prose"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
)

const (
	// FirstChars is how long a first part may be: whoever listens while it is made waits for it.
	FirstChars = 300
	// sampledChars is how long a part may be that comes as samples, which take 3.6 MB for so many characters at sampledRate. What has more samples a
	// second, or is spoken more slowly, has so much fewer characters.
	sampledChars = 1_000
	sampledRate  = 24_000
)

// Of cuts an order into what its model speaks at once. What cannot be joined stays whole.
func Of(o speech.Order) ([]speech.Cut, error) {
	m, err := speech.FindModel(o.Model)
	if err != nil {
		return nil, err
	}
	if o.Format != audio.WAV && o.Format != audio.MP3 {
		return []speech.Cut{{To: len(o.Text), Chars: o.Chars()}}, nil
	}
	return Parts(o.Text, Limit(m, o)), nil
}

// Limit is how many characters a part of an order has at most that its model speaks.
func Limit(m speech.Model, o speech.Order) int {
	if o.Format != audio.WAV {
		return m.MaxChars
	}
	slow := 100
	if o.Speed > 0 {
		slow = min(slow, o.Speed)
	}
	return min(sampledChars*sampledRate/m.Rate*slow/100, m.MaxChars)
}

// Parts cuts a text at its sentences into parts of at most so many characters, the first of FirstChars. A sentence that is longer is cut between
// words, and a word between letters. What has neither letter nor digit is no part of its own. A heading begins a part, which is a chapter. The same text is always cut the same.
func Parts(text string, most int) []speech.Cut {
	c := cutter{text: text, most: max(1, most)}
	for _, s := range prose.Sentences(text) {
		c.chapter(s)
		for s.From < s.To {
			s.From = c.add(s)
		}
	}
	c.close()
	return c.parts
}

// Spoken is what is said of a part: its sentences without the signs of headings and lists, each on a line of its own. It is not longer than the part.
func Spoken(text string, p speech.Cut) string {
	part := text[p.From:p.To]
	var b strings.Builder
	last := 0
	for _, s := range prose.Sentences(part) {
		if b.Len() > 0 && s.From > last {
			b.WriteByte('\n')
		}
		b.WriteString(s.Of(part))
		last = s.To
	}
	if b.Len() == 0 {
		return part
	}
	return b.String()
}

type cutter struct {
	text  string
	most  int
	parts []speech.Cut
	open  speech.Cut // the part that is being filled; empty when its Chars are 0
	at    int        // byte up to which characters are counted,
	chars int        // and how many there are
}

// add takes as much of a span into the open part as there is room for, or begins another, and says how far it came.
func (c *cutter) add(s prose.Span) int {
	from := s.From
	if c.open.Chars > 0 {
		from = c.open.From
	}
	if n := utf8.RuneCountInString(c.text[from:s.To]); n <= c.room() {
		c.take(from, s.To, n)
		return s.To
	}
	if c.open.Chars > 0 { // it begins the next
		c.close()
		return s.From
	}
	to := s.From + end(c.text[s.From:s.To], c.room())
	c.take(s.From, to, utf8.RuneCountInString(c.text[s.From:to]))
	c.close()
	return to + len(c.text[to:s.To]) - len(strings.TrimLeftFunc(c.text[to:s.To], unicode.IsSpace))
}

func (c *cutter) room() int {
	if len(c.parts) == 0 {
		return min(FirstChars, c.most)
	}
	return c.most
}

func (c *cutter) take(from, to, chars int) {
	if c.open.Chars == 0 {
		c.chars += utf8.RuneCountInString(c.text[c.at:from])
		c.at = from
		c.open.From, c.open.At = from, c.chars
	}
	c.open.To, c.open.Chars = to, chars
}

// close ends the open part. One of signs alone, such as a rule across the page, is left out: there is nothing in it to say.
func (c *cutter) close() {
	if c.open.Chars > 0 {
		if !speech.Sayable(c.text[c.open.From:c.open.To]) {
			c.open = speech.Cut{}
			return
		}
		c.parts = append(c.parts, c.open)
		c.open = speech.Cut{}
	}
}

// chapter begins a part where a sentence is the first of a heading.
func (c *cutter) chapter(s prose.Span) {
	line := strings.LastIndexByte(c.text[:s.From], '\n') + 1
	title := s.Of(c.text)
	switch {
	case headed(c.text[line:s.From]):
		title, _, _ = strings.Cut(c.text[s.From:], "\n")
		title = strings.TrimRight(title, "# \t\r")
	case line == s.From && numbered(title):
	default:
		return
	}
	if !speech.Sayable(title) {
		return
	}
	if c.open.Chapter != "" && c.open.Chars == 0 {
		return
	}
	c.close()
	c.open.Chapter = clip(strings.Join(strings.Fields(title), " "))
}

// headed reports whether what comes before a line's first letter makes it a heading of Markdown: up to six #, and a space.
func headed(before string) bool {
	signs := strings.TrimLeft(before, " \t")
	rest := strings.TrimLeft(signs, "#")
	n := len(signs) - len(rest)
	return n > 0 && n <= 6 && rest != "" && strings.Trim(rest, " \t") == ""
}

// maxTitle is how much of a heading is a chapter's title, in characters.
const maxTitle = 100

func clip(title string) string {
	n := 0
	for i := range title {
		if n == maxTitle {
			return title[:i] + "…"
		}
		n++
	}
	return title
}

// numbered reports whether a line is a heading such as "Chapter 3" or "Part IV".
func numbered(line string) bool {
	words := strings.Fields(line)
	if len(words) < 2 || len(words) > 12 {
		return false
	}
	switch strings.ToLower(words[0]) {
	case "chapter", "part", "kapitel", "teil", "chapitre", "capítulo", "capitolo":
	default:
		return false
	}
	return strings.Trim(strings.ToLower(words[1]), "0123456789ivxlc.:–-") == ""
}

// end is where a sentence of too many characters is cut: after the last clause, else between words, else between letters.
func end(sentence string, most int) int {
	limit, n := len(sentence), 0
	for i := range sentence {
		if n == most {
			limit = i
			break
		}
		n++
	}
	head := sentence[:limit]
	if i := strings.LastIndexAny(head, ",;:–—、，；："); i > limit/2 {
		_, size := utf8.DecodeRuneInString(head[i:])
		return i + size
	}
	if i := strings.LastIndexFunc(head, unicode.IsSpace); i > 0 {
		return i
	}
	return limit
}
