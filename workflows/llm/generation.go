package llm

import (
	"slices"
	"strings"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm/price"
)

// Dialect is the wire form that a generation model speaks on Workers AI.
type Dialect string

// The dialects.
const (
	Classic Dialect = "classic" // {messages, max_tokens} in, {response, tool_calls, usage} out
	OpenAI  Dialect = "openai"  // chat completions
)

// GenerationModel is what the platform must know of a model that generates text.
type GenerationModel struct {
	Name    string // the provider's
	Dialect Dialect
	Window  int        // tokens of prompt and answer together
	Price   price.Rate // in billionths of a US dollar
	Neurons price.Rate // in millionths of one
}

// Local reports whether the model exists only on the offline platform, for tests.
func (m GenerationModel) Local() bool { return strings.HasPrefix(m.Name, "@local/") }

// generationModels is every model that the platform can ask. Dialects and windows:
// https://developers.cloudflare.com/workers-ai/models/.
var generationModels = sync.OnceValue(func() []GenerationModel {
	return priced([]GenerationModel{
		{Name: "@cf/zai-org/glm-4.7-flash", Dialect: OpenAI, Window: 131_072},
		{Name: "@cf/meta/llama-3.3-70b-instruct-fp8-fast", Dialect: Classic, Window: 24_000},
		{Name: "@cf/meta/llama-3.1-8b-instruct-fast", Dialect: Classic, Window: 60_000},
		{Name: "@cf/meta/llama-3.2-1b-instruct", Dialect: Classic, Window: 60_000},
		{Name: "@cf/meta/llama-4-scout-17b-16e-instruct", Dialect: Classic, Window: 131_000},
		{Name: "@cf/qwen/qwen3-30b-a3b-fp8", Dialect: OpenAI, Window: 32_768},
		{Name: "@cf/google/gemma-4-26b-a4b-it", Dialect: OpenAI, Window: 256_000},
		{Name: "@cf/moonshotai/kimi-k2.6", Dialect: OpenAI, Window: 262_144},
		{Name: "@cf/openai/gpt-oss-20b", Dialect: OpenAI, Window: 128_000},
		{Name: "@cf/openai/gpt-oss-120b", Dialect: OpenAI, Window: 128_000},
		{Name: "@local/script", Dialect: Classic, Window: 1_000_000},
		{Name: "@local/script-openai", Dialect: OpenAI, Window: 1_000_000},
	})
})

// guardModels say whether a text is safe, and are not for anything else. tenants.GuardModels lists them.
var guardModels = sync.OnceValue(func() []GenerationModel {
	return priced([]GenerationModel{{Name: "@cf/meta/llama-guard-3-8b", Dialect: Classic, Window: 131_072}})
})

// priced gives each its price.
func priced(models []GenerationModel) []GenerationModel {
	for i, m := range models {
		p := price.Of(m.Name)
		models[i].Price, models[i].Neurons = p.USD, p.Neurons
	}
	return models
}

// GenerationModels lists the models, the default first.
func GenerationModels() []GenerationModel { return slices.Clone(generationModels()) }

// GenerationNames lists the models' names, the default first. Those that exist only on the offline platform are among them
// if local says so.
func GenerationNames(local bool) []string {
	var names []string
	for _, m := range generationModels() {
		if local || !m.Local() {
			names = append(names, m.Name)
		}
	}
	return names
}

// FindGeneration looks a model up by its name, guard models too.
func FindGeneration(name string) (GenerationModel, error) {
	for _, models := range [...][]GenerationModel{generationModels(), guardModels()} {
		for _, m := range models {
			if m.Name == name {
				return m, nil
			}
		}
	}
	return GenerationModel{}, fault.Invalidf("model", "model_unknown", "no model %.128q", name)
}
