package chat_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/tenants/quota/quotatest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// A client is cut off in the middle of an answer, and comes back to the rest.
func Example() {
	sessions := memory.NewSessions(memory.NewShelf(time.Now), time.Now)
	c := chat.New(chat.Ports{
		Sessions: sessions, Summaries: sessions,
		Generator: llm.NewGenerator(&memory.Model{}, &quotatest.Gate{}, nil),
	}, nil)
	acme, _ := tenants.Resume("acme")
	model, _ := llm.FindGeneration("@local/script")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	live, err := c.Start(ctx, acme, chat.Request{
		Session:  "walks",
		Messages: []llm.Message{{Role: llm.User, Content: `{"script":{"tokens":["Follow ","the ","water."],"delayMs":20}}`}},
		Models:   []llm.GenerationModel{model}, MaxTokens: 100,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	seen, _ := live.Next(ctx)
	fmt.Println(seen.ID, seen.Type, string(seen.Data))
	cancel()

	ctx = context.Background()
	live, err = c.Follow(ctx, acme, live.Stream(), seen.ID)
	for err == nil {
		var e chat.Event
		if e, err = live.Next(ctx); err == nil && e.Type != chat.Token {
			fmt.Println(e.ID, e.Type)
		}
	}
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// 1 token {"token":"Follow "}
	// 4 usage
	// 5 done
	// true
}
