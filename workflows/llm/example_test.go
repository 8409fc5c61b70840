package llm_test

import (
	"context"
	"fmt"
	"io"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/llm/llmtest"
)

// A busy model is replaced by the tenant's fallback; the answer tells what it took, and has been paid when it is closed.
func ExampleNewGenerator() {
	gate := &quotatest.Gate{}
	g := llm.NewGenerator(&memory.Model{}, gate, nil)
	acme, _ := tenants.Resume("acme")
	models, err := llm.Candidates(tenants.Models{Chat: "@local/script", ChatFallback: []string{"@local/script-openai"}}, "default")
	if err != nil {
		fmt.Println(err)
		return
	}
	a, err := g.Generate(context.Background(), acme, llm.Order{
		Models: models, Call: llm.Call{Purpose: llm.ForChat, RequestID: "r-1"},
		Prompt: llmtest.Script(`{"tokens":["The ","sea."],"usage":{"prompt":30,"completion":2},"times":1,"error":{"code":3040,"status":429,"text":"busy"}}`),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	for {
		d, err := a.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(d.Text)
	}
	usage, nanos := a.Spent()
	fmt.Printf("\n%s, %d tokens, $%.6f\n", a.Source().Model, usage.Total(), float64(nanos)/1e9)
	// Output:
	// The sea.
	// @local/script-openai, 32 tokens, $0.000005
}
