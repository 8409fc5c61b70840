package answer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/answer"
	"levada.dev/workflows/rag"
)

var guide = []rag.Source{
	{DocID: "guide", ChunkID: "guide#3", Title: "Levadas of Madeira", Start: 1000,
		Text: "Levadas are narrow channels. They carry water 2,150 km across the island of Madeira.\n\nThe Levada do Rei was opened in 1816 by Ana Lima. It does not need pumps, because water runs downhill."},
	{DocID: "pumps", ChunkID: "pumps#0", Title: "Pumps", Start: 7,
		Text: "A pump lifts 40 litres a minute. Pressure increases with depth. Three valves close when the pump stops."},
	{DocID: "kanal", ChunkID: "kanal#1", Title: "Kanäle", Text: "Die Kanäle wurden im Jahr 1816 gebaut. Sie brauchen keine Pumpen, weil das Wasser bergab läuft. Drei Wärter pflegen sie."},
	{DocID: "patent", ChunkID: "patent#0", Text: "The patents were upheld in 1903, and overturned in 1904. A village cannot register cars, this is not its task."},
	{DocID: "suido", ChunkID: "suido#0", Title: "水道", Text: "水道は島を横切って水を運ぶ。ポンプは使わない。"},
	{DocID: "maps", ChunkID: "maps#0", Text: "The map is at https://maps.example/levadas?sheet=4, and a picture of it ![map](/media/map.png). Do not print it."},
}

func TestCheck(t *testing.T) {
	e := answer.Prepare(guide)
	for _, tc := range []struct {
		claim  string
		source int
		quote  string // what supports it; "" where nothing does
	}{
		{"Levadas carry water across Madeira.", 0, "They carry water 2,150 km across the island of Madeira."},
		{"They carry water 2150 km across the island.", 0, "They carry water 2,150 km across the island of Madeira."},
		{"They carry water 2,160 km across the island.", 0, ""},
		{"They carry water across the island of Corsica.", 0, ""},
		{"The Levada do Rei was opened in 1816.", 0, "The Levada do Rei was opened in 1816 by Ana Lima."},
		{"The Levada do Rei was not opened in 1816.", 0, ""},
		{"The Levada do Rei was opened in 1817.", 0, ""},
		{"The Levada do Rei was opened in 1816 by Rui Costa.", 0, ""},
		{"It needs pumps, because water runs downhill.", 0, ""},
		{"It does not need pumps.", 0, "It does not need pumps, because water runs downhill."},
		{"It doesn't need pumps.", 0, "It does not need pumps, because water runs downhill."},
		{"Elephants play chess in Paris.", 0, ""},
		{"A pump lifts 40 litres a minute.", 0, ""},
		{"A pump lifts 40 litres a minute.", 1, "A pump lifts 40 litres a minute."},
		{"Pressure decreases with depth.", 1, ""},
		{"The pressure increases with the depth.", 1, "Pressure increases with depth."},
		{"3 valves close when the pump stops.", 1, "Three valves close when the pump stops."},
		{"4 valves close when the pump stops.", 1, ""},
		{"Die Kanäle wurden 1816 gebaut.", 2, "Die Kanäle wurden im Jahr 1816 gebaut."},
		{"Die Kanäle wurden 1861 gebaut.", 2, ""},
		{"Die Kanäle brauchen Pumpen, weil das Wasser bergab läuft.", 2, ""},
		{"Die Kanäle brauchen keine Pumpen, weil Wasser bergab läuft.", 2, "Sie brauchen keine Pumpen, weil das Wasser bergab läuft."},
		{"水道は水を運ぶ。", 4, "水道は島を横切って水を運ぶ。"},
		{"水道は電気を作る。", 4, ""},
		{"The patents were upheld in 1904, and overturned in 1904.", 3, ""},
		{"The patents were overturned in 1904.", 3, "The patents were upheld in 1903, and overturned in 1904."},
		{"A village cannot register cars, this is not its task.", 3, "A village cannot register cars, this is not its task."},
		{"A village cannot register cars, this is its task.", 3, ""},
		{"The map is at https://maps.example/levadas?sheet=4 today.", 5, "The map is at https://maps.example/levadas?sheet=4, and a picture of it ![map](/media/map.png)."},
		{"The map is at https://maps.example/levadas?sheet=4&q=secret today.", 5, ""},
		{"The map is at <https://maps.example/levadas?sheet=4>.", 5, "The map is at https://maps.example/levadas?sheet=4, and a picture of it ![map](/media/map.png)."},
		{"The map is at [maps](https://evil.example/levadas?sheet=4).", 5, ""},
		{"The map is a picture ![map](/media/map.png).", 5, "The map is at https://maps.example/levadas?sheet=4, and a picture of it ![map](/media/map.png)."},
		{"The map is a picture ![map](/media/map.png?q=secret).", 5, ""},
		{`The map is a picture <img src="//evil.example/map.png">.`, 5, ""},
		{"![](https://maps.example/)", 0, ""},
		{"Anything.", 9, ""},
		{"Anything.", -1, ""},
		{"It is.", 0, ""},
	} {
		v := e.Check(tc.claim, tc.source)
		require.Equal(t, tc.quote != "", v.Supported, "%q: %+v", tc.claim, v)
		quote, start, end := e.Quote(v)
		if tc.quote != "" {
			assert.Equal(t, tc.quote, quote, tc.claim)
		}
		if v.Source >= 0 && v.To > 0 {
			s := guide[v.Source]
			assert.Equal(t, quote, s.Text[start-s.Start:end-s.Start])
		}
	}
}

