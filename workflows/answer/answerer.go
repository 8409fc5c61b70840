package answer

import (
	"context"
	"crypto/rand"
	"io"

	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// Answerer answers questions from sources. Safe for concurrent use.
type Answerer struct {
	generator llm.Generator
	random    io.Reader
}

// Options tunes an Answerer. The zero value is good.
type Options struct {
	Random io.Reader // of delimiters; default crypto/rand.Reader
}

// New makes an Answerer whose generator pays.
func New(g llm.Generator, o *Options) *Answerer {
	a := &Answerer{generator: g, random: rand.Reader}
	if o != nil && o.Random != nil {
		a.random = o.Random
	}
	return a
}

// Request is a question with what was found for it.
type Request struct {
	Question  string
	Sources   []rag.Source  // best first
	Rewritten string        // what they were searched by, where that is not what was asked; it is told with them, as is the next
	Degraded  []rag.Missing // what they were found without
	Prompt    *tenants.Prompt
	Models    []llm.GenerationModel // to be asked in this order
	MaxTokens int
	Stream    bool          // the answer is wanted piece by piece
	Cache     time.Duration // for how long an equal request of the tenant may get what this one's model said
	RequestID string
	Delimiter rag.Delimiter // of the sources (rag.Result); "" makes one

	Redact    bool    // personal data is left out of what the model says
	Threshold float64 // of the confidence below which there is no answer
	Drop      bool    // what no source says is left out
	Language  string  // to answer in; "" is the question's
	Unknown   string  // what is said when there is no answer; "" says so in the question's language
}

// CheckVersion counts the changes of what the check says of the same answer and the same sources.
const CheckVersion = "3"

// checkedBy is what a kept answer is known by besides the prompt's name: what a version of the platform that prompts or checks otherwise has kept is not
// given.
const checkedBy = " check@" + CheckVersion

// Open asks a model for the answer, unless the sources alone tell that they hold none, which costs nothing. What keeps a model from beginning
// to answer is the error, with what llm.Generator says of it. What Open returns must be closed.
func (a *Answerer) Open(ctx context.Context, s tenants.Scope, r Request) (*Telling, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	switch {
	case strings.TrimSpace(r.Question) == "":
		return nil, fault.Invalidf("query", "field_required", "is required")
	case r.Prompt == nil || len(r.Models) == 0 || r.MaxTokens < 1:
		return nil, fault.New(fault.Internal, "order_invalid", "an answer needs a prompt, a model and the tokens of its length", nil)
	}
	if len(r.Sources) > maxSources {
		r.Sources = r.Sources[:maxSources]
	}
	t := &Telling{request: r, evidence: Prepare(r.Sources)}
	t.review = &Review{evidence: t.evidence, sources: r.Sources, drop: r.Drop}
	t.answerable = t.evidence.Look(r.Question).Answerable()
	if len(r.Sources) == 0 || t.answerable < r.Threshold {
		t.abstain()
		return t, nil
	}
	mark := r.Delimiter
	if mark == "" {
		var err error
		if mark, err = rag.NewDelimiter(a.random); err != nil {
			return nil, err
		}
	}
	var err error
	t.model, err = a.generator.Generate(ctx, s, llm.Order{
		Models: r.Models,
		Call:   llm.Call{Purpose: llm.ForAnswer, RequestID: r.RequestID},
		Prompt: llm.Prompt{Messages: r.messages(mark), MaxTokens: r.MaxTokens, Stream: r.Stream},
		Cache:  r.Cache, Version: r.Prompt.Name + checkedBy, Redact: r.Redact,
	})
	if err != nil {
		return nil, err
	}
	return t, nil
}
