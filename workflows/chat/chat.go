package chat

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
)

// Chat runs turns where the request came in. Safe for concurrent use.
type Chat struct {
	ports Ports
	opts  Options
}

var _ Conversation = (*Chat)(nil)

// Ports is what turns need.
type Ports struct {
	Sessions  Sessions
	Summaries Summaries
	Generator llm.Generator
	Retriever Retriever
	Safety    *safety.Filter // of the sources; nil asks nothing of them
}

// Retriever searches a tenant's documents, as rag.Retriever does.
type Retriever interface {
	Search(ctx context.Context, s tenants.Scope, q rag.Query) (rag.Result, error)
}

// Options tunes a Chat. The zero value is what runs natively; a Worker needs Background.
type Options struct {
	// Background runs f beside the request of ctx, with a context that outlives the request and the client. An error
	// means that f does not run. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error
	// Linger is how long a turn goes on without its client. The platform ends what a request left behind 30 s after the
	// answer (https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil). Default 25 s.
	Linger time.Duration
	// Open is how long Start waits for the model. After it the client has its Live, and a model that refuses then is an Error
	// event. Default 1 s.
	Open time.Duration
	// Flush is how often a session is told what happens while only the turn's own client listens; each time is a call
	// and rows. Default 2 s.
	Flush time.Duration
	// Hurry is how often while somebody follows. Default 200 ms.
	Hurry time.Duration
	// Sign is how often a turn in which nothing happens tells that it lives. Default 5 s.
	Sign time.Duration
	// Poll is how often a follower asks the session while something happens. Default 250 ms.
	Poll time.Duration
	// Heartbeat is after how long a silence Next returns without an event. Default 15 s.
	Heartbeat time.Duration

	Random io.Reader    // of ids and delimiters; default crypto/rand.Reader
	Log    *slog.Logger // default slog.Default()
}

func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Background == nil {
		c.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	for _, d := range []struct {
		set  *time.Duration
		unit time.Duration
	}{
		{&c.Linger, 25 * time.Second}, {&c.Open, time.Second}, {&c.Flush, 2 * time.Second}, {&c.Hurry, 200 * time.Millisecond},
		{&c.Sign, 5 * time.Second}, {&c.Poll, 250 * time.Millisecond}, {&c.Heartbeat, 15 * time.Second},
	} {
		if *d.set <= 0 {
			*d.set = d.unit
		}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return c
}

// New makes a Chat. The options may be nil.
func New(ports Ports, o *Options) *Chat {
	return &Chat{ports: ports, opts: o.withDefaults()}
}

// Start implements Conversation. A turn whose search fails, or whose model refuses, has begun; it is ended with that error
// before Start returns it, so that the session is free. A model that thinks longer than Options.Open is waited for in the Live.
//
// A repetition of a request (Key) follows the turn that the first one began; when the events of that are not kept any
// more, it is code stream_not_found. When ctx ends while Start waits, the turn may have begun, and goes on without its client.
func (c *Chat) Start(ctx context.Context, s tenants.Scope, r Request) (Live, error) {
	t, err := c.begin(ctx, s, r)
	if err != nil {
		if r.Over != nil {
			r.Over(ctx)
		}
		return nil, err
	}
	// The client leaves with its request, whether or not it has a Live to close.
	context.AfterFunc(ctx, t.live.Close)
	select {
	case b := <-t.begun:
		return b.live, b.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// begin has a turn run. One that fails here has not begun.
func (c *Chat) begin(ctx context.Context, s tenants.Scope, r Request) (*turn, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	session, err := c.session(s, r)
	if err != nil {
		return nil, err
	}
	r.Session = session
	mark, err := rag.NewDelimiter(c.opts.Random)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	t := newTurn(c, s, r, mark)
	if err := c.opts.Background(ctx, t.run); err != nil {
		return nil, fmt.Errorf("run the turn: %w", err)
	}
	return t, nil
}

// Follow implements Conversation.
func (c *Chat) Follow(ctx context.Context, s tenants.Scope, stream StreamID, after int) (Live, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if _, _, err := stream.Split(); err != nil {
		return nil, err
	}
	f := newFollower(c, s, stream, after)
	if err := f.read(ctx); err != nil {
		return nil, fmt.Errorf("follow the turn: %w", err)
	}
	return f, nil
}

// check finds what callers of Start must not send.
func (r Request) check() error {
	switch {
	case len(r.Messages) == 0:
		return fault.Invalidf("message", "field_required", "is required")
	case len(r.Models) == 0:
		return fault.New(fault.Internal, "chat_no_model", "a turn needs a model", nil)
	case r.Grounding != nil && r.question() == "":
		return fault.Invalidf("rag", "invalid_value", "needs a message to search for")
	case r.Ran != nil && (r.question() == "" || r.Grounding != nil):
		return fault.Invalidf("tool_name", "invalid_value", "needs a message, and no rag")
	case r.Session != "":
		return CheckSessionID(r.Session)
	}
	return nil
}

// ofKeys is the space of sessions that are named after the request that began them.
var ofKeys = uuid.MustParse("c7a1f2de-93f5-5d3e-8c0a-5b8f0e6d2a41")

// session is the id of the request's session. One that begins a session and has an idempotency key begins the same session
// each time, or its repetition would look for its turn in another one.
func (c *Chat) session(s tenants.Scope, r Request) (string, error) {
	if r.Session != "" {
		return r.Session, nil
	}
	if r.Key != "" {
		key := r.Key
		if i := strings.LastIndexByte(key, ':'); i >= 0 {
			key = key[:i] // another request with the same key is to meet the first one, and be refused
		}
		return uuid.NewSHA1(ofKeys, []byte(string(s.Tenant())+"\x00"+key)).String(), nil
	}
	id, err := uuid.NewV7FromReader(c.opts.Random)
	if err != nil {
		return "", fault.New(fault.Internal, "id_unavailable", "no randomness", err)
	}
	return id.String(), nil
}
