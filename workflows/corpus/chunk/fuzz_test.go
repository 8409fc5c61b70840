package chunk

import (
	"testing"
	"unicode/utf8"
)

var fuzzTypes = []string{"text/plain", "text/markdown", "text/x-go"}

// seeds are texts that have gone wrong somewhere, or look as if they might.
var seeds = []string{
	"", " \n\t ", "One. Two! Three? Four…", "„Quote.“ Next. (And.) last", "一。二！三？没有空格的长句子没有空格的长句子没有空格的长句子没有空格的长句子",
	"# A\n\ntext\n\n## B\n\n```go\nfunc f() {\n\n}\n```\n\n- one\n- two\n  - three\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSet\n===\n",
	"---\ntitle: x\n---\n# T\n", "~~~\nnever closed", "> # quoted\n> ```\n> code\n> ```\n", "    indented\n\n    code\n",
	"<p>a &amp; b&nbsp;c &#x1F469;&zwj; &bogus; &lt</p><script>no</script><pre> x\n  y</pre>", "<nav>n</nav>", "<svg/><b>x", "a < b <3 <!-- c --> d",
	"<main><h1>T</h1>x</main>y", "<h1>A<h2>B</h2>", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦",
	"🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪🇵🇹🇩🇪", "नमस्ते दुनिया। क्षत्रिय क्षत्रिय क्षत्रिय क्षत्रिय", "a.\u0301 b. \u0301c", "\u0600. x\u0600 y", "x\r\ny\r\n\r\nz\r", "각각각각",
	"{\"a\":[1,2,3],\"b\":{\"c\":\"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"}}",
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
}

func FuzzSplit(f *testing.F) {
	for _, s := range seeds {
		for kind := range fuzzTypes {
			f.Add(s, uint8(kind), uint8(0), uint8(0))
			f.Add(s, uint8(kind), uint8(9), uint8(8))
		}
	}
	f.Fuzz(func(t *testing.T, text string, kind, size, overlap uint8) {
		if !utf8.ValidString(text) {
			return
		}
		o := Options{MaxTokens: MinTokens + int(size)}
		o.OverlapTokens = int(overlap) % (o.MaxTokens/2 + 1)
		check(t, text, fuzzTypes[int(kind)%len(fuzzTypes)], o)
	})
}
