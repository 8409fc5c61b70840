package entity

import (
	"strings"
	"sync"
)

// months are the names of months by their number, in lower case.
var months = sync.OnceValue(func() map[string]int {
	return numbered(`january jan januar jänner janvier janv enero ene janeiro gennaio januari
february feb februar février fevrier févr febrero fevereiro fev febbraio februari
march mar märz maerz mars marzo março marco maart
april apr avril avr abril abr aprile
may mai mayo maio maggio mei
june jun juni juin junio junho giugno
july jul juli juillet juil julio julho luglio
august aug août aout agosto ago augustus
september sep sept septembre septiembre setiembre setembro set settembre
october oct oktober okt octobre octubre outubro out ottobre
november nov novembre noviembre novembro
december dec dezember dez décembre decembre déc diciembre dic dezembro dicembre`)
})

// numbered is words by the number of their line.
func numbered(lines string) map[string]int {
	m := map[string]int{}
	n := 0
	for line := range strings.Lines(lines) {
		n++
		for w := range strings.FieldsSeq(line) {
			m[w] = n
		}
	}
	return m
}

// days are days by name, and by where they are from today.
var days = sync.OnceValue(func() map[string]bool {
	return set(`monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag
lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo lunedì martedì mercoledì giovedì venerdì sabato domenica
maandag dinsdag woensdag donderdag vrijdag zaterdag zondag today tomorrow yesterday heute gestern aujourd'hui hier demain ayer amanhã ontem oggi domani ieri`)
})

// sinceWords stand before a year or a month that is a time.
var sinceWords = sync.OnceValue(func() map[string]bool {
	return set(`in since until by before after during of from early late mid last next this im seit bis vor nach ab en depuis avant après desde hasta
em até antes depois dal nel dopo prima sinds vanaf jahr year año ano anno année`)
})

