package safety

import (
	"bytes"
	"context"
	"math"
	"strings"
	"unicode/utf8"

	"levada.dev/tenants"
)

// Local is the Screener that needs nothing but the text. The zero value is ready.
type Local struct{}

var _ Screener = Local{}

// Screen implements Screener.
func (Local) Screen(ctx context.Context, s tenants.Scope, a Ask) (Verdict, error) {
	if err := s.Check(); err != nil {
		return Verdict{}, err
	}
	var worst Verdict
	for rest := a.Text; rest != ""; {
		if err := ctx.Err(); err != nil {
			return Verdict{}, err
		}
		piece := rest
		if len(piece) > maxText {
			piece, rest = cut(rest, maxText), cut2(rest, maxText-overlap)
		} else {
			rest = ""
		}
		if v := screen(piece, a.Strange); v.Score > worst.Score {
			worst = v
		}
	}
	return worst, nil
}

// cut is the first n bytes, up to a letter's end; cut2 is what follows them.
func cut(text string, n int) string {
	for k := n; k > max(0, n-utf8.UTFMax); k-- { // what has no letters is cut anywhere
		if utf8.RuneStart(text[k]) {
			return text[:k]
		}
	}
	return text[:n]
}

func cut2(text string, n int) string { return text[len(cut(text, n)):] }

// What the linear model must be sure of to speak alone of a text that is long and about anything: a document has a hundred sentences, a
// question one.
const (
	byModel         = "model"
	sureOfModel     = 0.6
	sureOfStrangers = 0.9
)

// screen is the verdict on a piece.
func screen(text string, strange bool) Verdict {
	var worst Verdict
	found := func(v Verdict) { worst = worse(worst, sure(v, strange)) }
	n := normalise(text)
	found(read(n.text, text))
	disguised(n, text, found)
	for _, d := range decoded(text) {
		found(as("encoded", read(normalise(d).text, d)))
	}
	return worst
}

// sure is a verdict, if its score is enough for who says it: what the model says alone must not stand before what a rule does.
func sure(v Verdict, strange bool) Verdict {
	v.Score = math.Round(v.Score*100) / 100
	least := Threshold
	if strings.HasSuffix(v.Rule, byModel) {
		least = sureOfModel
		if strange {
			least = sureOfStrangers
		}
	}
	if v.Score < least {
		return Verdict{}
	}
	return v
}

// disguised looks at what is left when a text's disguise is taken off.
func disguised(n normal, text string, found func(Verdict)) {
	if len(n.tagged) > 0 {
		found(as("hidden", read(bytes.ToLower(n.tagged), string(n.tagged))))
	}
	latin := n.text
	if bytes.ContainsAny(latin, "013457@$!|+") || bytes.ContainsAny(latin, " .-_*") && len(latin) < 4096 {
		if plain, changed := leet(bytes.Clone(latin)); changed {
			found(as("disguised", read(plain, text)))
		}
	}
	if foreign(latin) {
		found(as("encoded", read(rotated(latin), "")))
		found(as("encoded", read(backwards(latin), "")))
	}
	if swineLatin(latin) {
		found(Verdict{Injection, 0.6, "encoded:turned_words"})
	}
	if repeated(latin) {
		found(Verdict{Jailbreak, 0.6, "repeated"})
	}
}

// read asks the rules and the model of a text without disguise. The original has the capitals and lines that the model does not need.
func read(text []byte, original string) Verdict {
	if len(text) == 0 {
		return Verdict{}
	}
	var room [128]hit
	hits := words().scan(text, room[:0])
	v := judge(hits)
	if score := model().most(text, hits); score > v.Score && !v.Found() {
		v = Verdict{Injection, score, byModel}
		if jailbreaking(hits) {
			v.Kind = Jailbreak
		}
	}
	if v.Found() && v.Score < 0.99 && quoted(text, hits) {
		v.Score *= 0.5
	}
	return v
}

// jailbreaking reports whether what was found is of roles and stories rather than of instructions.
func jailbreaking(hits []hit) bool {
	n := 0
	for _, h := range hits {
		switch h.means {
		case cFree, cPersona, cMode, cStory, cSafety, cHarm:
			n++
		case cIgnore, cSystem, cSecret, cAbove, cTold:
			n--
		}
	}
	return n > 0
}

// quoted reports whether somebody writes about attacks: they say so, and what would be one stands between quotation marks.
func quoted(text []byte, hits []hit) bool {
	about, outside := 0, false
	q := quotes{text: text, last: bytes.LastIndexByte(text, '"'), code: bytes.LastIndexByte(text, '`')}
	for _, h := range hits {
		switch h.means {
		case cAbout, cHow:
			about++
		case cIgnore, cSystem, cFree, cMode, cMark, cSecret, cPersona:
			outside = outside || !q.around(int(h.pos))
		}
	}
	return about >= 2 && !outside
}

// quotes counts a text's quotation marks once, for places that come in their order.
type quotes struct {
	text       []byte
	last, code int // where the last of them stand
	at         int // what lies before is counted

	double, back, single int
}

// around reports whether a place stands between quotation marks or within code. An apostrophe is a quotation mark after a space, or before one.
func (q *quotes) around(pos int) bool {
	for ; q.at < pos; q.at++ {
		switch i := q.at; q.text[i] {
		case '"':
			q.double++
		case '`':
			q.back++
		case '\'':
			if i == 0 || !part(q.text[i-1]) || i+1 == len(q.text) || !part(q.text[i+1]) {
				q.single++
			}
		}
	}
	return q.double%2 == 1 && q.last >= pos || q.back%2 == 1 && q.code >= pos || q.single%2 == 1
}

func worse(a, b Verdict) Verdict {
	if b.Score > a.Score {
		return b
	}
	return a
}

// as says how a finding was hidden.
func as(how string, v Verdict) Verdict {
	if v.Found() && !strings.HasPrefix(v.Rule, how) {
		v.Rule = how + ":" + v.Rule
	}
	return v
}
