package pdf

import (
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// table says what each of 256 codes means; 0 for nothing.
type table [256]rune

var (
	winAnsi  = tableOf(charmap.Windows1252)
	macRoman = tableOf(charmap.Macintosh)
	standard = standardTable()
)

func tableOf(m *charmap.Charmap) (t table) {
	for i := range t {
		if r := m.DecodeByte(byte(i)); r != '\ufffd' && r >= ' ' {
			t[i] = r
		}
	}
	return t
}

// standardTable is Adobe's own encoding: ASCII but for two quotes, and from 161 on these.
func standardTable() (t table) {
	for i := ' '; i < 0x7f; i++ {
		t[i] = i
	}
	t['\''], t['`'] = '’', '‘'
	upper := []rune("¡¢£⁄¥ƒ§¤'“«‹›ﬁﬂ\x00–†‡·\x00¶•‚„”»…‰\x00¿\x00`´ˆ˜¯˘˙¨\x00˚¸\x00˝˛ˇ—")
	for i, r := range upper {
		t[161+i] = r
	}
	for code, r := range map[int]rune{0xe1: 'Æ', 0xe3: 'ª', 0xe8: 'Ł', 0xe9: 'Ø', 0xea: 'Œ', 0xeb: 'º', 0xf1: 'æ', 0xf5: 'ı', 0xf8: 'ł', 0xf9: 'ø', 0xfa: 'œ', 0xfb: 'ß'} {
		t[code] = r
	}
	return t
}

// glyphs are the names of characters that fonts use, for what is no letter of the alphabet: Adobe's list
// (https://github.com/adobe-type-tools/agl-aglfn), of which accented letters are put together instead.
var glyphs = names("space  exclam !quotedbl \"numbersign #dollar $percent %ampersand &quotesingle 'parenleft (parenright )asterisk *plus +comma ,hyphen -period .slash /",
	"zero 0one 1two 2three 3four 4five 5six 6seven 7eight 8nine 9colon :semicolon ;less <equal =greater >question ?at @bracketleft [backslash \\bracketright ]asciicircum ^underscore _grave `braceleft {bar |braceright }asciitilde ~",
	"exclamdown ¡cent ¢sterling £currency ¤yen ¥brokenbar ¦section §dieresis ¨copyright ©ordfeminine ªguillemotleft «logicalnot ¬sfthyphen -registered ®macron ¯degree °plusminus ±acute ´mu µparagraph ¶periodcentered ·cedilla ¸ordmasculine ºguillemotright »onequarter ¼onehalf ½threequarters ¾questiondown ¿",
	"AE Æae æOE Œoe œOslash Øoslash øEth Ðeth ðThorn Þthorn þgermandbls ßdotlessi ıdotlessj ȷLslash Łlslash łHbar Ħhbar ħDcroat Đdcroat đEng Ŋeng ŋTbar Ŧtbar ŧkgreenlandic ĸlongs ſ",
	"circumflex ˆtilde ˜caron ˇbreve ˘dotaccent ˙ring ˚ogonek ˛hungarumlaut ˝endash –emdash —quoteleft ‘quoteright ’quotesinglbase ‚quotedblleft “quotedblright ”quotedblbase „dagger †daggerdbl ‡bullet •ellipsis …perthousand ‰guilsinglleft ‹guilsinglright ›fraction ⁄florin ƒEuro €trademark ™",
	"minus −multiply ×divide ÷notequal ≠lessequal ≤greaterequal ≥infinity ∞summation ∑product ∏radical √integral ∫partialdiff ∂approxequal ≈equivalence ≡element ∈arrowleft ←arrowup ↑arrowright →arrowdown ↓arrowboth ↔lozenge ◊asteriskmath *nbspace  visiblespace ␣checkmark ✓",
	"Alpha ΑBeta ΒGamma ΓDelta ΔEpsilon ΕZeta ΖEta ΗTheta ΘIota ΙKappa ΚLambda ΛMu ΜNu ΝXi ΞOmicron ΟPi ΠRho ΡSigma ΣTau ΤUpsilon ΥPhi ΦChi ΧPsi ΨOmega Ω",
	"alpha αbeta βgamma γdelta δepsilon εzeta ζeta ηtheta θiota ιkappa κlambda λnu νxi ξomicron οpi πrho ρsigma1 ςsigma σtau τupsilon υphi φchi χpsi ψomega ωepsilon1 ϵtheta1 ϑphi1 ϕ")

// names reads "name c" written one behind the other, where c is one character.
func names(lists ...string) map[string]string {
	m := map[string]string{"ff": "ff", "fi": "fi", "fl": "fl", "ffi": "ffi", "ffl": "ffl"}
	for _, s := range lists {
		for s != "" {
			i := strings.IndexByte(s, ' ')
			r := []rune(s[i+1:])[0]
			m[s[:i]] = string(r)
			s = s[i+1+len(string(r)):]
		}
	}
	return m
}

// accents are how names of accented letters end.
var accents = []struct{ name, mark string }{
	{"grave", "\u0300"}, {"acute", "\u0301"}, {"circumflex", "\u0302"}, {"tilde", "\u0303"}, {"macron", "\u0304"}, {"breve", "\u0306"},
	{"dotaccent", "\u0307"}, {"dieresis", "\u0308"}, {"ring", "\u030a"}, {"hungarumlaut", "\u030b"}, {"caron", "\u030c"},
	{"commaaccent", "\u0327"}, {"cedilla", "\u0327"}, {"ogonek", "\u0328"}, {"dot", "\u0307"},
}

// glyphText is what a glyph of a name means; empty when the name says nothing.
func glyphText(n string) string {
	n, _, _ = strings.Cut(n, ".") // a.sc is a small capital a
	if s, ok := glyphs[n]; ok {
		return s
	}
	if len(n) == 1 {
		return n
	}
	if parts := strings.Split(n, "_"); len(parts) > 1 && len(parts) < 8 { // f_i is a ligature
		var s string
		for _, p := range parts {
			s += glyphText(p)
		}
		return s
	}
	for _, a := range accents {
		if base, ok := strings.CutSuffix(n, a.name); ok && len(base) == 1 {
			return norm.NFC.String(base + a.mark)
		}
	}
	for _, prefix := range []string{"uni", "u"} {
		if hex, ok := strings.CutPrefix(n, prefix); ok && len(hex) >= 4 && len(hex) <= 6 {
			if r, err := strconv.ParseUint(hex, 16, 32); err == nil {
				return string(rune(r))
			}
		}
	}
	return ""
}

// helvetica is how wide the glyphs of ASCII are in the font that is meant when a file does not say how wide they are.
var helvetica = [95]uint16{
	278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
}
