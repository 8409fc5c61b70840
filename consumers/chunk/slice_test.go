package chunk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// TestASliceFitsIntoAMessageWithItsVectors makes the event that carries most, for texts of every sort.
func TestASliceFitsIntoAMessageWithItsVectors(t *testing.T) {
	s, err := tenants.Resume("acme")
	require.NoError(t, err)
	about := events.About{
		Title: strings.Repeat("<", 500), Source: strings.Repeat("&", 500), URL: strings.Repeat("u", 2048),
		Metadata: map[string]any{"a": strings.Repeat("x", 4000)},
	}
	for name, text := range map[string]string{
		"short": "x", "prose": strings.Repeat("water ", 340), "markup": strings.Repeat("<&>", 170), "ideographs": strings.Repeat("水", 510), "controls": strings.Repeat("\x01", 510),
	} {
		for _, m := range llm.EmbeddingModels() {
			t.Run(name+" "+m.Slug, func(t *testing.T) {
				chunks := make([]events.Chunk, 100)
				for i := range chunks {
					chunks[i] = events.Chunk{Index: i, Start: 1e7, End: 1e7, Text: text, Heading: strings.Repeat("H", 300)}
				}
				parts, err := slice(chunks, about, m)
				require.NoError(t, err)
				n := 0
				for k, p := range parts {
					require.NotEmpty(t, p)
					require.LessOrEqual(t, len(p), maxParts)
					ev, err := events.New(s, "consumers", events.Cause{ID: strings.Repeat("c", 36), TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}, time.Unix(0, 0), events.ChunksEmbedded{
						DocumentRef: events.DocumentRef{DocID: strings.Repeat("d", 200), Generation: 1000, JobID: strings.Repeat("j", 36)}, About: about,
						Slice: events.Slice{Slice: k, Slices: len(parts), Chunks: len(chunks)}, Model: m.Name, Dimensions: m.Dimensions,
						Parts: p, Vectors: make([]byte, 4*m.Dimensions*len(p)),
					})
					require.NoError(t, err)
					b, err := ev.MarshalJSON()
					require.NoError(t, err)
					assert.LessOrEqual(t, len(b), events.MaxMessageBytes, "%d parts", len(p))
					for _, c := range p {
						require.Equal(t, n, c.Index)
						n++
					}
				}
				require.Equal(t, len(chunks), n)
				if name == "short" && m.Dimensions == 384 {
					assert.Len(t, parts, 7, "slices are full where the message allows")
				}
			})
		}
	}
}

func TestOptions(t *testing.T) {
	m := llm.EmbeddingModels()[0]
	for _, c := range []struct {
		in   events.Chunking
		want int
	}{{events.Chunking{}, 510}, {events.Chunking{MaxTokens: 100}, 100}, {events.Chunking{MaxTokens: 512}, 510}} {
		assert.Equal(t, c.want, options(c.in, m).MaxTokens, fmt.Sprint(c.in))
	}
	assert.Equal(t, 255, options(events.Chunking{OverlapTokens: 256}, m).OverlapTokens, "half of what is left")
}
