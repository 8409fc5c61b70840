package book_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"levada.dev/tenants"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
	"levada.dev/workflows/llm"
)

// An adapter carries the bytes of a call to where the rows are and commits what the book says is to be committed.
func Example() {
	kept, now := rows.NewMemory(), time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	session := book.New(func() time.Time { return now })
	client := book.NewClient(func(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
		tx := kept.Begin()
		reply, commit := session.Call(tx, method, body)
		if commit {
			tx.Commit()
		}
		return reply, nil
	})
	ctx := context.Background()
	acme, err := tenants.Resume("acme")
	if err != nil {
		panic(err)
	}

	turn, err := client.Begin(ctx, acme, chat.Opening{Session: "tour", Messages: []llm.Message{{Role: llm.User, Content: "What is a levada?"}}})
	if err != nil {
		panic(err)
	}
	_, err = client.Tell(ctx, acme, chat.News{Stream: turn.Stream, Events: []chat.Event{
		{ID: 1, Type: chat.Token, Data: json.RawMessage(`{"token":"A water "}`)}, {ID: 2, Type: chat.Token, Data: json.RawMessage(`{"token":"channel."}`)},
	}})
	if err != nil {
		panic(err)
	}

	now = now.Add(chat.TurnLease) // whoever ran the turn is not heard of any more
	r, err := client.Replay(ctx, acme, turn.Stream, 1, 10)
	if err != nil {
		panic(err)
	}
	for _, e := range r.Events {
		fmt.Println(turn.Stream, e.ID, e.Type, string(e.Data))
	}
	fmt.Println(r.Over)
	// Output:
	// tour.1 2 token {"token":"channel."}
	// tour.1 4099 error {"code":"turn_interrupted","message":"the answer was broken off: whoever gave it was not heard of any more"}
	// true
}
