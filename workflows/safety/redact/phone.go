package redact

import "strings"

// phone is where a telephone number ends, or 0. Those that say so themselves are taken wherever they stand: a country's code, an area in
// parentheses, the groups of North America, a zero before groups. Others are taken where a word before them says that they are.
func (f *figures) phone(text string) int {
	if f.n > 15 || !ends(text, f.end) && f.ext == 0 || f.decimal(text) {
		return 0
	}
	end := max(f.end, f.ext)
	said := spoken(text, f.start)
	switch {
	case f.plus:
		if f.n < 8 {
			return 0
		}
		return end
	case said && !f.date():
		return end
	case f.g < 2 || f.date() || before(text, f.start, " isbn issn rfc doi ean no nr "):
		return 0
	case f.american():
		return end
	case f.paren && f.n >= 8 && f.groups[0] >= 2 && f.groups[0] <= 5:
		return end
	case f.digits[0] == '0' && f.digits[1] == '0' && f.n >= 10 && f.even():
		return end
	case f.digits[0] == '0' && f.digits[1] != '0' && f.n >= 9 && f.n <= 12 && f.groups[0] >= 2 && f.groups[0] <= 6 && f.even():
		return end
	}
	return 0
}

// american reports the groups of the North American plan: area, exchange and line, neither area nor exchange beginning with 0 or 1.
func (f *figures) american() bool {
	d, g := f.digits[:f.n], f.groups[:f.g]
	if len(g) == 4 && g[0] <= 3 && (d[g[0]-1] == '1') {
		d, g = d[g[0]:], g[1:]
	}
	return len(g) == 3 && g[0] == 3 && g[1] == 3 && g[2] == 4 && d[0] >= '2' && d[3] >= '2' && f.even()
}

// even reports whether no sign between the groups is a slash, except after the first: 0221/12345.
func (f *figures) even() bool {
	for k := 1; k < f.g-1; k++ {
		if f.seps[k] == '/' {
			return false
		}
	}
	return true
}

// date reports groups that are a date: 2026-11-22, 22.11.2026, with a time after it perhaps.
func (f *figures) date() bool {
	if f.g < 3 || f.plus || f.paren {
		return false
	}
	g, sep := f.groups, f.seps[0]
	if sep != f.seps[1] || sep == ' ' {
		return false
	}
	year := g[0] == 4 && g[1] <= 2 && g[2] <= 2 && (f.digits[0] == '1' || f.digits[0] == '2')
	day := g[0] <= 2 && g[1] <= 2 && (g[2] == 4 || g[2] == 2 && f.g == 3 && f.n <= 6)
	return year || day
}

// decimal reports a number with a fraction, or thousands: 1.234567, 1.234.567. Nobody would call it.
func (f *figures) decimal(text string) bool {
	if f.plus || f.paren {
		return false
	}
	if f.start > 1 && (text[f.start-1] == '.' || text[f.start-1] == ',') && isDigit(text[f.start-2]) {
		return true
	}
	if f.end+1 < len(text) && text[f.end] == ',' && isDigit(text[f.end+1]) {
		return true
	}
	if f.g == 2 && f.seps[0] == '.' {
		return true
	}
	thousands := f.g > 2
	for k := 1; k < f.g; k++ {
		thousands = thousands && f.groups[k] == 3 && f.seps[k-1] == '.'
	}
	return thousands
}

// callers are words after which a number is one to call.
var callers = [...]string{"phone", "call", "tel", "mobile", "fax", "cell", "dial", "whatsapp", "sms", "ring", "reach me", "text me", "handy", "telefon", "anruf", "rufnummer",
	"téléphone", "portable", "móvil", "teléfono", "llama", "celular", "cellulare", "telemóvel"}

// spoken reports whether such a word stands not far before i.
func spoken(text string, i int) bool {
	from := max(0, i-40)
	near := text[from:i]
	if k := strings.LastIndexAny(near, ".?!\n"); k >= 0 && k+1 < len(near) && near[k] != '.' {
		near = near[k+1:]
	}
	near = strings.ToLower(near)
	for _, w := range callers {
		if k := strings.LastIndex(near, w); k >= 0 && (k == 0 || !word(near[k-1]) || len(w) > 4) {
			return true
		}
	}
	return false
}
