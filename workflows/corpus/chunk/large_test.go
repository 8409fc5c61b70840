package chunk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile is texts that make a careless reader quadratic, recursive or greedy. Each is of n bytes or so.
func hostile(n int) map[string]string {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, n)
	for i := range random {
		random[i] = "abcdefghijklmnopqrstuvwxyz0123456789+/"[r.IntN(38)]
	}
	rep := func(s string) string { return strings.Repeat(s, n/len(s)+1) }
	return map[string]string{
		"letters":           string(random),
		"one letter":        rep("a"),
		"ideographs":        rep("水"),
		"marks":             "a" + rep("\u0301"),
		"families":          rep("👩‍👩‍👧‍👦"),
		"joined":            rep("👩\u200d"),
		"flags":             rep("🇵🇹"),
		"conjuncts":         rep("क्"),
		"spaces":            "a" + rep(" ") + "b",
		"newlines":          rep("\n") + "a",
		"marks of end":      rep("!"),
		"ends and small":    rep("! a"),
		"ends and marks":    rep(". \u0301"),
		"short lines":       rep("a\n"),
		"quotes":            rep("> "),
		"nested items":      rep("- "),
		"open brackets":     rep("["),
		"backticks":         rep("` "),
		"fences":            rep("```\n"),
		"headings":          rep("# a\n"),
		"deeper headings":   rep("# a\n## b\n### c\n"),
		"underlines":        rep("a\n-\n"),
		"bars":              rep("|-"),
		"paragraph of bars": rep("a|b\n"),
		"rows":              "a|b\n-|-\n" + rep("a|b\n"),
		"paragraph":         rep("word "),
		"open tags":         rep("<div>"),
		"nested lists":      rep("<ul><li>a"),
		"open navs":         rep("<nav>"),
		"open comments":     rep("<!--"),
		"less than":         rep("<"),
		"open attributes":   "<a " + rep("b='"),
		"attributes":        "<a " + rep("b=c ") + ">x",
		"entities":          rep("&amp;"),
		"ampersands":        rep("&"),
		"open scripts":      rep("<script>"),
		"open svgs":         rep("<svg>"),
		"minified":          "[" + rep(`{"a":1,"b":[true]},`) + "]",
	}
}

// TestHostileTexts cuts texts that are so large that what is not linear would not end.
func TestHostileTexts(t *testing.T) {
	for name, text := range hostile(1 << 17) {
		for _, contentType := range fuzzTypes {
			t.Run(name+" as "+contentType, func(t *testing.T) {
				got, err := Split([]byte(text), contentType, Options{MaxTokens: 128, OverlapTokens: 16})
				require.NoError(t, err)
				for _, c := range got {
					require.LessOrEqual(t, Tokens([]byte(c.Text)), 128)
				}
			})
		}
	}
	for name, text := range hostile(2000) {
		for _, contentType := range fuzzTypes {
			t.Run("small "+name+" as "+contentType, func(t *testing.T) {
				check(t, text, contentType, Options{MaxTokens: 64})
				check(t, text, contentType, Options{MaxTokens: 64, OverlapTokens: 20})
			})
		}
	}
}

// TestAMillionOfEach nests deeper than any stack would hold.
func TestAMillionOfEach(t *testing.T) {
	const n = 1_000_000
	for _, c := range []struct{ unit, contentType string }{
		{"- ", "text/markdown"}, {"> ", "text/markdown"}, {"- a\n", "text/markdown"}, {"[", "text/markdown"}, {"[", "text/x-json"},
		{"x", "text/plain"}, {"水", "text/plain"},
	} {
		t.Run(c.unit+" "+c.contentType, func(t *testing.T) {
			_, err := Split([]byte(strings.Repeat(c.unit, n)+" end"), c.contentType, Options{})
			require.NoError(t, err)
		})
	}
}

// manual is a document as people write them.
func manual(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "## Chapter %d\n\nA levada carries water along the slope, %d metres a day. It is shared out fairly; nobody waits long.\n"+
			"Those who live below say \"thank you\". Those above say nothing!\n\n- the first item, which is short\n- the second\n\n"+
			"```go\nfunc open(gate int) error {\n\treturn nil // %d\n}\n```\n\n| month | litres |\n|---|---|\n| May | %d |\n\n", i, i, i, i)
	}
	return b.String()
}

func BenchmarkSplit(b *testing.B) {
	for _, c := range []struct{ name, contentType, text string }{
		{"plain", "text/plain", manual(1 << 20)},
		{"markdown", "text/markdown", manual(1 << 20)},
		{"code", "text/x-go", manual(1 << 20)},
		{"ideographs", "text/plain", strings.Repeat("水从山上流下来。每个人都有份。\n", 1<<20/46)},
		{"letters", "text/plain", hostile(1 << 20)["letters"]},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Split([]byte(c.text), c.contentType, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
