package prose_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/prose"
)

func TestSentences(t *testing.T) {
	for text, want := range map[string][]string{
		"":                            nil,
		" \n\t ":                      nil,
		"One. Two! Three?":            {"One.", "Two!", "Three?"},
		"Dr. Silva came. She left.":   {"Dr. Silva came.", "She left."},
		"# Title\n\nText of it.":      {"Title", "Text of it."},
		"- first\n- second\n3. third": {"first", "second", "third"},
		"これは文です。次の文です。":                                                 {"これは文です。", "次の文です。"},
		"A line that was broken at a margin because\nit is long. Next.": {"A line that was broken at a margin because\nit is long.", "Next."},
		"A short line\nAnd another":                                     {"A short line", "And another"},
	} {
		var got []string
		for _, s := range prose.Sentences(text) {
			got = append(got, s.Of(text))
		}
		assert.Equal(t, want, got, text)
	}
}

// article is a text of some sentences, of which the first says what it is about.
const article = `Levadas are narrow water channels that carry water from the wet north of Madeira to the dry south. The weather was fine on Tuesday.
The channels were built by hand, many of them in the sixteenth century, and carry water to fields of sugar cane and bananas. My cousin likes tea.
Today the water of the levadas drives power stations, too, and paths beside the channels are walked by visitors. Somebody lost a hat. Is there a bus?
Levadas carry water from the wet north of Madeira to the dry south by narrow channels. The maintenance of the channels is paid by the farmers whose fields the water reaches.`

func summary(t testing.TB, text string, chars int, bullets bool) string {
	t.Helper()
	s, err := prose.Summarize(context.Background(), text, prose.SummaryOptions{MaxChars: chars, Bullets: bullets})
	require.NoError(t, err)
	assert.LessOrEqual(t, utf8.RuneCountInString(s), chars)
	assert.True(t, utf8.ValidString(s))
	return s
}

func TestSummarize(t *testing.T) {
	got := summary(t, article, 400, false)
	assert.True(t, strings.HasPrefix(got, "Levadas are narrow water channels"), got)
	assert.Less(t, len(got), len(article)/2)
	for _, no := range []string{"cousin", "lost a hat", "bus", "Tuesday", "\n"} {
		assert.NotContains(t, got, no, got)
	}
	assert.NotContains(t, got, "Levadas carry water", "the first sentence has said it")
	assert.Equal(t, got, summary(t, article, 400, false), "and says the same again")

	lines := strings.Split(summary(t, article, 400, true), "\n")
	assert.Greater(t, len(lines), 1)
	for _, line := range lines {
		assert.True(t, strings.HasPrefix(line, "- "), line)
		assert.Contains(t, strings.Join(strings.Fields(article), " "), line[2:], "word for word")
	}
}

func TestSummariesOfAllSorts(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		" \n ":                  "",
		"One sentence of five.": "One sentence of five.",
		"!!!":                   "!!!",
		"水はマデイラの北から南へ流れる。水路は手で作られた。":                                      "水はマデイラの北から南へ流れる。水路は手で作られた。",
		"Die Levadas führen Wasser. Die Kanäle sind schmal und sehr alt.": "Die Levadas führen Wasser. Die Kanäle sind schmal und sehr alt.",
	} {
		assert.Equal(t, want, summary(t, text, 500, false))
	}
	long := summary(t, strings.Repeat("word ", 1000), 60, false)
	assert.Equal(t, strings.TrimSpace(strings.Repeat("word ", 11))+" word…", long)
	assert.Equal(t, strings.Repeat("水", 49)+"…", summary(t, strings.Repeat("水", 1000), 50, false))
	assert.Equal(t, "- "+strings.Repeat("e\u0301", 23)+"…", summary(t, strings.Repeat("e\u0301", 1000), 50, true), "no sign without its marks")
}

