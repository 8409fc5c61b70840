package answer_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/answer"
)

func TestSentences(t *testing.T) {
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"Water flows [1]. It falls [2][3]. Done", []string{"Water flows. 1", "It falls. 2 3", "Done"}},
		{"Water flows. [1] It falls. [2, 3]", []string{"Water flows. 1", "It falls. 2 3"}},
		{"Water flows. [1] and falls. [1]", []string{"Water flows. 1", "and falls. 1"}},
		{"Water flows.[1]\nIt falls【2】。", []string{"Water flows. 1", "It falls。 2"}},
		{"Dr. Lima measured 3.5 km. It rained.", []string{"Dr. Lima measured 3.5 km.", "It rained."}},
		{"See [a] and [1a] and [] and [1234].", []string{"See [a] and [1a] and [] and [1234]."}},
		{"See https://a.example/x?y=1!z and go. Then https://b.example/. Or ![map](/m.png?q=1) here! Yes.", []string{"See https://a.example/x?y=1!z and go.", "Then https://b.example/.", "Or ![map](/m.png?q=1) here!", "Yes."}},
		{"It falls [1]. ![map](https://a.example/?q=1) [2]. Done.", []string{"It falls. 1", "![map](https://a.example/?q=1). 2", "Done."}},
		{"水は流れる。[1]雨が降る。", []string{"水は流れる。 1", "雨が降る。"}},
	} {
		var got []string
		for _, s := range answer.Sentences(tc.text) {
			words := s.Claim(tc.text)
			for _, m := range s.Markers {
				words += " " + string(rune('0'+m))
			}
			got = append(got, words)
		}
		assert.Equal(t, tc.want, got, tc.text)
	}
}

// Sentences are the whole text, in order, and a claim holds no marker of its sentence.
func FuzzSentences(f *testing.F) {
	f.Add("Water flows. [1] Dr. X said [2, 3] so. [")
	f.Add("a\n\n[1]\n[2]. 【3】。[4]")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		at := 0
		for _, s := range answer.Sentences(text) {
			require.Equal(t, at, s.From)
			require.Greater(t, s.To, s.From)
			require.True(t, utf8.ValidString(text[s.From:s.To]))
			at = s.To
			if claim := s.Claim(text); len(s.Markers) > 0 {
				require.Less(t, len(claim), s.To-s.From)
			}
		}
		require.Equal(t, len(text), at)
		require.False(t, strings.Contains(text, "x") && at == 0)
	})
}