func set(words string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// dates finds days, months and years.
func (f *finder) dates() {
	for i := 0; i < len(f.tokens); i++ {
		if !f.free(i) {
			continue
		}
		if n := f.date(i); n > 0 && f.takeTokens(Date, i, i+n) {
			i += n - 1
		}
	}
}

// date is how many tokens a date has that begins at one; 0 when none does.
func (f *finder) date(i int) int {
	t := f.tokens[i]
	if t.kind == digits && (t.spaced || f.at(i-1).kind == sign && !strings.Contains(".,:-/", f.at(i-1).said)) {
		if n := f.digitDate(i); n > 0 {
			return n
		}
	}
	if t.kind == digits {
		if n := f.signDate(i); n > 0 {
			return n
		}
		return f.dayMonth(i)
	}
	if t.kind != word {
		return 0
	}
	if n := f.monthDay(i); n > 0 {
		return n
	}
	if days()[t.lower] && (t.lower != "hier" && t.lower != "set") {
		return 1
	}
	return 0
}

// digitDate is 2026-11-22, 22.11.2026, 11/22/26, and a year behind a word such as "since".
func (f *finder) digitDate(i int) int {
	a := f.tokens[i]
	if f.signs(i) {
		mark := f.at(i + 1).said
		b, c := f.at(i+2), f.at(i+4)
		if f.is(i+3, mark) && b.kind == digits && c.kind == digits && !b.spaced && !c.spaced && !f.goesOn(i+5) &&
			isDate(a, b, c) {
			return 5
		}
		if mark == "-" && len(a.said) == 4 && isYear(a) && len(b.said) == 2 && b.number() >= 1 && b.number() <= 12 && !b.spaced && !f.goesOn(i+3) {
			return 3
		}
	}
	if isYear(a) && !f.goesOn(i+1) && sinceWords()[f.at(i-1).lower] {
		return 1
	}
	return 0
}

// signs reports whether a sign of dates stands right behind a token.
func (f *finder) signs(i int) bool { return f.is(i+1, "-") || f.is(i+1, "/") || f.is(i+1, ".") }

// goesOn reports whether a number goes on at a token: with a digit, or with a sign and a digit.
func (f *finder) goesOn(i int) bool {
	t := f.at(i)
	if t.spaced {
		return false
	}
	if t.kind == digits || t.kind == word && t.lower != "t" && t.lower[0] < 0x80 {
		return t.lower == "" || t.lower[0] != 't'
	}
	next := f.at(i + 1)
	return strings.Contains(".,/-:%", t.said) && next.kind == digits && !next.spaced
}

// isDate reports whether three numbers are a day of the calendar, in one of the orders in use.
func isDate(a, b, c token) bool {
	x, y := a.number(), b.number()
	switch {
	case len(a.said) == 4:
		return isYear(a) && len(b.said) <= 2 && len(c.said) <= 2 && isDay(y, c.number())
	case len(a.said) > 2 || len(b.said) > 2 || len(c.said) != 4 && len(c.said) != 2 || len(c.said) == 4 && !isYear(c):
		return false
	}
	return isDay(y, x) || isDay(x, y)
}

func isYear(t token) bool { return len(t.said) == 4 && t.number() >= 1000 && t.number() <= 2199 }

// isDay reports whether a month may have a day.
func isDay(month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	switch month {
	case 2:
		return day <= 29
	case 4, 6, 9, 11:
		return day <= 30
	}
	return day <= 31
}

// signDate is 2026年11月22日, or parts of it.
func (f *finder) signDate(i int) int {
	n, j := 0, i
	for f.at(j).kind == digits && f.at(j+1).kind == word && !f.at(j+1).spaced {
		r := []rune(f.at(j + 1).said)[0]
		if r != '年' && r != '月' && r != '日' && r != '년' && r != '월' && r != '일' || len(f.at(j+1).said) > 3 {
			break
		}
		j += 2
		n += 2
	}
	return n
}

// dayMonth is "22 November 2026", "22. November", "22nd of November", "22 de novembro de 2026".
func (f *finder) dayMonth(i int) int {
	day := f.tokens[i].number()
	if day < 1 || day > 31 || len(f.tokens[i].said) > 2 {
		return 0
	}
	j := i + 1
	switch {
	case f.is(j, ".") || f.is(j, "º") || f.is(j, "-"):
		j++
	case !f.at(j).spaced && (f.at(j).lower == "st" || f.at(j).lower == "nd" || f.at(j).lower == "rd" || f.at(j).lower == "th" || f.at(j).lower == "er"):
		j++
	}
	if f.at(j).lower == "of" || f.at(j).lower == "de" {
		j++
	}
	m, ok := months()[f.at(j).lower]
	if !ok || !isDay(m, day) || f.at(j).broken {
		return 0
	}
	return f.withYear(j+1) - i
}

// withYear is where a date ends whose month ends before a token: behind a year, if there is one.
func (f *finder) withYear(j int) int {
	k := j
	if f.is(k, ".") && len(f.at(j-1).said) <= 4 || f.is(k, ",") || f.is(k, "-") {
		k++
	}
	if l := f.at(k).lower; l == "de" || l == "del" || l == "of" {
		k++
	}
	if isYear(f.at(k)) && !f.at(k).broken && !f.goesOn(k+1) {
		return k + 1
	}
	return j
}

// monthDay is "November 22, 2026", "November 2026", and a month behind a word such as "since".
func (f *finder) monthDay(i int) int {
	t := f.tokens[i]
	m, ok := months()[t.lower]
	if !ok {
		return 0
	}
	j := i + 1
	if f.is(j, ".") && len(t.said) <= 4 {
		j++
	}
	if d := f.at(j); d.number() > 0 && len(d.said) <= 2 && isDay(m, d.number()) && d.spaced && !d.broken && t.capital() {
		j++
		if l := f.at(j); !l.spaced && (l.lower == "st" || l.lower == "nd" || l.lower == "rd" || l.lower == "th") {
			j++
		}
		if !f.goesOn(j) && f.at(j).said != ":" {
			return f.withYear(j) - i
		}
		return 0
	}
	if end := f.withYear(i + 1); end > i+1 && (t.capital() || len(t.said) > 3) {
		return end - i
	}
	if t.capital() && len(t.said) >= 3 && sinceWords()[f.at(i-1).lower] {
		return 1
	}
	return 0
}

// times finds times of a day.
func (f *finder) times() {
	for i := 0; i < len(f.tokens); i++ {
		if f.tokens[i].kind != digits || !f.free(i) {
			continue
		}
		if n := f.time(i); n > 0 && f.takeTokens(Time, i, i+n) {
			i += n - 1
		}
	}
}

// time is how many tokens a time has that begins at one: 14:30, 14:30:05, 2 pm, 2:30 p.m., 14h30, 14 Uhr, 14時30分.
func (f *finder) time(i int) int {
	hour, j := f.tokens[i].number(), i+1
	if hour < 0 || hour > 24 || len(f.tokens[i].said) > 2 {
		return 0
	}
	clock := false
	for range 2 {
		minute := f.at(j + 1)
		if !f.is(j, ":") || minute.spaced || len(minute.said) != 2 || minute.number() < 0 || minute.number() > 59 {
			break
		}
		j, clock = j+2, true
	}
	if f.is(j, ":") && f.at(j+1).kind == digits && !f.at(j+1).spaced {
		return 0 // of something longer
	}
	if clock && f.is(j, ".") && f.at(j+1).kind == digits && !f.at(j+1).spaced {
		j += 2
	}
	switch t := f.at(j); {
	case t.broken:
	case t.lower == "am" || t.lower == "pm" || t.lower == "uhr" || t.lower == "h":
		return j + 1 - i
	case (t.lower == "a" || t.lower == "p") && f.is(j+1, ".") && f.is(j+2, "m"):
		if f.is(j+3, ".") {
			return j + 4 - i
		}
		return j + 3 - i
	case t.lower == "o'clock" || t.lower == "o’clock" || t.lower == "heures" || t.lower == "utc" && clock || t.lower == "z" && clock && !t.spaced:
		return j + 1 - i
	case !clock && !t.spaced && len(t.lower) == 3 && t.lower[0] == 'h' && isDigit(t.lower[1]) && isDigit(t.lower[2]):
		return j + 1 - i
	case !clock && !t.spaced && (t.said == "時" || t.said == "시"):
		j++
		if f.at(j).number() >= 0 && (f.is(j+1, "分") || f.is(j+1, "분")) {
			j += 2
		}
		return j - i
	}
	if !clock {
		return 0
	}
	return j - i
}
