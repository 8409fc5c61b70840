package redact

import "strings"

// national is where a national number of digits ends, or 0. Those without check digits are taken by their groups alone.
//
//	US SSN         123-45-6789, without the areas that were never given
//	Brazil CPF     123.456.789-09 or 11 digits, two check digits
//	Germany        tax id: 11 digits, one of the first ten twice or thrice, check digit
//	Poland PESEL   11 digits that begin with a date, check digit
//	France NIR     13 digits and 2 that check them
//	India Aadhaar  1234 5678 9012, Verhoeff's check digit
func national(text string, f *figures) int {
	if !ends(text, f.end) {
		return 0
	}
	d := f.digits[:f.n]
	ok := false
	switch f.n {
	case 9:
		ok = f.grouped(3, 2, 4) && f.seps[0] == f.seps[1] && (f.seps[0] == '-' || f.seps[0] == ' ') && ssn(d)
	case 11:
		plain := f.g == 1
		ok = (plain || f.grouped(3, 3, 3, 2) && f.seps[2] == '-') && cpf(d) ||
			(plain || f.grouped(2, 3, 3, 3)) && germanTax(d) ||
			plain && pesel(d)
	case 12:
		ok = f.grouped(4, 4, 4) && d[0] >= '2' && verhoeff(d)
	case 15:
		ok = (d[0] == '1' || d[0] == '2') && (f.g == 1 || f.groups[0] == 1) && nir(d)
	}
	if ok {
		return f.end
	}
	return 0
}

func (f *figures) grouped(sizes ...int) bool {
	if f.g != len(sizes) {
		return false
	}
	for k, n := range sizes {
		if f.groups[k] != n {
			return false
		}
	}
	return true
}

func value(d []byte) (n int64) {
	for _, c := range d {
		n = n*10 + int64(c-'0')
	}
	return n
}

// ssn: https://secure.ssa.gov/poms.nsf/lnx/0110201035.
func ssn(d []byte) bool {
	area := value(d[:3])
	return area != 0 && area != 666 && area < 900 && value(d[3:5]) != 0 && value(d[5:]) != 0
}

func cpf(d []byte) bool {
	same := true
	for k := 1; k < 11; k++ {
		same = same && d[k] == d[0]
	}
	if same {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for k := range n {
			sum += int(d[k]-'0') * (n + 1 - k)
		}
		if sum*10%11%10 != int(d[n]-'0') {
			return false
		}
	}
	return true
}

// germanTax checks by ISO 7064, MOD 11,10.
func germanTax(d []byte) bool {
	var times [10]int
	for _, c := range d[:10] {
		times[c-'0']++
	}
	twice := 0
	for _, n := range times {
		if n > 3 {
			return false
		}
		if n > 1 {
			twice++
		}
	}
	if d[0] == '0' || twice != 1 {
		return false
	}
	p := 10
	for _, c := range d[:10] {
		if p = (p + int(c-'0')) % 10; p == 0 {
			p = 10
		}
		p = p * 2 % 11
	}
	return (11-p)%10 == int(d[10]-'0')
}

func pesel(d []byte) bool {
	month, day := value(d[2:4])%20, value(d[4:6])
	if month < 1 || month > 12 || day < 1 || day > 31 {
		return false
	}
	sum := 0
	for k, w := range [10]int{1, 3, 7, 9, 1, 3, 7, 9, 1, 3} {
		sum += w * int(d[k]-'0')
	}
	return (10-sum%10)%10 == int(d[10]-'0')
}

func nir(d []byte) bool {
	month := value(d[3:5])
	return month >= 1 && (month <= 12 || month >= 20) && 97-value(d[:13])%97 == value(d[13:])
}

// verhoeff multiplies and permutes in the group of the five-sided figure.
func verhoeff(d []byte) bool {
	turn := func(a, b int) int {
		switch {
		case a < 5 && b < 5:
			return (a + b) % 5
		case a < 5:
			return (a+b)%5 + 5
		case b < 5:
			return (a-b+5)%5 + 5
		}
		return (a - b + 5) % 5
	}
	order := [10]int{1, 5, 7, 6, 2, 8, 3, 0, 9, 4}
	c := 0
	for k := range d {
		n := int(d[len(d)-1-k] - '0')
		for range k % 8 {
			n = order[n]
		}
		c = turn(c, n)
	}
	return c == 0
}

