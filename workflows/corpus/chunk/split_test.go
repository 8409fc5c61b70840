package chunk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	gmtext "github.com/yuin/goldmark/text"

	"levada.dev/events"
	"levada.dev/events/fault"
)

func texts(cs []events.Chunk) (out []string) {
	for _, c := range cs {
		out = append(out, c.Text)
	}
	return out
}

func headings(cs []events.Chunk) (out []string) {
	for _, c := range cs {
		out = append(out, c.Heading)
	}
	return out
}

func TestPlainText(t *testing.T) {
	got := check(t, "Mr. Silva opens the gate at dawn. Does it hold? \"It does.\" Then he rests, e.g. under a tree.\n\nThe next paragraph is here.\n",
		"text/plain", Options{MaxTokens: 16})
	assert.Equal(t, []string{
		"Mr. Silva opens the gate at dawn. Does it hold?",
		"\"It does.\"",
		"Then he rests, e.g. under a tree.",
		"The next paragraph is here.",
	}, texts(got))
}

func TestOverlapRepeatsWholeSentences(t *testing.T) {
	text := "One two three four. Five six seven eight. Nine ten eleven twelve. Thirteen fourteen fifteen."
	got := check(t, text, "text/plain", Options{MaxTokens: 16, OverlapTokens: 6})
	assert.Equal(t, []string{
		"One two three four. Five six seven eight. Nine ten eleven twelve.",
		"Nine ten eleven twelve. Thirteen fourteen fifteen.",
	}, texts(got))
}

func TestMarkdownKeepsWhatBelongsTogether(t *testing.T) {
	code := "```go\nfunc a() {}\n\n# no heading\n\nfunc b() {}\n```"
	table := "| a | b |\n|---|---|\n| 1 | 2 |"
	got := check(t, "# Guide\n\nWater flows down the slope and is shared.\n\n## Install `it`\n\n"+code+"\n\n## [Use](http://x) ##\n\n"+table+
		"\n\nOther\n=====\n\nThe last words of the text.\n", "text/markdown; charset=UTF-8", Options{MaxTokens: 36})
	assert.Equal(t, []string{
		"# Guide\n\nWater flows down the slope and is shared.",
		"## Install `it`\n\n" + code,
		"## [Use](http://x) ##\n\n" + table,
		"Other\n=====\n\nThe last words of the text.",
	}, texts(got))
	assert.Equal(t, []string{"Guide", "Guide > Install it", "Guide > Use", "Other"}, headings(got))
}

func TestAPieceOfManySectionsIsUnderWhatTheyShare(t *testing.T) {
	got := check(t, "# Guide\n\n## A\n\nx\n\n## B\n\ny\n\n", "text/markdown", Options{MaxTokens: 200})
	require.Len(t, got, 1)
	assert.Equal(t, "Guide", got[0].Heading)
}

func TestMarkdownDetails(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"front matter":     {"---\ntitle: a b c d e f g\n---\n\nfirst words of the text go here now and here", []string{"---\ntitle: a b c d e f g\n---", "first words of the text go here now and here"}},
		"list items":       {"- one two three four five six\n- seven eight nine ten eleven\n\n  more of the second item\n- last\n", []string{"- one two three four five six\n- seven eight nine ten eleven", "more of the second item\n- last"}},
		"code in a list":   {"1. step\n\n   ```\n   a\n\n   - b\n   ```\n2. next", []string{"1. step\n\n   ```\n   a\n\n   - b\n   ```\n2. next"}},
		"fence in a quote": {"> ```\n> # no heading\n> ```\n\n# heading", []string{"> ```\n> # no heading\n> ```", "# heading"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, texts(check(t, c.text, "text/markdown", Options{MaxTokens: 16})))
		})
	}
}

func TestCode(t *testing.T) {
	got := check(t, "package a\n\nfunc b() {\n\treturn\n\n\tb()\n}\n\nfunc c() {\n\td()\n}\n", "text/x-go", Options{MaxTokens: 18})
	assert.Equal(t, []string{"package a\n\nfunc b() {\n\treturn\n\n\tb()\n}", "func c() {\n\td()\n}"}, texts(got))
	got = check(t, "if x:\n    first(a, b, c, d, e)\n    second(a, b, c, d, e)\n", "text/x-python", Options{MaxTokens: 16})
	assert.Equal(t, "    second(a, b, c, d, e)", got[len(got)-1].Text, "a line keeps its indentation")
}

