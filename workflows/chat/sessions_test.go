package chat_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
)

// sessions holds the service to what it owes the session: it checks every call, counts it, and makes it fail.
type sessions struct {
	chat.Sessions
	kept *memory.Sessions

	mu       sync.Mutex
	began    []chat.Turn
	news     []chat.News // that were taken, without repetitions
	calls    map[string]int
	notes    []string // summaries
	mistakes []string

	before, after func(op string, call int) error // call counts from 1, each op on its own
}

func newSessions() *sessions {
	kept := memory.NewSessions(memory.NewShelf(time.Now), time.Now)
	return &sessions{Sessions: kept, kept: kept, calls: map[string]int{}}
}

func (s *sessions) run(op string, effect func() error) error {
	s.mu.Lock()
	s.calls[op]++
	n := s.calls[op]
	s.mu.Unlock()
	if s.before != nil {
		if err := s.before(op, n); err != nil {
			return err
		}
	}
	if err := effect(); err != nil {
		return err
	}
	if s.after != nil {
		return s.after(op, n)
	}
	return nil
}

func (s *sessions) count(op string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

func (s *sessions) mistake(format string, args ...any) {
	s.mistakes = append(s.mistakes, fmt.Sprintf(format, args...))
}

func (s *sessions) Begin(ctx context.Context, scope tenants.Scope, o chat.Opening) (turn chat.Turn, err error) {
	err = s.run("begin", func() error {
		turn, err = s.Sessions.Begin(ctx, scope, o)
		if err == nil {
			s.mu.Lock()
			s.began = append(s.began, turn)
			s.mu.Unlock()
		}
		return err
	})
	return turn, err
}

func (s *sessions) Tell(ctx context.Context, scope tenants.Scope, n chat.News) (a chat.Audience, err error) {
	s.check(n)
	err = s.run("tell", func() error {
		a, err = s.Sessions.Tell(ctx, scope, n)
		if err == nil {
			s.mu.Lock()
			s.news = append(s.news, n)
			s.mu.Unlock()
		}
		return err
	})
	return a, err
}

func (s *sessions) check(n chat.News) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := 0
	for i, e := range n.Events {
		size += len(e.Data)
		if i > 0 && e.ID != n.Events[i-1].ID+1 {
			s.mistake("event %d after %d", e.ID, n.Events[i-1].ID)
		}
		if e.Type.Final() != (n.Outcome != nil && i == len(n.Events)-1) {
			s.mistake("event %d is %s, with outcome: %v", e.ID, e.Type, n.Outcome != nil)
		}
	}
	if n.Outcome != nil && len(n.Events) == 0 {
		s.mistake("an outcome without an event")
	}
	if size > chat.MaxNews {
		s.mistake("news of %d bytes", size)
	}
}

func (s *sessions) Replay(ctx context.Context, scope tenants.Scope, id chat.StreamID, after, limit int) (r chat.Replay, err error) {
	err = s.run("replay", func() error {
		r, err = s.Sessions.Replay(ctx, scope, id, after, limit)
		return err
	})
	return r, err
}

func (s *sessions) Summarise(ctx context.Context, scope tenants.Scope, session string, upTo int, text string) error {
	return s.run("summarise", func() error {
		s.mu.Lock()
		s.notes = append(s.notes, text)
		s.mu.Unlock()
		return s.kept.Summarise(ctx, scope, session, upTo, text)
	})
}
