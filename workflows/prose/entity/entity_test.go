package entity_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/prose/entity"
)

// found are the entities of a text, as "TYPE text".
func found(t testing.TB, text string) (out []string) {
	t.Helper()
	entities, err := entity.Find(context.Background(), text)
	require.NoError(t, err)
	for _, e := range entities {
		out = append(out, string(e.Type)+" "+text[e.From:e.To])
	}
	return out
}

// Each paragraph of the file is a text, and the entities that it has, in their order.
func TestGolden(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "golden.txt"))
	require.NoError(t, err)
	cases := strings.Split(strings.TrimSpace(string(golden)), "\n\n")
	require.Greater(t, len(cases), 20)
	for _, c := range cases {
		text, want, _ := strings.Cut(c, "\n")
		got := strings.Join(found(t, text), "\n")
		assert.Equal(t, want, got, text)
	}
}

func TestEveryTypeIsInTheGoldens(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "golden.txt"))
	require.NoError(t, err)
	for _, typ := range entity.Types {
		assert.Contains(t, string(golden), "\n"+string(typ)+" ")
	}
}

func TestWhoeverLeavesIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	_, err := entity.Find(ctx, "Ada Lovelace")
	assert.ErrorIs(t, err, assert.AnError)
}

// worst are texts that a careless scanner takes long for.
func worst() map[string]string {
	const size = 100_000
	fill := func(unit string) string { return strings.Repeat(unit, size/utf8.RuneCountInString(unit)) }
	return map[string]string{
		"one word": fill("a"), "digits": fill("1"), "groups": fill("1,1"), "spaced digits": fill("12 "), "at signs": fill("@"), "mail": fill("a@b.c"), "schemes": fill("http://"),
		"points": fill("."), "capitals": fill("A "), "initials": fill("A. "), "names": fill("Ada & "), "hyphens": fill("Ada-"), "of": fill("University of "), "line breaks": fill("\n"), "NULs": fill("\x00"),
		"marks": fill("e\u0301\u0301"), "only marks": fill("\u0301"), "Chinese": fill("北京大学"), "Arabic": fill("مرحبا بالعالم "), "emoji": fill("👩‍👩‍👧"), "colons": fill("1:"), "hex": fill("f:"), "plus": fill("+1 "),
		"currencies": fill("$1 "), "four": fill("4111 "), "quotes": fill(". \""), "open": fill("(\""), "titles": fill("Dr. "), "months": fill("May 1, "),
	}
}

func TestWorstTextsEnd(t *testing.T) {
	for name, text := range worst() {
		t.Run(name, func(t *testing.T) { check(t, text) })
	}
}

// check holds the entities of a text to what is promised of all.
func check(t testing.TB, text string) {
	entities, err := entity.Find(context.Background(), text)
	require.NoError(t, err)
	end := 0
	for _, e := range entities {
		require.LessOrEqual(t, end, e.From, "they do not overlap, and are in order")
		require.Less(t, e.From, e.To)
		require.LessOrEqual(t, e.To, len(text))
		require.Contains(t, entity.Types, e.Type)
		require.True(t, utf8.ValidString(text[e.From:e.To]))
		end = e.To
	}
}

func FuzzFind(f *testing.F) {
	for _, text := range worst() {
		f.Add(text[:min(len(text), 60)])
	}
	f.Add("Dr. Ada Lovelace met J. K. Rowling of the University of Porto on 22 November 2026 at 14:30 for $1,250.50 (12.5%).")
	f.Add("2026年11月22日、東京で DE89 3704 0044 0532 0130 00 ada@example.com https://a.b/c 10.0.0.1 ::1")
	f.Fuzz(func(t *testing.T, text string) {
		if utf8.ValidString(text) {
			check(t, text)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	prose := strings.Repeat("On 22 November 2026 Dr. Maria Silva of the University of Madeira met John Smith in Funchal and paid $1,250.50 to Acme Corp. ", 800)
	for name, text := range map[string]string{"prose": prose, "digits": worst()["spaced digits"], "names": worst()["names"], "chinese": worst()["Chinese"]} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, _ = entity.Find(context.Background(), text)
			}
		})
	}
}
