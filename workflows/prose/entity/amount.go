package entity

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// currencies are the signs and the words that make a number an amount of money.
var currencies = sync.OnceValue(func() map[string]bool {
	return set(`eur usd gbp chf jpy cny inr brl cad aud nzd sek nok dkk pln czk huf krw rub try zar mxn sgd hkd btc eth
euro euros dollar dollars pound pounds sterling cent cents franc francs franken yen yuan rupee rupees peso pesos real reais krone kronen kronor zloty rubel dólar dólares libra libras
円 元 원 人民币`)
})

// scales are the words that multiply a number.
var scales = sync.OnceValue(func() map[string]bool {
	return set(`thousand million millions billion billions trillion tausend millionen milliarde milliarden mio mrd mille millón millones mil milhão milhões bilhão bilhões
milioni miliardi miljoen miljard k m bn b tn 万 亿 億`)
})

// percents make a number a percentage.
var percents = sync.OnceValue(func() map[string]bool {
	return set(`percent pct prozent pourcent percentage`)
})

// figure is where a number ends that begins at a token: behind its groups of digits and its fraction.
func (f *finder) figure(i int) int {
	j := i + 1
	for strings.Contains(".,'’", f.at(j).said) && f.at(j).said != "" && !f.at(j).spaced && f.at(j+1).kind == digits && !f.at(j+1).spaced {
		j += 2
	}
	return j
}

// amounts finds money and percentages.
func (f *finder) amounts() {
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].kind != digits || !f.free(i) {
			continue
		}
		end := f.figure(i)
		if n := f.percent(end); n > end {
			f.takeTokens(Percent, f.signed(i), n)
		} else if from, to := f.money(i, end); to > from {
			f.takeTokens(Money, from, to)
		}
		i = end - 1
	}
}

// signed is where a number begins that may have a sign before it.
func (f *finder) signed(i int) int {
	if p := f.at(i - 1); (p.said == "-" || p.said == "−" || p.said == "+") && !f.tokens[i].spaced && p.spaced {
		return i - 1
	}
	return i
}

// percent is where a percentage ends whose number ends before a token.
func (f *finder) percent(j int) int {
	switch t := f.at(j); {
	case t.broken:
		return j
	case t.said == "%" || t.said == "％" || t.said == "‰" || percents()[t.lower]:
		return j + 1
	case t.lower == "per" && f.at(j+1).lower == "cent", t.lower == "pour" && f.at(j+1).lower == "cent",
		t.lower == "por" && (f.at(j+1).lower == "ciento" || f.at(j+1).lower == "cento"), t.lower == "per" && f.at(j+1).lower == "cento":
		return j + 2
	}
	return j
}

// money is an amount whose number is from one token up to before another: with its sign or code before it or behind it.
func (f *finder) money(i, end int) (from, to int) {
	from, to = i, end
	if scales()[f.at(to).lower] && !f.at(to).broken {
		to++
	}
	switch p := f.at(i - 1); {
	case isCurrency(p.said) && !f.tokens[i].broken:
		if from--; !p.spaced && f.at(i-2).capitals() || f.at(i-2).said == "R" && !p.spaced || f.at(i-2).said == "C" && !p.spaced {
			from-- // US$
		}
		return f.signed(from), to
	case p.capitals() && currencies()[p.lower] && !f.tokens[i].broken:
		return i - 1, to
	}
	for _, filler := range []string{"of", "de", "di"} { // 2 millions d'euros, 3 milhões de euros
		if to > end && f.at(to).lower == filler && currencies()[f.at(to+1).lower] {
			return from, to + 2
		}
	}
	if c := f.at(to); !c.broken && (isCurrency(c.said) || currencies()[c.lower]) {
		return f.signed(from), to + 1
	}
	return 0, 0
}

func isCurrency(said string) bool {
	r, n := utf8.DecodeRuneInString(said)
	return n > 0 && n == len(said) && unicode.Is(unicode.Sc, r)
}

// phones finds numbers of telephones: with their country, or in groups, from as many digits on as they have.
func (f *finder) phones() {
	for i := 0; i < len(f.tokens); i++ {
		t := f.tokens[i]
		if !f.free(i) || !(t.said == "+" || t.said == "(" || t.kind == digits) || !t.spaced && f.at(i-1).kind != sign {
			continue
		}
		if p := f.at(i - 1); !t.spaced && strings.Contains("+-./,:#", p.said) {
			continue
		}
		if n := f.phone(i); n > 0 && f.takeTokens(Phone, i, i+n) {
			i += n - 1
		}
	}
}

// The digits that a telephone's number has, with its country and without.
const (
	fewestAbroad, fewestAtHome, mostDigits = 8, 9, 15
)

// phone is how many tokens a telephone's number has that begins at one.
func (f *finder) phone(i int) int {
	abroad := f.tokens[i].said == "+"
	count, groups, j, end := 0, 0, i, i
	for ; j < len(f.tokens) && j-i < 24 && count <= mostDigits; j++ {
		t := f.tokens[j]
		if j > i && (t.broken || !f.free(j)) {
			break
		}
		if t.kind == digits {
			if t.spaced && j > i && len(t.said) < 2 {
				break
			}
			count += len(t.said)
			groups++
			end = j + 1
			continue
		}
		if t.kind == word || !strings.Contains("+-./()", t.said) || t.said == "+" && j > i {
			break
		}
	}
	if next := f.at(end); end == i || count > mostDigits || next.kind == word && !next.spaced || f.figure(end-1) > end {
		return 0
	}
	first := f.tokens[i].said
	home := count >= fewestAtHome && groups >= 3 || count >= fewestAtHome && groups == 2 && (first[0] == '0' || first == "(")
	home = home || count >= 10 && groups == 1 && first[0] == '0'
	if abroad && count >= fewestAbroad || !abroad && home && (first[0] == '0' || first == "(" || f.threeThreeFour(i, end)) {
		return end - i
	}
	return 0
}

// threeThreeFour reports whether digits stand in groups as in North America: 555-123-4567.
func (f *finder) threeThreeFour(i, end int) bool {
	lengths := ""
	for _, t := range f.tokens[i:end] {
		if t.kind == digits {
			lengths += string(rune('0' + min(9, len(t.said))))
		}
	}
	return lengths == "334" || lengths == "1334"
}

// numbers finds what is left: numbers that are no part of a word.
func (f *finder) numbers() {
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].kind != digits || !f.free(i) {
			continue
		}
		end := f.figure(i)
		before, after := f.at(i-1), f.at(end)
		glued := !f.tokens[i].spaced && (before.kind == word || before.said == "-" && f.at(i-2).kind == word && !before.spaced || before.said == "_" || before.said == "." && f.at(i-2).kind == word && !before.spaced)
		if !glued && (after.spaced || after.kind != word || []rune(after.said)[0] >= 0x2E80) {
			f.takeTokens(Number, f.signed(i), end)
		}
		i = end - 1
	}
}
