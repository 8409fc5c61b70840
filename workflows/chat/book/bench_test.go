package book_test

import (
	"fmt"
	"testing"

	"levada.dev/workflows/chat"
)

// BenchmarkTurn is a turn after 200 short ones, which all fit into its window, that tells 1,000 tokens in ten batches.
func BenchmarkTurn(b *testing.B) {
	w := newWorld(b)
	evs := make([]chat.Event, 1000)
	for i := range evs {
		evs[i] = token(i+1, fmt.Sprint("word", i))
	}
	for b.Loop() {
		turn, err := w.Begin(b.Context(), w.s, chat.Opening{
			Session: "s", Messages: says("What is a levada, and where does its water come from?"), Keep: chat.Retention{Turns: 200, WindowTokens: 4000},
		})
		if err != nil {
			b.Fatal(err)
		}
		for i := range 10 {
			n := chat.News{Stream: turn.Stream, Events: evs[100*i : 100*i+100]}
			if i == 9 {
				n.Events, n.Outcome = append(n.Events[:100:100], done(1001)), reply("words")
			}
			if _, err := w.Tell(b.Context(), w.s, n); err != nil {
				b.Fatal(err)
			}
		}
		w.send()
	}
}
