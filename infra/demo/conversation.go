package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
)

// Conversation is what the demo talks about: a question about the documents, and one that only the conversation answers.
var Conversation = []client.Turn{
	{Message: "How do I cancel work when a deadline passes?", RAG: &client.Grounding{TopK: 3}},
	{Message: "You said that a Context carries deadlines: what else does it carry, and across which boundaries?"},
}

// converse talks with the tenant's model about its documents, in one session, and shows that the other tenant knows of no
// such session.
func (s Show) converse(ctx context.Context) error {
	before, err := s.Owner.Usage(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	fmt.Fprintf(s.Out, "\nA conversation of tenant %s:\n", s.Owner.Tenant())
	session, answer := "", ""
	for _, t := range s.Conversation {
		t.SessionID = session
		r, said, err := s.turn(ctx, t)
		if err != nil {
			return err
		}
		if answer == "" {
			answer = said
		}
		if session != "" && r.SessionID != session {
			return fmt.Errorf("session %s goes on as %s", session, r.SessionID)
		}
		session = r.SessionID
	}
	n, err := s.Owner.History(ctx, session)
	if err != nil {
		return err
	}
	if n != 2*len(s.Conversation) {
		return fmt.Errorf("session %s has %d messages after %d turns", session, n, len(s.Conversation))
	}
	_, err = s.Other.History(ctx, session)
	if !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("tenant %s asks for session %s: %w", s.Other.Tenant(), session, err)
	}
	fmt.Fprintf(s.Out, "\nSession %s has %d messages; for tenant %s: %s\n", session, n, s.Other.Tenant(), fault.As(err).Code)
	calls, err := s.speak(ctx, answer)
	if err != nil {
		return err
	}
	if err := s.usage(ctx, before.Calls("chat")+int64(len(s.Conversation)), before.Calls("speech")+calls); err != nil {
		return err
	}
	return s.trace(ctx, began)
}

// turn says something and shows the answer as it comes, which it returns, too.
func (s Show) turn(ctx context.Context, t client.Turn) (_ client.Reply, said string, err error) {
	fmt.Fprintf(s.Out, "\n> %s\n", t.Message)
	start := time.Now()
	var first time.Duration
	var sources []client.Source
	fmt.Fprint(s.Out, "  ")
	r, err := s.Owner.Talk(ctx, t, client.Listener{
		Sources: func(found []client.Source) { sources = found },
		Token: func(token string) {
			if first == 0 {
				first = time.Since(start)
			}
			said += token
			fmt.Fprint(s.Out, strings.ReplaceAll(token, "\n", "\n  "))
		},
	})
	fmt.Fprintln(s.Out)
	if err != nil {
		return r, said, err
	}
	if strings.TrimSpace(said) == "" {
		return r, said, fmt.Errorf("%q: nothing was answered", t.Message)
	}
	if t.RAG != nil && len(sources) == 0 {
		return r, said, fmt.Errorf("%q: the answer rests on no source", t.Message)
	}
	for i, src := range sources {
		fmt.Fprintf(s.Out, "  [%d] %s   %s\n", i+1, src.Title, src.URL)
	}
	fmt.Fprintf(s.Out, "  (%s, first token after %d ms, %d + %d tokens in %.1f s)\n",
		r.Model, first.Milliseconds(), r.Usage.Prompt, r.Usage.Completion, time.Since(start).Seconds())
	return r, said, nil
}
