package llm

import (
	"slices"
	"strings"

	"levada.dev/events/fault"
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
	Window  int // tokens of prompt and answer together
	Price   Price
}

// Local reports whether the model exists only on the offline platform, for tests.
func (m GenerationModel) Local() bool { return strings.HasPrefix(m.Name, "@local/") }

// Price is the list price of a model in billionths of a US dollar a token, which is a thousandth of the dollars a million
// tokens that price lists have. https://developers.cloudflare.com/workers-ai/platform/pricing/
type Price struct{ Prompt, Cached, Completion int64 }

// Of is what the usage costs.
func (p Price) Of(u Usage) int64 {
	cached := p.Cached
	if cached == 0 {
		cached = p.Prompt
	}
	return int64(u.Prompt-u.Cached)*p.Prompt + int64(u.Cached)*cached + int64(u.Completion)*p.Completion
}

// generationModels is every model that the platform can ask. Dialects and windows:
// https://developers.cloudflare.com/workers-ai/models/.
var generationModels = []GenerationModel{
	{"@cf/zai-org/glm-4.7-flash", OpenAI, 131_072, Price{60, 0, 400}},
	{"@cf/meta/llama-3.3-70b-instruct-fp8-fast", Classic, 24_000, Price{293, 0, 2_253}},
	{"@cf/meta/llama-3.1-8b-instruct-fast", Classic, 60_000, Price{45, 0, 384}},
	{"@cf/meta/llama-3.2-1b-instruct", Classic, 60_000, Price{27, 0, 201}},
	{"@cf/meta/llama-4-scout-17b-16e-instruct", Classic, 131_000, Price{270, 0, 850}},
	{"@cf/qwen/qwen3-30b-a3b-fp8", OpenAI, 32_768, Price{51, 0, 335}},
	{"@cf/google/gemma-4-26b-a4b-it", OpenAI, 256_000, Price{100, 0, 300}},
	{"@cf/moonshotai/kimi-k2.6", OpenAI, 262_144, Price{950, 160, 4_000}},
	{"@cf/openai/gpt-oss-20b", OpenAI, 128_000, Price{200, 0, 300}},
	{"@cf/openai/gpt-oss-120b", OpenAI, 128_000, Price{350, 0, 750}},
	{"@local/script", Classic, 1_000_000, Price{100, 0, 1_000}},
	{"@local/script-openai", OpenAI, 1_000_000, Price{100, 0, 1_000}},
}

// guardModels say whether a text is safe, and are not for anything else. tenants.GuardModels lists them.
var guardModels = []GenerationModel{
	{"@cf/meta/llama-guard-3-8b", Classic, 131_072, Price{484, 0, 30}},
}

// GenerationModels lists the models, the default first.
func GenerationModels() []GenerationModel { return slices.Clone(generationModels) }

// GenerationNames lists the models' names, the default first. Those that exist only on the offline platform are among them
// if local says so.
func GenerationNames(local bool) []string {
	var names []string
	for _, m := range generationModels {
		if local || !m.Local() {
			names = append(names, m.Name)
		}
	}
	return names
}

// FindGeneration looks a model up by its name, guard models too.
func FindGeneration(name string) (GenerationModel, error) {
	for _, models := range [...][]GenerationModel{generationModels, guardModels} {
		for _, m := range models {
			if m.Name == name {
				return m, nil
			}
		}
	}
	return GenerationModel{}, fault.Invalidf("model", "model_unknown", "no model %.128q", name)
}
