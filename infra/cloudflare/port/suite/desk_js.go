package main

import (
	"context"
	"io"

	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/book"
)

// studio is the ports of the suite of jobs that speak, in the event.
type studio struct {
	event
	port *book.Client
}

func (x studio) Open(ctx context.Context, s tenants.Scope, o speech.Opening) (speech.Opened, error) {
	return x.port.Open(x.in(ctx), s, o)
}

func (x studio) Job(ctx context.Context, s tenants.Scope, id string) (speech.Job, error) {
	return x.port.Job(x.in(ctx), s, id)
}

func (x studio) Jobs(ctx context.Context, s tenants.Scope, cursor string, limit int) (speech.Page, error) {
	return x.port.Jobs(x.in(ctx), s, cursor, limit)
}

func (x studio) Cancel(ctx context.Context, s tenants.Scope, id string) (speech.Job, error) {
	return x.port.Cancel(x.in(ctx), s, id)
}

func (x studio) Claim(ctx context.Context, s tenants.Scope, take string) (speech.Claim, error) {
	return x.port.Claim(x.in(ctx), s, take)
}

func (x studio) Release(ctx context.Context, s tenants.Scope, t speech.Ticket, why *job.Problem) error {
	return x.port.Release(x.in(ctx), s, t, why)
}

func (x studio) TakeOver(ctx context.Context, s tenants.Scope, take, by string) (speech.Claim, error) {
	return x.port.TakeOver(x.in(ctx), s, take, by)
}

func (x studio) ClaimDead(ctx context.Context, s tenants.Scope, take string, try int) (speech.Ticket, error) {
	return x.port.ClaimDead(x.in(ctx), s, take, try)
}

func (x studio) Add(ctx context.Context, s tenants.Scope, t speech.Ticket, tape speech.Tape) error {
	return x.port.Add(x.in(ctx), s, t, tape)
}

func (x studio) End(ctx context.Context, s tenants.Scope, t speech.Ticket, failed *job.Problem) error {
	return x.port.End(x.in(ctx), s, t, failed)
}

// sounds is the port of the suite of sounds, in the event.
type sounds struct {
	event
	port speech.Sounds
}

func (x sounds) Put(ctx context.Context, s tenants.Scope, reel, name string, part []byte) error {
	return x.port.Put(x.in(ctx), s, reel, name, part)
}

func (x sounds) Open(ctx context.Context, s tenants.Scope, reel, name string, from, n int64) (io.ReadCloser, error) {
	return x.port.Open(x.in(ctx), s, reel, name, from, n)
}

func (x sounds) Drop(ctx context.Context, s tenants.Scope, reel string) (bool, error) {
	return x.port.Drop(x.in(ctx), s, reel)
}
