package book

import (
	"context"

	"levada.dev/tenants"
	"levada.dev/tenants/call"
	"levada.dev/tenants/rows"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// The methods of a session's wire.
const (
	methodBegin      = "begin"
	methodTell       = "tell"
	methodEnd        = "end" // a tell with an outcome
	methodReplay     = "replay"
	methodTranscript = "transcript"
	methodLast       = "last"
	methodDelete     = "delete"
	methodSummarise  = "summarise"
	methodParcel     = "parcel"
	methodTake       = "take"
	methodDrop       = "drop"
)

// told is news on the wire, replay and replayed a replay and its answer.
type (
	told struct {
		Stream  chat.StreamID `json:"stream"`
		Events  []byte        `json:"events,omitempty"` // packed
		Outcome *chat.Outcome `json:"outcome,omitempty"`
	}
	replay struct {
		Stream chat.StreamID `json:"stream"`
		After  int           `json:"after"`
		Limit  int           `json:"limit"`
	}
	replayed struct {
		Events []byte `json:"events,omitempty"` // packed
		Over   bool   `json:"over,omitempty"`
	}
)

type paged struct {
	User   string `json:"user,omitempty"`
	Cursor string `json:"cursor,omitempty"`
	Limit  int    `json:"limit"`
}

type summarised struct {
	UpTo int    `json:"upTo"`
	Text string `json:"text"`
}

type none struct{}

// Sends reports whether a method of the wire takes events into the outbox as a rule. Others do so when they end a turn
// that nobody runs any more; those events are left to the alarm, which is due then.
func Sends(method string) bool { return method == methodEnd || method == methodDelete }

// Begins reports whether a method of the wire may be the first of a session.
func Begins(method string) bool { return method == methodBegin || method == methodTake }

// Call runs one method of chat.Sessions, chat.Summaries or chat.Parcels inside an open transaction, as call.Serve does.
func (b *Book) Call(tx rows.Tx, method string, body []byte) (reply []byte, commit bool) {
	switch method {
	case methodBegin:
		return call.Serve(tx, body, func(s tenants.Scope, o chat.Opening) (chat.Turn, error) { return b.Begin(tx, s, o) })
	case methodTell, methodEnd:
		return call.Serve(tx, body, func(s tenants.Scope, a told) (chat.Audience, error) {
			evs, err := unpack(a.Events)
			if err != nil {
				return chat.Audience{}, err
			}
			return b.Tell(tx, s, chat.News{Stream: a.Stream, Events: evs, Outcome: a.Outcome})
		})
	case methodReplay:
		return call.Serve(tx, body, func(s tenants.Scope, a replay) (replayed, error) {
			r, err := b.Replay(tx, s, a.Stream, a.After, a.Limit)
			return replayed{pack(r.Events), r.Over}, err
		})
	case methodTranscript:
		return call.Serve(tx, body, func(s tenants.Scope, a paged) (chat.Transcript, error) {
			return b.Transcript(tx, s, a.Cursor, a.Limit)
		})
	case methodLast:
		return call.Serve(tx, body, func(s tenants.Scope, a paged) ([]llm.Message, error) { return b.Last(tx, s, a.Limit) })
	case methodDelete:
		return call.Serve(tx, body, func(s tenants.Scope, _ none) (none, error) { return none{}, b.Delete(tx, s) })
	case methodSummarise:
		return call.Serve(tx, body, func(_ tenants.Scope, a summarised) (none, error) { return none{}, b.Summarise(tx, a.UpTo, a.Text) })
	}
	return b.move(tx, method, body)
}

// Client is the far end of Book.Call over whatever carries the bytes to a session's book and back.
type Client struct{ do call.Carrier }

var (
	_ chat.Sessions  = (*Client)(nil)
	_ chat.Summaries = (*Client)(nil)
	_ chat.Parcels   = (*Client)(nil)
)

// NewClient makes the sessions over do.
func NewClient(do call.Carrier) *Client { return &Client{do: do} }

// Begin implements chat.Sessions.
func (c *Client) Begin(ctx context.Context, s tenants.Scope, o chat.Opening) (chat.Turn, error) {
	if err := chat.CheckSessionID(o.Session); err != nil {
		return chat.Turn{}, err
	}
	return ask[chat.Turn](ctx, c.do, s, o.Session, methodBegin, o)
}

// Tell implements chat.Sessions.
func (c *Client) Tell(ctx context.Context, s tenants.Scope, n chat.News) (chat.Audience, error) {
	session, _, err := n.Stream.Split()
	if err != nil {
		return chat.Audience{}, err
	}
	method := methodTell
	if n.Outcome != nil {
		method = methodEnd
	}
	return ask[chat.Audience](ctx, c.do, s, session, method, told{n.Stream, pack(n.Events), n.Outcome})
}

// Replay implements chat.Sessions.
func (c *Client) Replay(ctx context.Context, s tenants.Scope, stream chat.StreamID, after, limit int) (chat.Replay, error) {
	session, _, err := stream.Split()
	if err != nil {
		return chat.Replay{}, err
	}
	r, err := ask[replayed](ctx, c.do, s, session, methodReplay, replay{stream, after, limit})
	if err != nil {
		return chat.Replay{}, err
	}
	evs, err := unpack(r.Events)
	return chat.Replay{Events: evs, Over: r.Over}, err
}

// Transcript implements chat.Sessions.
func (c *Client) Transcript(ctx context.Context, s tenants.Scope, session, cursor string, limit int) (chat.Transcript, error) {
	return ask[chat.Transcript](ctx, c.do, s, session, methodTranscript, paged{Cursor: cursor, Limit: limit})
}

// Last implements chat.Sessions.
func (c *Client) Last(ctx context.Context, s tenants.Scope, session string, limit int) ([]llm.Message, error) {
	return ask[[]llm.Message](ctx, c.do, s, session, methodLast, paged{Limit: limit})
}

// Delete implements chat.Sessions.
func (c *Client) Delete(ctx context.Context, s tenants.Scope, session string) error {
	_, err := ask[none](ctx, c.do, s, session, methodDelete, none{})
	return err
}

// Summarise implements chat.Summaries.
func (c *Client) Summarise(ctx context.Context, s tenants.Scope, session string, upTo int, text string) error {
	_, err := ask[none](ctx, c.do, s, session, methodSummarise, summarised{upTo, text})
	return err
}

// ask calls a method of a session's object. What cannot be the name of a session is that of none.
func ask[V, A any](ctx context.Context, do call.Carrier, s tenants.Scope, session, method string, args A) (V, error) {
	if chat.CheckSessionID(session) != nil {
		var none V
		return none, errMissing
	}
	return call.Ask[V](ctx, do, s, []string{session}, method, args)
}
