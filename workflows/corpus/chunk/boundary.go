package chunk

import (
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// maxCluster is how many code points back a cluster may begin for a cut in it to be seen.
const maxCluster = 128

// boundary reports whether text may be cut before byte i without cutting a grapheme cluster
// (https://www.unicode.org/reports/tr29/). Two neighbours decide that on their own, unless the left one
// continues something: then the cluster is followed from a place that is safe.
func boundary(text []byte, i int) bool {
	if i <= 0 || i >= len(text) {
		return true
	}
	if text[i-1] < utf8.RuneSelf && text[i] < utf8.RuneSelf {
		return text[i-1] != '\r' || text[i] != '\n'
	}
	if !utf8.RuneStart(text[i]) {
		return false
	}
	left, n := utf8.DecodeLastRune(text[:i])
	if !continues(left) {
		return apart(text, i-n, i)
	}
	from := i - n
	for range maxCluster {
		if from == 0 {
			break
		}
		r, n := utf8.DecodeLastRune(text[:from])
		if !continues(r) && apart(text, from-n, from) {
			break
		}
		from -= n
	}
	state := -1
	for from < i {
		cluster, _, _, s := uniseg.FirstGraphemeCluster(text[from:min(len(text), i+utf8.UTFMax)], state)
		from, state = from+len(cluster), s
	}
	return from == i
}

// apart reports whether the rune at left and the one at i are in different clusters, going by them alone.
func apart(text []byte, left, i int) bool {
	_, n := utf8.DecodeRune(text[i:])
	cluster, _, _, _ := uniseg.FirstGraphemeCluster(text[left:i+n], -1)
	return len(cluster) == i-left
}

// continues reports whether what comes before r may matter for what comes after it: marks, joiners, modifiers and
// regional indicators, and some that need not be here.
func continues(r rune) bool {
	return r >= utf8.RuneSelf && (unicode.In(r, unicode.M, unicode.Cf) || r >= 0x1F1E6 && r <= 0x1F1FF || r >= 0x1F3FB && r <= 0x1F3FF ||
		r == 0xFF9E || r == 0xFF9F)
}