func TestNothingInsideACluster(t *testing.T) {
	for _, cluster := range []string{"👩‍👩‍👧‍👦", "🇵🇹", "e\u0301\u0323", "क्षि", "각", "👍🏽"} {
		got := check(t, strings.Repeat(cluster, 200), "text/plain", Options{MaxTokens: 16})
		require.Greater(t, len(got), 5)
		for _, c := range got {
			assert.Empty(t, strings.ReplaceAll(c.Text, cluster, ""), "whole %s only", cluster)
		}
	}
}

func TestTokens(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "water": 1, "sharing": 2, "internationalisation": 5, "camelCase": 2, "HTTPServer": 2, "12345": 3, "a.b": 3, "水路": 2, "вода": 2, "👍": 2,
		"a       b": 2, "a         b": 3, "don't": 3, "(x)": 3,
	} {
		assert.Equal(t, want, Tokens([]byte(text)), "%q", text)
	}
}

func TestWhatIsRefused(t *testing.T) {
	for _, c := range []struct {
		text, contentType string
		o                 Options
		field, code, says string
	}{
		{"ab\xffc", "text/plain", Options{}, "text", "text_not_utf8", "byte 2"},
		{"x", "application/zip", Options{}, "contentType", "content_type_unsupported", "text/markdown"},
		{"x", "text/x-", Options{}, "contentType", "content_type_unsupported", ""},
		{"x", "", Options{}, "contentType", "content_type_unsupported", ""},
		{"x", "text/html", Options{}, "contentType", "content_type_unsupported", "not text"},
		{"x", "text/plain", Options{MaxTokens: 15}, "chunking.maxTokens", "chunking_invalid", "16"},
		{"x", "text/plain", Options{MaxTokens: 20, OverlapTokens: 11}, "chunking.overlapTokens", "chunking_invalid", "10"},
		{"x", "text/plain", Options{OverlapTokens: -1}, "chunking.overlapTokens", "chunking_invalid", ""},
	} {
		_, err := Split([]byte(c.text), c.contentType, c.o)
		f := fault.As(err)
		assert.Equal(t, fault.Invalid, f.Kind)
		assert.Equal(t, c.code, f.Code)
		assert.Equal(t, c.field, f.Field)
		assert.Contains(t, f.Message+f.Hint, c.says)
	}
	for _, ok := range []string{"text/plain", "Text/Plain; charset=utf-8", "text/markdown", "text/x-python", "application/xml"} {
		_, err := Split([]byte("x"), ok, Options{})
		assert.NoError(t, err, ok)
	}
}

// TestHeadingsAndCodeAreGoldmarks holds the line reader against a parser of CommonMark: the same headings, in order, and
// no heading where it sees code.
func TestHeadingsAndCodeAreGoldmarks(t *testing.T) {
	for name, text := range map[string]string{
		"manual":   manual(20_000),
		"setext":   "A\n=\n\nB\nb\n-\n\n- C\n\n---\n\nD\n",
		"fences":   "~~~\n# x\n```\n~~~\n# A\n````\n```\n# x\n````\n## B\n```x`y\n# C\n",
		"indented": "# A\n\n    # x\n\ntext\n    # x\n\n   ## B\n",
		"closings": "# A #\n## B ##  \n### C#\n#D\n####### E\n#\n# \\#\n",
		"lists":    "- a\n\n  ```\n  # x\n  ```\n- b\n\n# A\n1. c\n   ~~~\n   # x\n   ~~~\n\n# B\n",
		"quotes":   "> q\n\n# A\n\n> ~~~\n> # x\n> ~~~\n\n## B\n",
		"tables":   "| a |\n|---|\n| # |\n\n# A\n",
		"rules":    "# A\n\n***\n\n- - -\n\n## B\n",
	} {
		t.Run(name, func(t *testing.T) {
			var want []string
			doc := goldmark.DefaultParser().Parse(gmtext.NewReader([]byte(text)))
			for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
				if h, ok := n.(*ast.Heading); ok && h.Lines().Len() > 0 {
					var lines []string
					for i := range h.Lines().Len() {
						s := h.Lines().At(i)
						lines = append(lines, string(s.Value([]byte(text))))
					}
					want = append(want, strings.Join(strings.Fields(strings.Join(lines, " ")), " "))
				}
			}
			var got []string
			p := newPacker([]byte(text), Options{MaxTokens: 512})
			var last *section
			m := &markdown{packer: p}
			for i := 0; i < len(text); {
				next := p.line(i, len(text))
				m.read(i, next)
				if p.section != last && p.section != nil {
					got = append(got, p.section.title)
				}
				last = p.section
				i = next
			}
			assert.Equal(t, want, got)
		})
	}
}
