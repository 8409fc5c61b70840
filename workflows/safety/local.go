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
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
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
	n := normalise(text)
	worst := read(n.text, text)
	worst = worse(worst, disguised(n, text))
	for _, d := range decoded(text) {
		worst = worse(worst, as("encoded", read(normalise(d).text, d)))
	}
	worst.Score = math.Round(worst.Score*100) / 100
	sure := Threshold
	if strings.HasSuffix(worst.Rule, byModel) {
		sure = sureOfModel
		if strange {
			sure = sureOfStrangers
		}
	}
	if worst.Score < sure {
		return Verdict{}
	}
	return worst
}

// disguised looks at what is left when a text's disguise is taken off.
func disguised(n normal, text string) (worst Verdict) {
	if len(n.tagged) > 0 {
		worst = worse(worst, as("hidden", read(bytes.ToLower(n.tagged), string(n.tagged))))
	}
	latin := n.text
	if bytes.ContainsAny(latin, "013457@$!|+") || bytes.ContainsAny(latin, " .-_*") && len(latin) < 4096 {
		if plain, changed := leet(bytes.Clone(latin)); changed {
			worst = worse(worst, as("disguised", read(plain, text)))
		}
	}
	if foreign(latin) {
		worst = worse(worst, as("encoded", read(rotated(latin), "")))
		worst = worse(worst, as("encoded", read(backwards(latin), "")))
	}
	if swineLatin(latin) {
		worst = worse(worst, Verdict{Injection, 0.6, "encoded:turned_words"})
	}
	if repeated(latin) {
		worst = worse(worst, Verdict{Jailbreak, 0.6, "repeated"})
	}
	return worst
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
	for _, h := range hits {
		switch h.means {
		case cAbout, cHow:
			about++
		case cIgnore, cSystem, cFree, cMode, cMark, cSecret, cPersona:
			if !inQuotes(text, int(h.pos)) {
				outside = true
			}
		}
	}
	return about >= 2 && !outside
}

// inQuotes reports whether a place stands between quotation marks or within code.
func inQuotes(text []byte, at int) bool {
	return bytes.Count(text[:at], []byte{'"'})%2 == 1 && bytes.IndexByte(text[at:], '"') >= 0 ||
		bytes.Count(text[:at], []byte{'`'})%2 == 1 && bytes.IndexByte(text[at:], '`') >= 0 ||
		apostrophes(text[:at])%2 == 1
}

// apostrophes counts those that are quotation marks: after a space, or before one.
func apostrophes(text []byte) (n int) {
	for i, c := range text {
		if c == '\'' && (i == 0 || !part(text[i-1]) || i+1 == len(text) || !part(text[i+1])) {
			n++
		}
	}
	return n
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
