package builtin

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

const guide = `# Levadas

Levadas are narrow channels that carry water from the wet north of Madeira to the dry south. They were built by hand.

## Walking

Paths beside the channels are walked by visitors. Dr. Ada Lovelace of the University of Porto walked 12 km on 22 November 2026.`

func TestSummarize(t *testing.T) {
	acme, globex := two(t)
	for _, c := range []*tenants.Config{acme, globex} {
		got, err := call[summarizeOutput](t, Deps{}, c, "summarize", in{"text": guide})
		require.NoError(t, err)
		assert.Equal(t, "paragraph", got.Format)
		assert.Contains(t, got.Summary, "narrow channels that carry water")
		assert.LessOrEqual(t, utf8.RuneCountInString(got.Summary), 500)
		got, err = call[summarizeOutput](t, Deps{}, c, "summarize", in{"text": guide, "max_length": 120, "format": "bullet_points"})
		require.NoError(t, err)
		assert.Equal(t, summarizeOutput{"- Levadas are narrow channels that carry water from the wet north of Madeira to the dry south.", "bullet_points"}, got)
	}
	for _, c := range []struct {
		input          in
		field, message string
	}{
		{in{"text": ""}, "params.text", "below 1"}, {in{"text": strings.Repeat("é", 100_001)}, "params.text", "above 100000"}, {in{}, "params.text", "is required"},
		{in{"text": "a", "max_length": 49}, "params.max_length", "is below 50"}, {in{"text": "a", "max_length": 5001}, "params.max_length", "is above 5000"},
		{in{"text": "a", "format": "poem"}, "params.format", "is none of"}, {in{"text": " \n "}, "text", "nothing to read"},
	} {
		refused(t, Deps{}, "summarize", c.input, c.field, c.message)
	}
}

func TestExtractEntities(t *testing.T) {
	acme, globex := two(t)
	text := "é水😀 " + guide
	for _, c := range []*tenants.Config{acme, globex} {
		all, err := call[extractEntitiesOutput](t, Deps{}, c, "extract_entities", in{"text": text})
		require.NoError(t, err)
		assert.Equal(t, len(all.Entities), all.Count)
		runes, found := []rune(text), map[string]string{}
		for _, e := range all.Entities {
			assert.Equal(t, e.Text, string(runes[e.StartOffset:e.EndOffset]))
			found[e.Text] = e.Type
		}
		assert.Equal(t, map[string]string{
			"Madeira": "LOCATION", "Ada Lovelace": "PERSON", "University of Porto": "ORGANIZATION", "12": "NUMBER", "22 November 2026": "DATE",
		}, found)
		some, err := call[extractEntitiesOutput](t, Deps{}, c, "extract_entities", in{"text": text, "entity_types": []string{"DATE", "PERSON"}})
		require.NoError(t, err)
		assert.Equal(t, 2, some.Count)
	}
	none, err := call[extractEntitiesOutput](t, Deps{}, acme, "extract_entities", in{"text": "nothing", "entity_types": []string{"URL"}})
	require.NoError(t, err)
	assert.Equal(t, extractEntitiesOutput{Entities: []foundEntity{}}, none)
	many, err := call[extractEntitiesOutput](t, Deps{}, acme, "extract_entities", in{"text": strings.Repeat("1 ", 50_000)})
	require.NoError(t, err)
	assert.Len(t, many.Entities, mostEntities)
	assert.Equal(t, 50_000, many.Count)
	refused(t, Deps{}, "extract_entities", in{"text": "a", "entity_types": []string{"DATE", "COLOUR"}}, "params.entity_types[1]", `is none of "PERSON", "ORGANIZATION"`)
	refused(t, Deps{}, "extract_entities", in{"text": ""}, "params.text", "below 1")
}

func TestTagChunkDocs(t *testing.T) {
	acme, globex := two(t)
	for _, c := range []*tenants.Config{acme, globex} {
		got, err := call[tagChunkDocsOutput](t, Deps{}, c, "tag_chunk_docs", in{
			"content": guide, "chunk_size": 150, "metadata": in{"topics": []any{"University of Porto", "sailing", 7}, "title": "Channels", "draft": true},
		})
		require.NoError(t, err)
		assert.Equal(t, 2, got.ChunkCount)
		assert.Equal(t, "# Levadas", strings.SplitN(got.Chunks[0].Text, "\n", 2)[0])
		assert.Contains(t, got.Chunks[0].Tags, "Levadas")
		assert.Equal(t, []string{"Channels", "University of Porto"}, got.Chunks[1].Tags[:2])
		held(t, guide, 150, got)
	}
	empty, err := call[tagChunkDocsOutput](t, Deps{}, acme, "tag_chunk_docs", in{"content": " \n "})
	require.NoError(t, err)
	assert.Equal(t, tagChunkDocsOutput{Chunks: []taggedChunk{}}, empty)
	refused(t, Deps{}, "tag_chunk_docs", in{"content": ""}, "params.content", "below 1")
	refused(t, Deps{}, "tag_chunk_docs", in{"content": strings.Repeat("a", 500_001)}, "params.content", "above 500000")
	refused(t, Deps{}, "tag_chunk_docs", in{"content": "a", "chunk_size": 99}, "params.chunk_size", "is below 100")
	refused(t, Deps{}, "tag_chunk_docs", in{"content": "a", "chunk_size": 10_001}, "params.chunk_size", "is above 10000")
	refused(t, Deps{}, "tag_chunk_docs", in{"content": "a", "metadata": "b"}, "params.metadata", "is string")
}

