package redact

import "strings"

// figures is a run of groups of digits, with at most two signs between two of them.
type figures struct {
	digits [40]byte
	n      int // of digits
	groups [16]int
	g      int // of groups
	seps   [16]byte
	start  int
	end    int // after the last digit
	plus   bool
	paren  bool
	ext    int // where an extension ends, 0 without
}

// numbers finds what begins with the digit, + or ( at i.
func numbers(text string, i int) (finding, bool) {
	f := readFigures(text, i)
	if f.n < 7 {
		return finding{}, false
	}
	if !f.plus && !f.paren {
		if end := f.card(text); end > 0 {
			return finding{i, end, Card}, true
		}
		if end := national(text, &f); end > 0 {
			return finding{i, end, NationalID}, true
		}
	}
	if end := f.phone(text); end > 0 {
		return finding{i, end, Phone}, true
	}
	return finding{}, false
}

// readFigures reads as far as a number may go.
func readFigures(text string, i int) figures {
	f := figures{start: i}
	k := i
	if text[k] == '+' {
		f.plus = true
		k++
	}
	f.groups[0] = 0
	for k < len(text) && f.n < len(f.digits) && f.g < len(f.groups)-1 {
		if !isDigit(text[k]) {
			step, sep := separator(text, k)
			if step == 0 || f.n == 0 && text[k] != '(' {
				break
			}
			if text[k] == '(' || step > 1 && strings.IndexByte(text[k:k+step], '(') >= 0 {
				f.paren = true
			}
			if f.n > 0 {
				f.seps[f.g] = sep
				f.g++
			}
			k += step
			continue
		}
		f.digits[f.n] = text[k]
		f.n++
		f.groups[f.g]++
		k++
		f.end = k
	}
	if f.n > 0 {
		f.g++
	}
	if f.g > 0 && f.groups[f.g-1] == 0 {
		f.g--
	}
	f.extension(text)
	return f
}

// separator is how many signs stand between two groups of digits at k, and which one matters; 0 where the number ends.
func separator(text string, k int) (int, byte) {
	sep, n := byte(0), 0
	for ; k+n < len(text) && n < 3; n++ {
		switch c := text[k+n]; c {
		case ' ', '-', '.', '/', '(', ')':
			if sep == 0 || sep == ' ' {
				sep = c
			}
		default:
			if isDigit(c) && n > 0 {
				return n, sep
			}
			return 0, 0
		}
	}
	if k+n < len(text) && isDigit(text[k+n]) {
		return n, sep
	}
	return 0, 0
}

// extension reads "x5272", "ext. 12".
func (f *figures) extension(text string) {
	k := f.end
	if k < len(text) && text[k] == ' ' {
		k++
	}
	switch {
	case hasFold(text, k, "ext"):
		k += 3
		for k < len(text) && (text[k] == '.' || text[k] == ' ') {
			k++
		}
	case hasFold(text, k, "x"):
		k++
	default:
		return
	}
	from := k
	for k < len(text) && k-from < 6 && isDigit(text[k]) {
		k++
	}
	if k > from && ends(text, k) {
		f.ext = k
	}
}

// card is where a payment card's number ends: 12 to 19 digits of an issuer's range, which Luhn's formula takes. Groups are of four digits, or
// as on cards of 14 and 15.
func (f *figures) card(text string) int {
	if f.n < 12 || f.n > 19 || !ends(text, f.end) || !issued(f.digits[:f.n]) || !luhn(f.digits[:f.n]) {
		return 0
	}
	for k := range f.g {
		last := k == f.g-1
		switch n := f.groups[k]; {
		case f.g == 1, n == 4, last && n < 4, f.n <= 15 && k > 0 && n >= 4 && n <= 6:
		default:
			return 0
		}
		if !last && f.seps[k] != ' ' && f.seps[k] != '-' {
			return 0
		}
	}
	return f.end
}

// issued reports whether a card may begin so: https://www.iso.org/standard/70484.html gives the ranges to issuers.
func issued(d []byte) bool {
	switch {
	case len(d) == 12:
		return d[0] == '6' || d[0] == '5' && (d[1] == '0' || d[1] >= '6')
	case d[0] == '4', d[0] == '5', d[0] == '6', d[0] == '3' && d[1] != '1' && d[1] != '2':
		return true
	case d[0] == '2':
		return len(d) == 16 && d[1] >= '2' && d[1] <= '7' || string(d[:4]) == "2131"
	}
	return string(d[:4]) == "1800"
}

func luhn(d []byte) bool {
	sum := 0
	for k := range d {
		n := int(d[len(d)-1-k] - '0')
		if k%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}

// uuid is the end of an id of 8-4-4-4-12 hexadecimal digits, or of 32, that begins at i: ours are in every line of the log.
func uuid(text string, i int) int {
	k := i
	for k < len(text) && k-i < 37 && (isHex(text[k]) || text[k] == '-' && dashed(k-i)) {
		k++
	}
	n, dashes := k-i, strings.Count(text[i:k], "-")
	if (n == 36 && dashes == 4 || n == 32 && dashes == 0) && ends(text, k) {
		return k
	}
	return 0
}

// dashed reports the places of an id where its dashes stand.
func dashed(k int) bool { return k == 8 || k == 13 || k == 18 || k == 23 }
