package main

import (
	"context"

	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/chat/book"
	"levada.dev/workflows/chat/chattest"
	"levada.dev/workflows/llm"
)

// conversations are the ports of the suites of chat, in the event.
func conversations(ev event) chattest.Ports {
	kept := sessions{ev, port.NewSessions(object.Open("SESSION"))}
	return chattest.Ports{Sessions: kept, Summaries: kept, Parcels: kept, Shelf: shelf{ev, port.NewShelf(object.Open("SHELF"))}}
}

type sessions struct {
	event
	port *book.Client
}

func (x sessions) Begin(ctx context.Context, s tenants.Scope, o chat.Opening) (chat.Turn, error) {
	return x.port.Begin(x.in(ctx), s, o)
}

func (x sessions) Tell(ctx context.Context, s tenants.Scope, n chat.News) (chat.Audience, error) {
	return x.port.Tell(x.in(ctx), s, n)
}

func (x sessions) Replay(ctx context.Context, s tenants.Scope, stream chat.StreamID, after, limit int) (chat.Replay, error) {
	return x.port.Replay(x.in(ctx), s, stream, after, limit)
}

func (x sessions) Transcript(ctx context.Context, s tenants.Scope, session, cursor string, limit int) (chat.Transcript, error) {
	return x.port.Transcript(x.in(ctx), s, session, cursor, limit)
}

func (x sessions) Last(ctx context.Context, s tenants.Scope, session string, limit int) ([]llm.Message, error) {
	return x.port.Last(x.in(ctx), s, session, limit)
}

func (x sessions) Delete(ctx context.Context, s tenants.Scope, session string) error {
	return x.port.Delete(x.in(ctx), s, session)
}

func (x sessions) Summarise(ctx context.Context, s tenants.Scope, session string, upTo int, text string) error {
	return x.port.Summarise(x.in(ctx), s, session, upTo, text)
}

func (x sessions) Parcel(ctx context.Context, s tenants.Scope, session string, from int) (chat.Parcel, error) {
	return x.port.Parcel(x.in(ctx), s, session, from)
}

func (x sessions) Take(ctx context.Context, s tenants.Scope, p chat.Parcel) (int, error) {
	return x.port.Take(x.in(ctx), s, p)
}

func (x sessions) Drop(ctx context.Context, s tenants.Scope, session string) error {
	return x.port.Drop(x.in(ctx), s, session)
}

type shelf struct {
	event
	port chat.Shelf
}

func (x shelf) Places(ctx context.Context, s tenants.Scope, after, upTo string, limit int) (chat.Places, error) {
	return x.port.Places(x.in(ctx), s, after, upTo, limit)
}

func (x shelf) List(ctx context.Context, s tenants.Scope, user, cursor string, limit int) (chat.Listing, error) {
	return x.port.List(x.in(ctx), s, user, cursor, limit)
}
