package api_test

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/safety"
)

// talk is the real conversation on the ports in memory, with a model that answers what it is told to.
type talk struct {
	*chat.Chat
	sessions *memory.Sessions
	shelf    *memory.Shelf
	model    *memory.Model

	mu       sync.Mutex
	requests []chat.Request
}

func newTalk(w *world) *talk {
	now := func() time.Time { return w.opts.Now() }
	k := &talk{shelf: memory.NewShelf(now), model: &memory.Model{}}
	k.sessions = memory.NewSessions(k.shelf, now)
	k.Chat = chat.New(chat.Ports{
		Sessions: k.sessions, Summaries: k.sessions, Generator: safety.NewGenerator(llm.NewGenerator(k.model, w.deps.Gate, nil)), Retriever: w.deps.Retriever,
		Safety: safety.New(safety.Local{}, nil, nil),
	}, &chat.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	return k
}

// Start implements chat.Conversation.
func (k *talk) Start(ctx context.Context, s tenants.Scope, r chat.Request) (chat.Live, error) {
	k.mu.Lock()
	k.requests = append(k.requests, r)
	k.mu.Unlock()
	return k.Chat.Start(ctx, s, r)
}
