package dev

import (
	"context"
	"encoding/json"
	"time"
)

// Queue is a queue of the running platform, reached from outside of its Workers.
type Queue struct {
	child *child
	name  string
}

// Queue is a queue by its name in the stack.
func (p *Platform) Queue(name string) Queue { return Queue{p.child, name} }

// Backlog is how many messages the queue holds, delayed ones and those in flight too.
func (q Queue) Backlog(ctx context.Context) (int, error) {
	var m struct {
		Count int `json:"backlogCount"`
	}
	return m.Count, q.ask(ctx, "metrics", &m)
}

// Traffic is what has gone through a queue since workerd was started.
type Traffic struct {
	Sent    int `json:"sent"`    // messages
	Sends   int `json:"sends"`   // calls that brought them
	Taken   int `json:"taken"`   // messages that were delivered, those that came again too
	Batches int `json:"batches"` // in which they were
}

// Traffic counts.
func (q Queue) Traffic(ctx context.Context) (t Traffic, err error) {
	return t, q.ask(ctx, "traffic", &t)
}

// Faults are what a queue may do to its consumers at any time, made frequent. They last until the next start.
type Faults struct {
	Duplicate float64 `json:"duplicate"` // deliver twice: with this probability, or, from 1 on, every nth
	Shuffle   bool    `json:"shuffle"`   // deliver in random order
	Pause     bool    `json:"pause"`     // deliver nothing
}

// Disturb turns faults on, or off with the zero value.
func (q Queue) Disturb(ctx context.Context, f Faults) error { return q.ask(ctx, "control", nil, f) }

// Waiting is a message as the queue holds it.
type Waiting struct {
	ID       string          `json:"id"`
	Due      time.Time       `json:"due"`
	Attempts int             `json:"attempts"`
	Body     json.RawMessage `json:"body"`
}

// Peek returns the messages that arrived first, without delivering them.
func (q Queue) Peek(ctx context.Context, limit int) (ms []Waiting, err error) {
	return ms, q.ask(ctx, "peek", &ms, map[string]int{"limit": limit})
}

func (q Queue) ask(ctx context.Context, method string, out any, args ...any) error {
	return q.child.ask(ctx, "queue", map[string]any{"path": q.name + "/" + method, "args": args}, out)
}

// Send puts a message of text into the queue, as it is: also one that no producer of ours would send.
func (q Queue) Send(ctx context.Context, text string) error {
	return q.ask(ctx, "send", nil, text, map[string]string{"contentType": "text"})
}