func TestTags(t *testing.T) {
	text := "Levadas carry water. A levada is a water channel.|Bananas grow in Madeira. Madeira wine is sweet, Madeira wine is old.|水路は水路である。"
	var parts []prose.Span
	from := 0
	for part := range strings.SplitSeq(text, "|") {
		parts = append(parts, prose.Span{From: from, To: from + len(part)})
		from += len(part) + 1
	}
	tags, err := prose.Tags(t.Context(), text, parts, []string{"Water Channel", "sugar", "the", ""}, 4)
	require.NoError(t, err)
	assert.Equal(t, "Water Channel", tags[0][0], "a tag that was given comes first")
	assert.NotContains(t, tags[1], "Water Channel")
	assert.Contains(t, tags[1], "Madeira wine")
	assert.Contains(t, tags[2], "水路")
	for _, of := range tags {
		assert.LessOrEqual(t, len(of), 4)
		assert.NotContains(t, of, "sugar")
		assert.NotContains(t, of, "the")
	}
	again, err := prose.Tags(t.Context(), text, parts, []string{"Water Channel", "sugar", "the", ""}, 4)
	require.NoError(t, err)
	assert.Equal(t, tags, again)
}

func TestWhoeverLeavesIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	_, err := prose.Summarize(ctx, article, prose.SummaryOptions{MaxChars: 100})
	assert.ErrorIs(t, err, assert.AnError)
	_, err = prose.Tags(ctx, article, []prose.Span{{To: len(article)}}, nil, 5)
	assert.ErrorIs(t, err, assert.AnError)
}

func TestRuler(t *testing.T) {
	const text = "aé水😀b"
	r := prose.NewRuler(text)
	for _, at := range []int{0, 1, 3, 6, 10, 11, 3, 0} {
		assert.Equal(t, utf8.RuneCountInString(text[:at]), r.At(at))
	}
}

// worst are texts that a careless reader takes long for.
func worst(size int) map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, size/utf8.RuneCountInString(unit)) }
	return map[string]string{
		"one word": fill("a"), "words": fill("a "), "sentences": fill("Ab. "), "other sentences": fill("One word. "), "line breaks": fill("\n"), "lines": fill("ab\n"), "NULs": fill("\x00"),
		"marks": fill("e\u0301\u0301"), "only marks": fill("\u0301"), "Chinese": fill("水路"), "Chinese sentences": fill("水路。"), "Arabic": fill("مرحبا بالعالم. "), "emoji": fill("👩‍👩‍👧"),
		"brackets": fill("["), "markers": fill("[1] "), "initials": fill("A. "), "headings": fill("#"), "hyphens": fill("-"), "points": fill("."), "spaces": fill(" "), "images": fill("!["),
	}
}

func TestWorstTextsEnd(t *testing.T) {
	for name, text := range worst(100_000) {
		t.Run(name, func(t *testing.T) { check(t, text) })
	}
}

func check(t testing.TB, text string) {
	end := 0
	spans := prose.Sentences(text)
	for _, s := range spans {
		require.LessOrEqual(t, end, s.From)
		require.Less(t, s.From, s.To)
		require.True(t, utf8.ValidString(s.Of(text)))
		end = s.To
	}
	summary(t, text, 50, false)
	summary(t, text, 5000, true)
	tags, err := prose.Tags(context.Background(), text, spans, nil, 5)
	require.NoError(t, err)
	for _, of := range tags {
		for _, tag := range of {
			require.True(t, utf8.ValidString(tag))
		}
	}
}

func FuzzProse(f *testing.F) {
	for _, text := range worst(60) {
		f.Add(text)
	}
	f.Add(article)
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			check(t, text)
		}
	})
}

// read is a document of this repository, as long as a tool's longest.
func read(b *testing.B, chars int) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "design", "ingestion.md"))
	require.NoError(b, err)
	return string([]rune(strings.Repeat(string(text), 1+chars/len(text)*2))[:chars])
}

func BenchmarkSummarize(b *testing.B) {
	texts := worst(100_000)
	for name, text := range map[string]string{"document": read(b, 100_000), "other sentences": texts["other sentences"], "Chinese": texts["Chinese sentences"], "one word": texts["one word"]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				summary(b, text, 5000, false)
			}
		})
	}
}
