package builtin

import (
	"context"
	"maps"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/prose"
	"levada.dev/workflows/tools"
)

type tagChunkDocsInput struct {
	Content   string         `json:"content" jsonschema:"minLength=1,maxLength=500000" jsonschema_description:"The document, as plain text or Markdown."`
	ChunkSize int            `json:"chunk_size,omitempty" jsonschema:"minimum=100,maximum=10000,default=1000" jsonschema_description:"How many characters a chunk has at most."`
	Metadata  map[string]any `json:"metadata,omitempty" jsonschema_description:"What is known of the document. Its texts, and lists of texts, are tags of the chunks in which their words stand."`
}

type tagChunkDocsOutput struct {
	Chunks     []taggedChunk `json:"chunks" jsonschema_description:"The chunks, in the order of the document."`
	ChunkCount int           `json:"chunk_count" jsonschema:"minimum=0" jsonschema_description:"How many chunks there are."`
}

type taggedChunk struct {
	Index       int      `json:"index" jsonschema:"minimum=0" jsonschema_description:"The number of the chunk, from 0."`
	Text        string   `json:"text" jsonschema_description:"The chunk, as it stands in the content."`
	Tags        []string `json:"tags" jsonschema_description:"What the chunk is about, the best first."`
	StartOffset int      `json:"start_offset" jsonschema:"minimum=0" jsonschema_description:"Where in the content it begins: characters (Unicode code points) before it."`
	EndOffset   int      `json:"end_offset" jsonschema:"minimum=0" jsonschema_description:"Where it ends: characters before what follows it."`
}

// Bounds of tags: of a chunk, and of those that are given with a document.
const (
	chunkTags = 5
	givenTags = 200
)

func tagChunkDocsTool() tool {
	return define(tools.Tool{
		Name: "tag_chunk_docs",
		Description: "Divides a document into chunks at its headings, paragraphs and sentences, and says of each chunk what it is about, by the words " +
			"that it says often and the others seldom. Nothing is stored.",
		Cost: tools.Compute, Effects: tools.NoEffects,
	}, tagChunkDocs)
}

func tagChunkDocs(ctx context.Context, _ *tools.Call, in tagChunkDocsInput) (tagChunkDocsOutput, error) {
	if in.ChunkSize == 0 {
		in.ChunkSize = 1000
	}
	spans, err := cutUp(ctx, in.Content, in.ChunkSize)
	if err != nil {
		return tagChunkDocsOutput{}, err
	}
	tags, err := prose.Tags(ctx, in.Content, spans, given(in.Metadata), chunkTags)
	if err != nil {
		return tagChunkDocsOutput{}, err
	}
	out := tagChunkDocsOutput{Chunks: make([]taggedChunk, len(spans)), ChunkCount: len(spans)}
	ruler, bytes := prose.NewRuler(in.Content), 0
	for i, s := range spans {
		out.Chunks[i] = taggedChunk{Index: i, Text: s.Of(in.Content), Tags: tags[i], StartOffset: ruler.At(s.From), EndOffset: ruler.At(s.To)}
		bytes += chunkBytes(out.Chunks[i])
	}
	if bytes > tools.MaxResultBytes {
		return tagChunkDocsOutput{}, fault.Invalidf("content", tools.CodeInvalid, "makes a result of %d bytes, above %d", bytes, tools.MaxResultBytes).
			WithHint("send it in parts, or take a larger chunk_size")
	}
	return out, nil
}

// chunkBytes is about how long a chunk is in the result, and not less.
func chunkBytes(c taggedChunk) int {
	n := len(`{"index":,"text":"","tags":[],"start_offset":,"end_offset":},`) + 3*7 + corpus.EncodedLen(c.Text)
	for _, tag := range c.Tags {
		n += len(`"",`) + corpus.EncodedLen(tag)
	}
	return n
}

// given are the texts of a document's metadata.
func given(metadata map[string]any) (tags []string) {
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		values, list := metadata[name].([]any)
		if !list {
			values = []any{metadata[name]}
		}
		for _, v := range values {
			if tag, ok := v.(string); ok && len(tag) <= longTag && len(tags) < givenTags {
				tags = append(tags, tag)
			}
		}
	}
	return tags
}

// longTag is how many bytes a text has that can be a tag.
const longTag = 100
