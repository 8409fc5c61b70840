package safety

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What is decoded of a text, at most: a text that is full of codes is read as far as this.
const (
	maxDecoded = 8 << 10 // bytes of all that was decoded
	maxCodes   = 8
	minCode    = 16 // characters; what is shorter says nothing
)

// decoded is what a text has in base64, hexadecimal, percent signs or binary digits, where it is text itself.
func decoded(text string) []string {
	var out []string
	size := 0
	add := func(s string, ok bool) {
		if ok && readable(s) && len(out) < maxCodes && size+len(s) <= maxDecoded {
			out, size = append(out, s), size+len(s)
		}
	}
	for i := 0; i < len(text) && len(out) < maxCodes; {
		if !coded(text[i]) {
			i++
			continue
		}
		k := i
		for k < len(text) && coded(text[k]) {
			k++
		}
		if k-i >= minCode && k-i <= maxDecoded*2 {
			add(unhex(text[i:k]))
			add(unbase(text[i:k]))
		}
		i = k
	}
	if strings.Count(text, "%20") > 1 || strings.Count(text, "%") > 4 {
		add(unpercent(text))
	}
	if strings.Count(text, "&#") > 3 {
		add(unnumber(text), true)
	}
	if strings.Count(text, `\x`) > 1 {
		add(unpercent(strings.ReplaceAll(text, `\x`, "%")))
	}
	if strings.Count(text, `\u`) > 3 {
		add(ununicode(text), true)
	}
	if s, ok := unbinary(text); ok {
		add(s, true)
	}
	return out
}

// ununicode reads the escapes of JSON, and leaves what is none as it is.
func ununicode(text string) string {
	var b strings.Builder
	for {
		k := strings.Index(text, `\u`)
		if k < 0 || len(text) < k+6 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:k])
		n, err := strconv.ParseUint(text[k+2:k+6], 16, 16)
		if err != nil {
			b.WriteString(text[k : k+2])
			text = text[k+2:]
			continue
		}
		b.WriteRune(rune(n))
		text = text[k+6:]
	}
}

func coded(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'
}

func unbase(s string) (string, bool) {
	s = strings.TrimRight(s, "=")
	if strings.IndexByte(s, '=') >= 0 {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	b, err := encoding.DecodeString(s)
	return string(b), err == nil
}

func unhex(s string) (string, bool) {
	if len(s)%2 != 0 {
		return "", false
	}
	b, err := hex.DecodeString(s)
	return string(b), err == nil
}

func unpercent(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b = append(b, c[0])
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b), true
}

// unnumber writes the letters that "&#73;" and "&#x49;" stand for.
func unnumber(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "&#")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		number, after, ended := strings.Cut(rest, ";")
		base := 10
		if hex, ok := strings.CutPrefix(number, "x"); ok {
			number, base = hex, 16
		}
		n, err := strconv.ParseUint(number, base, 21)
		if !ended || err != nil {
			b.WriteString("&#")
			s = rest
			continue
		}
		b.WriteRune(rune(n))
		s = after
	}
}

// unbinary reads groups of eight binary digits.
func unbinary(text string) (string, bool) {
	i := strings.IndexAny(text, "01")
	if i < 0 || strings.Count(text[i:min(len(text), i+9)], "0")+strings.Count(text[i:min(len(text), i+9)], "1") < 8 {
		return "", false
	}
	var b []byte
	for _, group := range strings.Fields(text[i:]) {
		if len(group) != 8 || strings.Trim(group, "01") != "" {
			break
		}
		c := byte(0)
		for k := range 8 {
			c = c<<1 | group[k] - '0'
		}
		b = append(b, c)
	}
	return string(b), len(b) >= 8
}

// readable reports whether bytes are text: UTF-8, of letters and spaces for the most part.
func readable(s string) bool {
	if len(s) < 8 || !utf8.ValidString(s) {
		return false
	}
	good, all := 0, 0
	for _, r := range s {
		all++
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == ' ', r > 0xA0:
			good++
		case r < ' ' && r != '\n' && r != '\r' && r != '\t':
			return false
		}
	}
	return good*10 >= all*8
}

// rotated is a normalised text with each letter thirteen further.
func rotated(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		if isLower(c) {
			c = 'a' + (c-'a'+13)%26
		}
		out[i] = c
	}
	return out
}

// backwards is a normalised text from its end.
func backwards(text []byte) []byte {
	out := make([]byte, len(text))
	for i, c := range text {
		out[len(text)-1-i] = c
	}
	return out
}

// common reports words that each text in Latin letters of some length has, whatever its language.
func common(w string) bool {
	switch w {
	case "the", "a", "to", "is", "of", "and", "in", "you", "for", "i", "it", "on", "what", "how", "are", "my", "me",
		"der", "die", "und", "ich", "das", "ist", "le", "la", "les", "de", "et", "un", "que", "el", "es", "en", "o", "e", "da", "il", "che", "di", "per",
		"een", "het", "van", "za", "na", "yang", "bir", "ve", "co", "toi", "cua", "ang", "ng", "sa", "mga":
		return true
	}
	return false
}

// foreign reports whether a normalised text of Latin letters has none of the words that texts have: then it may be one in disguise.
func foreign(text []byte) bool {
	letters, words, known := 0, 0, 0
	from := 0
	for i := 0; i <= len(text) && i < 2048 && known < 8; i++ {
		if i < len(text) && part(text[i]) {
			if text[i] >= utf8.RuneSelf {
				return false
			}
			letters++
			continue
		}
		if i > from {
			words++
			if i-from <= 4 && common(string(text[from:i])) {
				known++
			}
		}
		from = i + 1
	}
	return letters >= 12 && words >= 2 && known < 8 && known*12 < words
}

// swineLatin reports a text whose words were turned around and end in "ay".
func swineLatin(text []byte) bool {
	if bytes.Count(text, []byte("ay")) < 3 {
		return false
	}
	words, turned := 0, 0
	for _, w := range strings.Fields(string(text[:min(len(text), 2048)])) {
		w = strings.Trim(w, ".,!?;:'\"()")
		if len(w) < 2 {
			continue
		}
		words++
		if strings.HasSuffix(w, "ay") && len(w) > 3 {
			turned++
		}
	}
	return words >= 3 && turned*10 >= words*7
}

// How much of a text is looked at for repetitions, and how long one has to be: words.
const (
	maxRepeated = 256
	minRepeated = 36
)

// repeated reports a text that says the same over and over: a period of 1 to 6 words, for 36 words and more.
func repeated(text []byte) bool {
	var words [maxRepeated]uint32
	n, h, inside := 0, uint32(0), false
	for i := 0; i < len(text) && n < len(words); i++ {
		if text[i] != ' ' {
			h, inside = (h^uint32(text[i]))*16777619, true
			continue
		}
		if inside {
			words[n] = h
			n++
		}
		h, inside = 0, false
	}
	for period := 1; period <= 6; period++ {
		same := 0
		for i := period; i < n; i++ {
			if words[i] != words[i-period] {
				same = 0
			} else if same++; same >= minRepeated {
				return true
			}
		}
	}
	return false
}
