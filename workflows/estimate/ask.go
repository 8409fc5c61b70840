package estimate

import (
	"fmt"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/price"
)

// What is supposed of what people ask and are answered, in tokens.
const (
	usualQuestion = 16
	usualPart     = 4   // of the longest answer: how much of it an answer is
	usualReread   = 300 // of a passage with the question
	instructions  = 400 // of a prompt around its sources
)

// search is questions, whose answers are made of what was found.
func (e *Estimate) search(c *tenants.Config, w Work) error {
	embedding, err := llm.FindEmbedding(c.Models.Embedding)
	if err != nil {
		return fault.New(fault.Internal, "model_unconfigured", "the tenant's configuration names an unknown model", err)
	}
	models, err := llm.Candidates(c.Models, w.Model)
	if err != nil {
		return err
	}
	n, longest := *w.Queries, int64(4*c.Limits.QueryChars) // bytes of a character
	passages, passage := int64(c.Search.TopK), int64(embedding.Tokens)
	if err := bounded("queries", n, 2*longest+llm.MaxContexts*passage+4*passages*passage+int64(c.Chat.MaxTokens)+4*instructions); err != nil {
		return err
	}
	e.Model = embedding.Name
	p := price.Of(embedding.Name)
	e.Expected.call(n, p, price.Units{Input: usualQuestion})
	e.Most.call(n, p, price.Units{Input: longest + llm.TextBound})
	e.say(fmt.Sprintf("each question is embedded: %d tokens, at most one for each byte of %d characters; one that was asked before may cost nothing", usualQuestion, c.Limits.QueryChars))
	if w.Rerank {
		r := price.Of(llm.DefaultReranker)
		e.Expected.call(n, r, price.Units{Input: llm.MaxContexts * usualReread})
		e.Most.call(n, r, price.Units{Input: llm.MaxContexts * passage})
		e.say(fmt.Sprintf("%s reads %d passages with the question, %d tokens each; at most the %d that it reads at once", llm.DefaultReranker, llm.MaxContexts, usualReread, passage))
	}
	if w.Answer == nil || *w.Answer {
		answer := int64(c.Chat.MaxTokens)
		e.Model = models[0].Name
		e.Expected.call(n, price.Of(models[0].Name), price.Units{Input: passages*passage/2 + instructions, Output: answer / usualPart})
		e.Most.dearest(n, models, price.Units{Input: 4*passages*passage + longest + 4*instructions, Output: answer})
		e.say(fmt.Sprintf("%d passages, half of what a chunk may have each, %d tokens around them and an answer of a quarter of %d; at most whole chunks, a token for each byte, and an answer of all of it, by the dearest of the tenant's models",
			passages, instructions, answer))
		e.say("an own prompt, a rewritten question and a guard model are not counted")
	}
	return nil
}

// chat is turns of conversations.
func (e *Estimate) chat(c *tenants.Config, w Work) error {
	models, err := llm.Candidates(c.Models, w.Model)
	if err != nil {
		return err
	}
	n, prompt, answer := *w.Turns, *w.PromptTokens, of(w.MaxTokens, int64(c.Chat.MaxTokens))
	if answer > int64(c.Chat.MaxTokensLimit) {
		return fault.Invalidf("maxTokens", "value_out_of_range", "%d is above %d", answer, c.Chat.MaxTokensLimit).WithHint("chat.maxTokensLimit in the tenant's configuration sets it")
	}
	if err := bounded("turns", n, prompt+answer); err != nil {
		return err
	}
	e.Model = models[0].Name
	e.Expected.call(n, price.Of(e.Model), price.Units{Input: prompt, Output: answer / usualPart})
	e.Most.dearest(n, models, price.Units{Input: prompt, Output: answer})
	e.say(fmt.Sprintf("each turn shows the model %d tokens and is answered with a quarter of %d; at most with all of it, by the dearest of the tenant's models", prompt, answer))
	e.say("searches, tools, summaries of long conversations and a guard model are not counted")
	return nil
}

// dearest adds calls of whichever model costs most.
func (s *Sum) dearest(n int64, models []llm.GenerationModel, u price.Units) {
	var worst Sum
	for _, m := range models {
		var one Sum
		one.call(n, price.Of(m.Name), u)
		worst.Calls, worst.Tokens = one.Calls, one.Tokens
		worst.Neurons, worst.Nanos = max(worst.Neurons, one.Neurons), max(worst.Nanos, one.Nanos)
	}
	s.Calls, s.Tokens, s.Neurons, s.Nanos = s.Calls+worst.Calls, s.Tokens+worst.Tokens, s.Neurons+worst.Neurons, s.Nanos+worst.Nanos
}
