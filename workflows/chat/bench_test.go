package chat_test

import (
	"context"
	"io"
	"testing"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// taking takes everything, at once.
type taking struct{ chat.Sessions }

func (taking) Begin(_ context.Context, _ tenants.Scope, o chat.Opening) (chat.Turn, error) {
	return chat.Turn{Stream: chat.NewStreamID(o.Session, 1), Number: 1}, nil
}

func (taking) Tell(context.Context, tenants.Scope, chat.News) (chat.Audience, error) {
	return chat.Audience{}, nil
}

// A turn of 100 tokens, without what the session and the model take.
func BenchmarkTurn(b *testing.B) {
	var texts []string
	for range 100 {
		texts = append(texts, "token ")
	}
	s := tenantstest.Scope(b, "acme")
	c := chat.New(chat.Ports{Sessions: taking{}, Generator: &model{pieces: words(texts...)}}, nil)
	r := chat.Request{Session: "s", Messages: []llm.Message{{Role: llm.User, Content: "hello"}}, Models: gpt(b), MaxTokens: 100}
	b.ReportAllocs()
	for b.Loop() {
		live, err := c.Start(b.Context(), s, r)
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = live.Next(b.Context())
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		live.Close()
	}
}
