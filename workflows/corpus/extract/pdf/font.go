package pdf

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// font says what the codes of a string are: their texts, and how wide they are in thousandths of the font's size.
type font struct {
	unicode *cmap // what the file says of the codes, or nil

	simple   [256]string // of a font whose codes are bytes
	widths   map[int]float64
	fallback float64
	scale    float64 // of widths; that of a Type 3 font is its own
	known    bool    // the file says how wide the glyphs are

	composite bool
	cids      *cmap             // from codes to glyphs; nil when they are the same
	legacy    encoding.Encoding // of a font whose codes are a national encoding
	wide      bool              // codes are UTF-16
}

// codes is how many codes are known of the font.
func (t *font) codes() int {
	n := len(t.widths)
	for _, m := range []*cmap{t.unicode, t.cids} {
		if m != nil {
			n += len(m.to) + len(m.cids)
		}
	}
	return n
}

// glyph is one code of a string.
type glyph struct {
	text  string
	width float64
	space bool // the code is one byte and 32, to which word spacing is added
}

// newFont reads a font. A font that says nothing is one whose codes mean what they mean in most.
func (f *file) newFont(d dict) *font {
	t := &font{widths: map[int]float64{}, scale: 0.001, fallback: 500}
	if s, ok := f.resolve(d["ToUnicode"]).(*stream); ok {
		if b, err := f.decode(s); err == nil {
			t.unicode = readCMap(b)
		}
	}
	if f.name(d["Subtype"]) == "Type0" {
		f.compositeFont(t, d)
		return t
	}
	f.simpleFont(t, d)
	return t
}

func (f *file) simpleFont(t *font, d dict) {
	if f.name(d["Subtype"]) == "Type3" {
		if m := f.array(d["FontMatrix"]); len(m) == 6 && f.float(m[0]) != 0 {
			t.scale = f.float(m[0])
		}
	}
	first := max(0, f.int(d["FirstChar"]))
	for i, w := range f.array(d["Widths"]) {
		if i < 256 {
			t.widths[first+i] = f.float(w)
			t.known = true
		}
	}
	descriptor := f.dict(d["FontDescriptor"])
	if w := f.float(descriptor["MissingWidth"]); w > 0 {
		t.fallback = w
	} else if t.known {
		t.fallback = 0
	}
	if strings.Contains(string(f.name(d["BaseFont"])), "Courier") && !t.known {
		t.known, t.fallback = true, 600
	}
	f.simpleEncoding(t, d["Encoding"], f.int(descriptor["Flags"])&4 != 0 && f.int(descriptor["Flags"]) > 0)
}

func (f *file) simpleEncoding(t *font, enc any, symbolic bool) {
	base := &standard
	named := f.name(enc)
	d := f.dict(enc)
	if d != nil {
		named = f.name(d["BaseEncoding"])
	}
	switch {
	case named == "WinAnsiEncoding":
		base = &winAnsi
	case named == "MacRomanEncoding":
		base = &macRoman
	case symbolic || d == nil && named == "":
		base = &winAnsi // the font's own; most are made of this
	}
	for i, r := range base {
		if r != 0 {
			t.simple[i] = string(r)
		}
	}
	code := 0
	for _, o := range f.array(d["Differences"]) {
		switch o := f.resolve(o).(type) {
		case float64:
			code = int(min(max(o, 0), 256))
		case name:
			if code < 256 {
				t.simple[code] = glyphText(string(o))
			}
			code++
		}
	}
}

func (f *file) compositeFont(t *font, d dict) {
	t.composite, t.known = true, true
	t.fallback = 1000
	if all := f.array(d["DescendantFonts"]); len(all) > 0 {
		below := f.dict(all[0])
		if w := f.int(below["DW"]); w >= 0 {
			t.fallback = float64(w)
		}
		f.compositeWidths(t, f.array(below["W"]))
	}
	switch enc := f.resolve(d["Encoding"]).(type) {
	case *stream:
		if b, err := f.decode(enc); err == nil {
			t.cids = readCMap(b)
		}
	case name:
		t.national(string(enc))
	}
}

