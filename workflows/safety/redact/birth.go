package redact

// births are words after which a date is that of somebody's birth.
var births = [...]string{"date of birth", "birth date", "birthdate", "birthday", "born", "dob", "d.o.b.", "geburtsdatum", "geboren", "geb.", "date de naissance",
	"née le", "né le", "fecha de nacimiento", "nacido el", "nacida el", "data di nascita", "nato il", "nata il", "data de nascimento", "nascido em", "nascida em"}

// birth finds a date that follows a word that begins at i and says that it is of a birth, with a few short words between them.
func birth(text string, i int) (finding, bool) {
	switch fold(text[i]) {
	case 'b', 'd', 'g', 'n', 'f':
	default:
		return finding{}, false
	}
	for _, w := range births {
		if !hasFold(text, i, w) || !ends(text, i+len(w)) {
			continue
		}
		k := i + len(w)
		for range 4 {
			for k < len(text) && (text[k] == ' ' || text[k] == ':' || text[k] == '=' || text[k] == '(' || text[k] == '"') {
				k++
			}
			if end := date(text, k); end > 0 {
				return finding{k, end, BirthDate}, true
			}
			from := k
			for k < len(text) && k-from < 5 && word(text[k]) {
				k++
			}
			if k == from || k-from > 4 || !ends(text, k) { // is, on, am, the, le
				break
			}
		}
	}
	return finding{}, false
}

// date is where a date ends that begins at i, or 0: 1985-04-12, 12.04.1985, 4/12/85, 12 April 1985, April 12, 1985.
func date(text string, i int) int {
	if end := numeric(text, i); end > 0 {
		return end
	}
	k, day := digitsAt(text, i, 2)
	if day {
		for k < len(text) && (text[k] == '.' || text[k] == ' ' || hasFold(text, k, "th") || hasFold(text, k, "st") || hasFold(text, k, "nd") || hasFold(text, k, "rd") || hasFold(text, k, "de ") || hasFold(text, k, "of ")) {
			k++
			if k < len(text) && (text[k] == 'h' || text[k] == 't' || text[k] == 'd') && isDigit(text[k-2]) {
				k++
			}
		}
	}
	m := month(text, k)
	if m == 0 {
		return 0
	}
	k = m
	for k < len(text) && (text[k] == ' ' || text[k] == '.' || text[k] == ',') {
		k++
	}
	if hasFold(text, k, "de ") {
		k += 3
	}
	if !day {
		after, ok := digitsAt(text, k, 2)
		if !ok || after < len(text) && isDigit(text[after]) {
			return year(text, k)
		}
		k = after
		if hasFold(text, k, "th") || hasFold(text, k, "st") || hasFold(text, k, "nd") || hasFold(text, k, "rd") {
			k += 2
		}
		for k < len(text) && (text[k] == ' ' || text[k] == ',') {
			k++
		}
	}
	return year(text, k)
}

// numeric is the end of a date of three numbers with the same sign between them.
func numeric(text string, i int) int {
	a, ok := digitsAt(text, i, 4)
	if !ok || a >= len(text) {
		return 0
	}
	sep := text[a]
	if sep != '-' && sep != '.' && sep != '/' {
		return 0
	}
	b, ok := digitsAt(text, a+1, 2)
	if !ok || b >= len(text) || text[b] != sep {
		return 0
	}
	c, ok := digitsAt(text, b+1, 4)
	if !ok || !ends(text, c) {
		return 0
	}
	return c
}

// year is the end of a year of four digits.
func year(text string, i int) int {
	if k, ok := digitsAt(text, i, 4); ok && k-i == 4 && ends(text, k) {
		return k
	}
	return 0
}

// digitsAt is the end of 1 to most digits.
func digitsAt(text string, i, most int) (int, bool) {
	k := i
	for k < len(text) && k-i < most && isDigit(text[k]) {
		k++
	}
	return k, k > i
}

// months are beginnings of the months' names in the languages of births.
var months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
	"mär", "mai", "okt", "dez", "fév", "avr", "jui", "aoû", "déc", "ene", "abr", "ago", "dic", "gen", "mag", "giu", "lug", "set", "ott", "fev", "out"}

// month is the end of a month's name that begins at i, or 0.
func month(text string, i int) int {
	for _, m := range months {
		if hasFold(text, i, m) {
			k := i
			for k < len(text) && k-i < 12 && word(text[k]) && !isDigit(text[k]) {
				k++
			}
			return k
		}
	}
	return 0
}