// held holds chunks to what is promised of them.
func held(t testing.TB, content string, size int, got tagChunkDocsOutput) {
	runes, end := []rune(content), 0
	require.Len(t, got.Chunks, got.ChunkCount)
	for i, c := range got.Chunks {
		require.Equal(t, i, c.Index)
		require.Equal(t, c.Text, string(runes[c.StartOffset:c.EndOffset]))
		require.LessOrEqual(t, utf8.RuneCountInString(c.Text), size)
		require.LessOrEqual(t, len(c.Tags), chunkTags)
		require.True(t, utf8.ValidString(c.Text))
		require.Empty(t, strings.TrimSpace(string(runes[end:c.StartOffset])), "only white space is left out")
		end = c.EndOffset
	}
	require.Empty(t, strings.TrimSpace(string(runes[end:])))
}

// worst are contents that a careless reader takes long for, or makes too much of.
func worst(size int) map[string]string {
	fill := func(unit string) string { return strings.Repeat(unit, size/utf8.RuneCountInString(unit)) }
	return map[string]string{
		"one word": fill("a"), "words": fill("a "), "sentences": fill("Ab. "), "lines": fill("\n"), "short lines": fill("a\n"), "headings": fill("# a\n"), "NULs": fill("\x00"), "spaces": fill(" "),
		"marks": fill("e\u0301\u0301"), "only marks": fill("\u0301"), "Chinese": fill("水路"), "Arabic": fill("مرحبا بالعالم. "), "emoji": fill("👩‍👩‍👧"), "joined": fill("\u200d"),
		"fences": fill("```\n"), "angles": fill("<>&"), "tables": fill("|a|b|\n"), "digits": fill("1"),
	}
}

// The largest contents have a result, or are refused at the content, whatever they are.
func TestWorstContents(t *testing.T) {
	acme, _ := two(t)
	for name, content := range worst(500_000) {
		t.Run(name, func(t *testing.T) {
			got, err := call[tagChunkDocsOutput](t, Deps{}, acme, "tag_chunk_docs", in{"content": content, "chunk_size": 100})
			if err != nil {
				assert.Equal(t, "content", fault.As(err).Field, "%v", err)
				return
			}
			held(t, content, 100, got)
		})
	}
}

func FuzzTagChunkDocs(f *testing.F) {
	for _, content := range worst(300) {
		f.Add(content, 100)
	}
	f.Add(guide, 120)
	f.Fuzz(func(t *testing.T, content string, size int) {
		if content == "" || !utf8.ValidString(content) || size < 100 || size > 10_000 {
			return
		}
		got, err := tagChunkDocs(context.Background(), nil, tagChunkDocsInput{Content: content, ChunkSize: size})
		require.NoError(t, err)
		held(t, content, size, got)
	})
}

func TestWhoeverLeavesIsNotWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(assert.AnError)
	content := strings.Repeat(guide, 100)
	_, err := summarize(ctx, nil, summarizeInput{Text: content})
	assert.ErrorIs(t, err, assert.AnError)
	_, err = extractEntities(ctx, nil, extractEntitiesInput{Text: content})
	assert.ErrorIs(t, err, assert.AnError)
	_, err = tagChunkDocs(ctx, nil, tagChunkDocsInput{Content: content})
	assert.ErrorIs(t, err, assert.AnError)
}

// large is a document of this repository, made as long as the longest input.
func large(b *testing.B, chars int) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "design", "ingestion.md"))
	require.NoError(b, err)
	return string([]rune(strings.Repeat(string(text), 1+2*chars/len(text)))[:chars])
}

func BenchmarkLargest(b *testing.B) {
	texts, contents := map[string]string{"document": large(b, 100_000)}, map[string]string{"document": large(b, 500_000)}
	for _, name := range []string{"one word", "Chinese", "short lines"} {
		texts[name], contents[name] = worst(100_000)[name], worst(500_000)[name]
	}
	ctx := context.Background()
	for name, text := range texts {
		b.Run("summarize/"+name, func(b *testing.B) {
			for b.Loop() {
				_, _ = summarize(ctx, nil, summarizeInput{Text: text, MaxLength: 5000})
			}
		})
		b.Run("extract_entities/"+name, func(b *testing.B) {
			for b.Loop() {
				_, _ = extractEntities(ctx, nil, extractEntitiesInput{Text: text})
			}
		})
		b.Run("tag_chunk_docs/"+name, func(b *testing.B) {
			for b.Loop() {
				_, _ = tagChunkDocs(ctx, nil, tagChunkDocsInput{Content: contents[name]})
			}
		})
	}
}