// national recognises the predefined maps whose codes are an encoding that is known elsewhere.
func (t *font) national(n string) {
	switch {
	case strings.Contains(n, "UCS2") || strings.Contains(n, "UTF16"):
		t.wide = true
	case strings.Contains(n, "RKSJ"):
		t.legacy = japanese.ShiftJIS
	case n == "EUC-H" || n == "EUC-V":
		t.legacy = japanese.EUCJP
	case strings.HasPrefix(n, "GBK") || strings.HasPrefix(n, "GB-EUC"):
		t.legacy = simplifiedchinese.GBK
	case strings.Contains(n, "B5"):
		t.legacy = traditionalchinese.Big5
	case strings.HasPrefix(n, "KSC"):
		t.legacy = korean.EUCKR
	}
}

// compositeWidths reads "c [w w w] from to w".
func (f *file) compositeWidths(t *font, w array) {
	for i := 0; i+1 < len(w) && len(t.widths) < 1<<16; {
		from := f.int(w[i])
		if each, ok := f.resolve(w[i+1]).(array); ok {
			for k, o := range each[:min(len(each), 1<<16)] {
				t.widths[from+k] = f.float(o)
			}
			i += 2
			continue
		}
		if i+2 >= len(w) {
			return
		}
		to, width := f.int(w[i+1]), f.float(w[i+2])
		for c := from; c <= min(to, from+1<<16); c++ {
			t.widths[c] = width
		}
		i += 3
	}
}

// each hands the glyphs of a string to put.
func (t *font) each(s string, put func(glyph)) {
	switch {
	case !t.composite:
		for i := range len(s) {
			put(t.byte(s[i : i+1]))
		}
	case t.unicode == nil && t.wide:
		for _, r := range utf16Text(s) {
			put(glyph{text: string(r), width: t.fallback})
		}
	case t.unicode == nil && t.legacy != nil:
		all, _ := t.legacy.NewDecoder().String(s)
		for _, r := range all {
			w := t.fallback
			if r < 0x80 {
				w /= 2
			}
			put(glyph{text: string(r), width: w, space: r == ' '})
		}
	default:
		t.spell(s, put)
	}
}

func (t *font) byte(code string) glyph {
	c := code[0]
	g := glyph{text: t.simple[c], space: c == ' '}
	if t.unicode != nil {
		if s, ok := t.unicode.to[code]; ok {
			g.text = s
		} else if s, ok := t.unicode.to["\x00"+code]; ok {
			g.text = s
		}
	}
	w, ok := t.widths[int(c)]
	switch {
	case ok:
	case !t.known && c >= ' ' && c < 0x7f:
		w = float64(helvetica[c-' '])
	default:
		w = t.fallback
	}
	g.width = w * t.scale * 1000
	return g
}

// spell reads a string of codes of one or more bytes.
func (t *font) spell(s string, put func(glyph)) {
	for len(s) > 0 {
		n := 0
		switch {
		case t.cids != nil:
			n = t.cids.length(s)
		case t.legacy == nil && !t.wide:
			n = 2 // Identity
		}
		if n == 0 && t.unicode != nil {
			n = t.unicode.length(s)
		}
		if n == 0 {
			n = min(2, len(s))
		}
		code := s[:min(n, len(s))]
		s = s[len(code):]
		cid := int(codeNumber(code))
		if t.cids != nil {
			cid = t.cids.cids[code]
		}
		w, ok := t.widths[cid]
		if !ok {
			w = t.fallback
		}
		g := glyph{width: w, space: len(code) == 1 && code[0] == ' '}
		if t.unicode != nil {
			g.text = t.unicode.to[code]
		}
		put(g)
	}
}
