package localai

import (
	"strconv"
	"strings"
	"time"
)

type kind int

const (
	embedding kind = iota + 1
	lexicalEmbedding
	reranking
	generation
	scripted
	guarding
	speaking
)

// dialect is the wire shape of a generation model's answers.
type dialect int

const (
	classic dialect = iota // {response, usage}
	openAI                 // {choices: [{message}], usage}
)

// model is one row of the catalogue.
type model struct {
	id   string
	kind kind
	// dimensions, field and batch describe an embedding model: the size of its
	// vectors, the inputs it takes its texts from, the most texts in one call.
	dimensions int
	fields     []string
	batch      int
	pooling    string
	dialect    dialect
	// window is how many tokens the model reads; longer embedding texts are cut,
	// longer prompts refused.
	window int
	// input and output are US dollars per million tokens, Workers AI's public
	// prices of 2026-11: https://developers.cloudflare.com/workers-ai/platform/pricing/
	input, output float64
	// letter and minute are what speech costs: US dollars per million characters of the text, and per minute of the audio.
	letter, minute float64
	// cast and narrator describe a speech model: its speakers with the voices that speak for them here, and who speaks when none is named.
	cast     map[string]string
	narrator string
}

var catalogue = []model{
	{id: "@cf/baai/bge-m3", kind: embedding, dimensions: 1024, fields: text, batch: 100, pooling: "cls", window: 8192, input: .012},
	{id: "@cf/baai/bge-small-en-v1.5", kind: embedding, dimensions: 384, fields: text, batch: 100, pooling: "mean", window: 512, input: .020},
	{id: "@cf/baai/bge-base-en-v1.5", kind: embedding, dimensions: 768, fields: text, batch: 100, pooling: "mean", window: 512, input: .067},
	{id: "@cf/baai/bge-large-en-v1.5", kind: embedding, dimensions: 1024, fields: text, batch: 100, pooling: "mean", window: 512, input: .204},
	{id: "@cf/qwen/qwen3-embedding-0.6b", kind: embedding, dimensions: 1024, fields: []string{"text", "queries", "documents"}, batch: 32, window: 8192, input: .012},
	{id: "@cf/google/embeddinggemma-300m", kind: embedding, dimensions: 768, fields: text, batch: 100, window: 2048, input: .012},

	{id: "@cf/baai/bge-reranker-base", kind: reranking, dimensions: 1024, batch: 100, window: 512, input: .003},
	{id: rankModel, kind: reranking, dimensions: 1024, batch: 100, window: 512},

	{id: "@cf/meta/llama-3.3-70b-instruct-fp8-fast", kind: generation, dialect: classic, window: 24_000, input: .293, output: 2.253},
	{id: "@cf/meta/llama-3.1-8b-instruct-fast", kind: generation, dialect: classic, window: 60_000, input: .045, output: .384},
	{id: "@cf/meta/llama-3.1-8b-instruct-fp8-fast", kind: generation, dialect: classic, window: 60_000, input: .045, output: .384},
	{id: "@cf/meta/llama-3.2-1b-instruct", kind: generation, dialect: classic, window: 60_000, input: .027, output: .201},
	{id: "@cf/meta/llama-4-scout-17b-16e-instruct", kind: generation, dialect: classic, window: 131_000, input: .27, output: .85},
	{id: "@cf/qwen/qwen3-30b-a3b-fp8", kind: generation, dialect: openAI, window: 32_768, input: .051, output: .335},
	{id: "@cf/zai-org/glm-4.7-flash", kind: generation, dialect: openAI, window: 131_072, input: .06, output: .40},
	{id: "@cf/google/gemma-4-26b-a4b-it", kind: generation, dialect: openAI, window: 256_000, input: .10, output: .30},
	{id: "@cf/moonshotai/kimi-k2.6", kind: generation, dialect: openAI, window: 262_144, input: .95, output: 4},
	{id: "@cf/openai/gpt-oss-20b", kind: generation, dialect: openAI, window: 128_000, input: .20, output: .30},
	{id: "@cf/openai/gpt-oss-120b", kind: generation, dialect: openAI, window: 128_000, input: .35, output: .75},

	{id: "@cf/meta/llama-guard-3-8b", kind: guarding, dialect: classic, window: 131_072, input: .484, output: .03},

	{id: "@cf/deepgram/aura-1", kind: speaking, cast: aura1, narrator: "angus", letter: 15},
	{id: "@cf/deepgram/aura-2-en", kind: speaking, cast: aura2, narrator: "luna", letter: 30},
	{id: "@cf/deepgram/aura-2-es", kind: speaking, cast: aura2es, narrator: "aquila", letter: 30},
	{id: meloModel, kind: speaking, cast: map[string]string{"melo": "slt"}, narrator: "melo", minute: .0002},
	{id: voiceModel, kind: speaking, cast: flite, narrator: "kal16", letter: 1},

	{id: "@local/script", kind: scripted, dialect: classic, window: 1_000_000},
	{id: "@local/script-openai", kind: scripted, dialect: openAI, window: 1_000_000},
	{id: hashModel, kind: lexicalEmbedding, dimensions: 1024, fields: text, batch: 100, window: 8192},
}

var text = []string{"text"}

// hashModel embeds by hashed words only, without the encoder: what a benchmark
// takes for "the embedder costs nothing". A suffix sets the size: -384.
const hashModel = "@local/embed-hash"

// rankModel is what reranks here, by whatever name it is asked: no cross-encoder, but the cosine of the same composite embedding that
// searches go by. Its answers name it as their model.
const rankModel = "@local/rerank-composite"

// maxDimensions is the largest vector Vectorize takes.
const maxDimensions = 1536

func lookup(id string) (model, bool) {
	for _, m := range catalogue {
		if m.id == id {
			return m, true
		}
	}
	if size, ok := strings.CutPrefix(id, hashModel+"-"); ok {
		n, err := strconv.Atoi(size)
		m, _ := lookup(hashModel)
		m.id, m.dimensions = id, n
		return m, err == nil && n > 0 && n <= maxDimensions
	}
	return model{}, false
}

// usage is what a call is billed by: tokens, or for speech the characters of its text and how long it takes.
type usage struct {
	in, out int
	letters int
	spoken  time.Duration
}

func (m model) cost(u usage) float64 {
	return (float64(u.in)*m.input+float64(u.out)*m.output+float64(u.letters)*m.letter)/1e6 + u.spoken.Minutes()*m.minute
}