// lettered is where a national number with letters ends that begins at i, or 0.
//
//	UK NINO                QQ 12 34 56 C, without the prefixes that were never given
//	Spain NIE              X1234567L, the letter checks
//	Italy codice fiscale   RSSMRA85T10A562S, the letter checks
func lettered(text string, i int) int {
	if !isUpper(text[i]) {
		return 0
	}
	if end := nino(text, i); end > 0 {
		return end
	}
	if c := text[i]; c >= 'X' && c <= 'Z' && i+9 <= len(text) && ends(text, i+9) && allDigits(text[i+1:i+8]) {
		n := int64(c-'X')*10_000_000 + value([]byte(text[i+1:i+8]))
		if spanish(n) == text[i+8] {
			return i + 9
		}
	}
	if i+16 <= len(text) && ends(text, i+16) && fiscal(text[i:i+16]) {
		return i + 16
	}
	return 0
}

func allDigits(s string) bool {
	for k := range len(s) {
		if !isDigit(s[k]) {
			return false
		}
	}
	return true
}

// spanish is the letter that checks a number of the DNI or NIE.
func spanish(n int64) byte { return "TRWAGMYFPDXBNJZSQVHLCKE"[n%23] }

// nino: https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110.
func nino(text string, i int) int {
	var c [9]byte
	n, k := 0, i
	for ; k < len(text) && n < 9; k++ {
		if text[k] == ' ' && (n == 2 || n == 4 || n == 6 || n == 8) {
			continue
		}
		if n < 2 || n == 8 {
			if !isUpper(text[k]) {
				return 0
			}
		} else if !isDigit(text[k]) {
			return 0
		}
		c[n] = text[k]
		n++
	}
	pair := string(c[:2])
	switch {
	case n < 9, !ends(text, k), c[8] > 'D',
		strings.IndexByte("DFIQUV", c[0]) >= 0, strings.IndexByte("DFIOQUV", c[1]) >= 0,
		pair == "BG", pair == "GB", pair == "KN", pair == "NK", pair == "NT", pair == "TN", pair == "ZZ":
		return 0
	}
	return k
}

// fiscal checks by the sum of what each character counts at its place.
func fiscal(s string) bool {
	const odd = "\x01\x00\x05\x07\x09\x0d\x0f\x11\x13\x15\x02\x04\x12\x14\x0b\x03\x06\x08\x0c\x0e\x10\x0a\x16\x19\x18\x17" // of A to Z
	sum := 0
	for k := range 15 {
		c := s[k]
		letters := k < 6 || k == 8 || k == 11
		if letters != isUpper(c) || !letters && !isDigit(c) {
			return false
		}
		n := int(c - 'A')
		if isDigit(c) {
			n = int(c - '0')
		}
		if k%2 == 0 {
			n = int(odd[n])
		}
		sum += n
	}
	return s[15] == byte('A'+sum%26)
}

// iban is where an IBAN ends that begins at i, or 0: two letters of a country, 13 to 32 more in groups, of which 97 leaves 1.
func iban(text string, i int) int {
	if i+15 > len(text) || !isUpper(text[i]) || !isUpper(text[i+1]) || !isDigit(text[i+2]) || !isDigit(text[i+3]) {
		return 0
	}
	var c [34]byte
	n, k, end := 0, i, 0
	for ; k < len(text) && n < len(c); k++ {
		if text[k] == ' ' && n > 0 && k+1 < len(text) && isAlnum(text[k+1]) && text[k-1] != ' ' {
			continue
		}
		if !isUpper(text[k]) && !isDigit(text[k]) {
			break
		}
		c[n] = text[k]
		n++
		if n >= 15 && ends(text, k+1) && remainder(c[:n]) == 1 {
			end = k + 1
		}
	}
	return end
}

// remainder of 97, as ISO 7064 has it: the first four go to the end, letters are 10 to 35.
func remainder(c []byte) int {
	r := 0
	for k := range c {
		b := c[(k+4)%len(c)]
		if isDigit(b) {
			r = (r*10 + int(b-'0')) % 97
		} else {
			r = (r*100 + int(b-'A') + 10) % 97
		}
	}
	return r
}
