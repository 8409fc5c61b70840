package safety

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// Guard asks a guard model, which the generator pays as any other. What such models know is harmful content by the categories of MLCommons (S1 violent
// crimes to S14 abuse of code interpreters), not attempts to change instructions: it stands beside the local screen, not in its place.
// https://developers.cloudflare.com/workers-ai/models/llama-guard-3-8b/
type Guard struct{ generator llm.Generator }

var _ Screener = (*Guard)(nil)

// NewGuard asks the models by a generator that is paid.
func NewGuard(g llm.Generator) *Guard { return &Guard{g} }

// maxVerdict is how long a verdict is: "unsafe" and categories.
const maxVerdict = 32

// Screen implements Screener.
func (g *Guard) Screen(ctx context.Context, s tenants.Scope, a Ask) (Verdict, error) {
	model, err := llm.FindGeneration(a.Model)
	if err != nil {
		return Verdict{}, err
	}
	answer, err := g.generator.Generate(ctx, s, llm.Order{
		Models: []llm.GenerationModel{model},
		Call:   llm.Call{Purpose: llm.ForSafety, RequestID: a.RequestID},
		Prompt: llm.Prompt{Messages: []llm.Message{{Role: llm.User, Content: a.Text}}, MaxTokens: maxVerdict},
	})
	if err != nil {
		return Verdict{}, err
	}
	defer func() { _ = answer.Close() }()
	var text strings.Builder
	for {
		d, err := answer.Next()
		if errors.Is(err, io.EOF) {
			return readVerdict(text.String())
		}
		if err != nil {
			return Verdict{}, err
		}
		text.WriteString(d.Text)
	}
}

// readVerdict reads "safe", "unsafe\nS1,S9", and the object that stands for them in JSON mode.
func readVerdict(text string) (Verdict, error) {
	text = strings.TrimSpace(text)
	var object struct {
		Safe       *bool    `json:"safe"`
		Categories []string `json:"categories"`
	}
	if json.Unmarshal([]byte(text), &object) == nil && object.Safe != nil {
		if *object.Safe {
			return Verdict{}, nil
		}
		return Verdict{Unsafe, 1, categories(strings.Join(object.Categories, ","))}, nil
	}
	first, rest, _ := strings.Cut(text, "\n")
	switch strings.TrimSpace(first) {
	case "safe":
		return Verdict{}, nil
	case "unsafe":
		return Verdict{Unsafe, 1, categories(rest)}, nil
	}
	return Verdict{}, fault.New(fault.Unavailable, "model_answer", "the guard model gave no verdict", nil)
}

// categories are those that a guard model names, S1 to S14. Whatever else it says is not told: it goes into headers and on record.
func categories(said string) string {
	var known []string
	for _, c := range strings.FieldsFunc(said, func(r rune) bool { return r == ',' || r <= ' ' }) {
		n, err := strconv.Atoi(strings.TrimPrefix(c, "S"))
		if err == nil && n >= 1 && n <= 14 && c == "S"+strconv.Itoa(n) && !slices.Contains(known, c) {
			known = append(known, c)
		}
	}
	return strings.Join(known, ",")
}
