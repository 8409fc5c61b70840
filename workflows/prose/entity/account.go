package entity

import "strings"

// accounts finds numbers of bank accounts and of cards whose check digits are right.
func (f *finder) accounts() {
	for i, t := range f.tokens {
		if !f.free(i) || !t.spaced && f.at(i-1).kind != sign {
			continue
		}
		switch {
		case t.kind == word && len(t.said) >= 4 && t.capitals() && isIBANStart(t.said):
			if to := grouped(f.text, t.from, 34, alnum); isIBAN(strip(f.text[t.from:to])) {
				f.take(IBAN, t.from, to)
			} else if to := t.to; isIBAN(t.said) {
				f.take(IBAN, t.from, to)
			}
		case t.kind == digits && (len(t.said) == 4 || len(t.said) >= 13):
			if to := grouped(f.text, t.from, 19, isDigit); isCard(strip(f.text[t.from:to])) {
				f.take(CreditCard, t.from, to)
			}
		}
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func alnum(c byte) bool   { return isDigit(c) || c >= 'A' && c <= 'Z' }

// grouped is the end of signs that stand in groups of four and fewer, or in one, with a space or a hyphen between.
func grouped(text string, from, most int, is func(byte) bool) int {
	to, count := from, 0
	for i := from; i < len(text) && count <= most; i++ {
		switch {
		case is(text[i]):
			count++
			to = i + 1
		case (text[i] == ' ' || text[i] == '-') && to == i:
		default:
			return to
		}
	}
	return to
}

func strip(text string) string { return strings.NewReplacer(" ", "", "-", "").Replace(text) }

func isIBANStart(s string) bool {
	return s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && isDigit(s[2]) && isDigit(s[3])
}

// isIBAN checks a number by its remainder (ISO 13616).
func isIBAN(s string) bool {
	if len(s) < 15 || len(s) > 34 || !isIBANStart(s) {
		return false
	}
	rest := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case isDigit(c):
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z':
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// isCard checks a number by its last digit (Luhn).
func isCard(s string) bool {
	if len(s) < 13 || len(s) > 19 || strings.Trim(s, "0") == "" || strings.IndexByte("23456", s[0]) < 0 {
		return false
	}
	sum := 0
	for i := range len(s) {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