func TestBest(t *testing.T) {
	e := answer.Prepare(guide)
	assert.Equal(t, 1, e.Best("A pump lifts 40 litres a minute.").Source)
	assert.True(t, e.Best("A pump lifts 40 litres a minute.").Supported)
	assert.Equal(t, 2, e.Best("Die Kanäle wurden 1816 gebaut.").Source)
	assert.False(t, e.Best("Elephants play chess.").Supported)
	assert.Equal(t, -1, answer.Prepare(nil).Best("Elephants play chess.").Source)
	assert.False(t, e.Says("It is so."))
}

// With its neighbours a source says more, and a quote never goes over the white space between chunks, which may be other bytes in the document.
func TestASourceWithItsNeighbours(t *testing.T) {
	const document = "Levadas carry water.\t \nThey cross Madeira from north to south. Figs grow there."
	src := rag.Source{Text: "Figs grow there.", Start: 63, Context: &rag.Context{Text: strings.Replace(document, "\t \n", "\n\n\n", 1), Start: 0, End: len(document)}}
	e := answer.Prepare([]rag.Source{src})
	for claim, supported := range map[string]bool{
		"Levadas carry water.": true, "Figs grow there.": true, "They cross Madeira from north to south.": true,
		"Levadas carry water, cross Madeira from north to south, and figs grow there.": false,
	} {
		v := e.Check(claim, 0)
		assert.Equal(t, supported, v.Supported, claim)
		quote, start, end := e.Quote(v)
		assert.Equal(t, document[start:end], quote)
	}
}

// What a source says word for word it supports, and a number that it has nowhere it does not.
func TestASourceSaysItsOwnSentences(t *testing.T) {
	e := answer.Prepare(guide)
	for i, src := range guide {
		for _, s := range answer.Sentences(src.Text) {
			claim := s.Claim(src.Text)
			if claim == "" {
				continue
			}
			v := e.Check(claim, i)
			assert.True(t, v.Supported, claim)
			assert.InDelta(t, 1, v.Coverage, 1e-9)
			assert.False(t, e.Check(strings.TrimRight(claim, ".。")+" 7919", i).Supported, claim)
			assert.Equal(t, v, e.Check(claim, i), "the same again")
		}
	}
}

// Whatever is claimed of whatever source, the quote is in it, and what is supported has a quote.
func FuzzCheck(f *testing.F) {
	f.Add("Water flows. It's 5 km.", "Water flows 5 km!", 3)
	f.Add("水道は水を運ぶ。\xff", "Kein Wasser\n\n[1]", 0)
	f.Fuzz(func(t *testing.T, text, claim string, start int) {
		src := rag.Source{Text: text, Start: start & 0xffff, Title: claim}
		e := answer.Prepare([]rag.Source{src, {Text: claim}})
		for i := range 2 {
			v := e.Check(claim, i)
			require.True(t, 0 <= v.From && v.From <= v.To && v.To <= max(len(text), len(claim)))
			quote, from, to := e.Quote(v)
			require.Equal(t, to-from, len(quote))
			require.False(t, v.Supported && quote == "")
			require.True(t, v.Coverage >= -0.1 && v.Coverage <= 1.0001)
		}
		p := e.Look(claim).Answerable()
		require.True(t, p >= 0 && p <= 1)
	})
}

func BenchmarkCheck(b *testing.B) {
	var sources []rag.Source
	for range 8 {
		sources = append(sources, rag.Source{Text: strings.Repeat(guide[0].Text+"\n", 8)})
	}
	b.ReportAllocs()
	for b.Loop() {
		e := answer.Prepare(sources)
		for range 5 {
			e.Best("The Levada do Rei was opened in 1817 by Rui Costa.")
		}
	}
}

// essay is a sentence of so many different words.
func essay(words int, end string) string {
	var b strings.Builder
	b.WriteString("It")
	for i := range words - 1 {
		fmt.Fprintf(&b, " %c%c%cx", 'b'+i/21, "aeiou"[i/7%3], 'b'+i%7)
	}
	return b.String() + end
}

// A claim too long to be compared to its end is not supported by its beginning: a number behind it would be anybody's.
func TestALongClaimIsNotSupportedByItsBeginning(t *testing.T) {
	sources := []rag.Source{{DocID: "essay", ChunkID: "essay#0", Text: essay(300, " in 1816.")}}
	e := answer.Prepare(sources)
	assert.True(t, e.Check(essay(250, " in 1816."), 0).Supported)
	assert.False(t, e.Check(essay(250, " in 1999."), 0).Supported)
	for _, words := range []int{257, 290, 300} {
		for _, end := range []string{".", " in 1999.", " in 1816 by Rui Costa."} {
			assert.False(t, e.Check(essay(words, end), 0).Supported, "%d%s", words, end)
			assert.False(t, e.Best(essay(words, end)).Supported, "%d%s", words, end)
		}
	}
	r := answer.NewReview(sources, true)
	told := r.Take(essay(290, " in 1999 [1]."))
	rest, out := r.End(true)
	assert.Empty(t, told+rest)
	assert.Equal(t, 1, out.Claims)
	assert.Zero(t, out.Supported)
}
