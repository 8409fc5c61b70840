package cut_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/cut"
)

func spoken(text string, most int) []string {
	var all []string
	for _, p := range cut.Parts(text, most) {
		all = append(all, cut.Spoken(text, p))
	}
	return all
}

func TestParts(t *testing.T) {
	assert.Equal(t, []string{"One. Two.", "Three is longer."}, strip(spoken("One. Two. Three is longer.", 16)))
	assert.Equal(t, []string{"One, two", "three,", "four"}, strip(spoken("One, two three, four", 10)), "a sentence that is too long is cut after a comma in its second half, or between words")
	assert.Equal(t, []string{"aaaaa", "aaaaa", "aa"}, strip(spoken("aaaaaaaaaaaa", 5)), "and a word between letters")
	assert.Equal(t, []string{"日本語で", "話します"}, strip(spoken("日本語で話します。", 4)), "a point alone is no part")
}

// strip puts the sentences of a part on one line.
func strip(parts []string) []string {
	for i := range parts {
		parts[i] = strings.Join(strings.Fields(parts[i]), " ")
	}
	return parts
}

func TestChapters(t *testing.T) {
	text := "# The channel\n\nWater flows. It flows down.\n\n## The fields\nThey drink.\n\nChapter 3: The sea\nIt ends.\n"
	var titles []string
	for _, p := range cut.Parts(text, 1000) {
		titles = append(titles, p.Chapter)
	}
	assert.Equal(t, []string{"The channel", "The fields", "Chapter 3: The sea"}, titles)
	assert.Equal(t, "The channel\nWater flows.\nIt flows down.", spoken(text, 1000)[0], "the signs of headings are not spoken")
	for text, want := range map[string][]string{
		"## 1. Introduction\nIt begins.":                              {"1. Introduction"},
		"# Why? Because. ##\nIt is so.":                               {"Why? Because."},
		"#levada is fun. #water is, too.\nYes.":                       {""},
		"Before.\n\n####### Seven. Signs.\nAfter.":                    {""},
		"# One\n\n## Two. And more. Of it.\nA text.":                  {"One", "Two. And more. Of it."},
		"# ***\n\n# Four\nfive":                                       {"Four"},
		"One.\n\n" + strings.Repeat("-", 3000) + "\n\n## Two\nThree.": {"", "Two"},
		"#\u00a0No space of Markdown. But one.\nText.":                {""},
	} {
		var titles []string
		for _, p := range cut.Parts(text, 1000) {
			titles = append(titles, p.Chapter)
		}
		assert.Equal(t, want, titles, text)
	}
	assert.Empty(t, cut.Parts("Chapter 3 is long and has no end that anybody would have seen in all these many years.", 1000)[0].Chapter)
}

func TestOf(t *testing.T) {
	long := strings.Repeat("Water flows down the channel to the fields. ", 40)
	count := func(f audio.Format) []speech.Cut {
		cuts, err := cut.Of(speech.Order{Text: long, Model: "@cf/deepgram/aura-1", Format: f, Speed: 100})
		require.NoError(t, err)
		return cuts
	}
	assert.Len(t, count(audio.WAV), 3)
	assert.Len(t, count(audio.MP3), 2)
	assert.Len(t, count(audio.Opus), 1)
	assert.LessOrEqual(t, count(audio.MP3)[0].Chars, cut.FirstChars)
	for _, o := range []speech.Order{
		{Model: "@cf/deepgram/aura-1", Speed: 400}, {Model: "@cf/deepgram/aura-1", Speed: 25}, {Model: "@cf/myshell-ai/melotts", Speed: 25},
	} {
		o.Text, o.Format = long, audio.WAV
		m, err := speech.FindModel(o.Model)
		require.NoError(t, err)
		cuts, err := cut.Of(o)
		require.NoError(t, err)
		for _, c := range cuts {
			assert.LessOrEqual(t, c.Chars*m.Rate*100/min(100, o.Speed), 24_000_000, "%s at %d %%: as many samples as any other part", o.Model, o.Speed)
		}
	}
	_, err := cut.Of(speech.Order{Text: long, Model: "none"})
	assert.Error(t, err)
}

func check(t testing.TB, text string, most int) {
	parts := cut.Parts(text, most)
	at, last := 0, 0
	for i, p := range parts {
		require.LessOrEqual(t, last, p.From)
		require.Less(t, p.From, p.To)
		at += utf8.RuneCountInString(text[last:p.From])
		require.Equal(t, at, p.At, "part %d begins after so many characters", i)
		require.Equal(t, utf8.RuneCountInString(text[p.From:p.To]), p.Chars)
		require.LessOrEqual(t, p.Chars, most)
		require.LessOrEqual(t, utf8.RuneCountInString(cut.Spoken(text, p)), p.Chars, "nothing is spoken that is not there")
		for _, r := range text[last:p.From] {
			require.False(t, r >= 'a' && r <= 'z', "a letter between the parts: %q", text[last:p.From])
		}
		at += p.Chars
		last = p.To
	}
	require.NotContains(t, strings.Map(letters, text[last:]), "a")
	require.Equal(t, parts, cut.Parts(text, most))
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return 'a'
	}
	return -1
}

func FuzzParts(f *testing.F) {
	f.Add("One. Two, three.\n\n# Four\nfive", 7)
	f.Add("日本語。\n- a\n1. b c d e f\u0085g", 3)
	f.Add(strings.Repeat("x ", 100), 1)
	f.Fuzz(func(t *testing.T, text string, most int) {
		if !utf8.ValidString(text) || most < 1 || most > 1000 || len(text) > 5000 {
			return
		}
		check(t, text, most)
	})
}

func TestLongText(t *testing.T) {
	check(t, strings.Repeat("The levada leads water from the mountain to the fields below, where it is shared out fairly. ", 2100), 1000)
	check(t, strings.Repeat("a", 200_000), 1000)
	check(t, strings.Repeat("a ", 100_000), 1000)
	check(t, strings.Repeat("#\n", 100_000), 1000)
}
