package answer

import (
	_ "embed"
	"sync"

	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

//go:embed prompts/grounded@1.md
var groundedText string

var grounded struct {
	sync.Once
	prompt *tenants.Prompt
}

// Grounded is the platform's own prompt, tenants.DefaultPrompt. A change of its text is a new version, in a file of its own: an answer tells
// by which it was made.
func Grounded() *tenants.Prompt {
	grounded.Do(func() {
		p, problems := tenants.ParsePrompt(tenants.DefaultPrompt, groundedText)
		if err := problems.Err(); err != nil {
			panic(err) // a file of this package, which tests parse
		}
		grounded.prompt = p
	})
	return grounded.prompt
}

// messages are what the model is shown.
func (r *Request) messages(mark rag.Delimiter) []llm.Message {
	language := r.Language
	if language == "" {
		language = "the language of the question"
	}
	with := map[tenants.Slot]string{
		tenants.SlotQuestion: r.Question, tenants.SlotSources: mark.Quote(r.Sources),
		tenants.SlotLanguage: language, tenants.SlotFence: mark.Tag("source"),
	}
	return []llm.Message{
		{Role: llm.System, Content: tenants.Fill(r.Prompt.System, with)},
		{Role: llm.User, Content: tenants.Fill(r.Prompt.User, with)},
	}
}
