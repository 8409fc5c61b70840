package isolate

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// EventFunc handles an event: it reads the event's frame and returns the answer's
// values. An error crosses as its text, or as it likes if it is a [WireError].
type EventFunc func(ctx context.Context, event *wire.Reader) ([]any, error)

// WireError is an error that decides what of it crosses to JavaScript: the values are
// the error's frame, and the glue's side of the event knows how to read them.
type WireError interface {
	error
	Wire() []any
}

var handlers = map[string]EventFunc{}

// Handle registers the handler of a named event of the glue. The binding packages
// use it; it must be called before Run, except for names made at run time.
func Handle(name string, f EventFunc) { handlers[name] = f }

// Unhandle removes a handler.
func Unhandle(name string) { delete(handlers, name) }

// HandleScheduled registers the handler of cron triggers. An error fails the invocation.
func HandleScheduled(f func(ctx context.Context, cron string, at time.Time) error) {
	Handle("scheduled", func(ctx context.Context, event *wire.Reader) ([]any, error) {
		cron, at := event.String(), event.Int()
		if err := event.Err(); err != nil {
			return nil, err
		}
		return nil, f(ctx, cron, time.UnixMilli(at))
	})
}

// Run tells the glue that every handler is registered, and blocks for ever.
func Run() {
	newCollector().watch()
	jsInbox(unsafe.Pointer(unsafe.SliceData(inbox)), int32(len(inbox)))
	select {}
}

// The kinds of events; the glue has the same numbers.
const kindHTTP = 0

// A job is an event that waits for a goroutine.
type job struct {
	task *Task
	kind int32
	data []byte
	head int32 // HTTP: length of the head in data, the rest is the body
	body int32 // HTTP: a stream's handle, or 0
}

//go:wasmexport isolate_begin
func exportBegin(id, home, kind, n, h, head, body int32) {
	start(job{newTask(id, home), kind, received(0, n, h), head, body})
}

// Events run on pooled goroutines: a fresh one would grow its stack, by copying, each time.
var idle []chan job

const maxIdle = 64

func start(j job) {
	if n := len(idle); n > 0 {
		c := idle[n-1]
		idle = idle[:n-1]
		c <- j
		return
	}
	go work(make(chan job, 1), j)
}

func work(c chan job, j job) {
	for {
		if j.kind == kindHTTP {
			j.serveHTTP()
		} else {
			j.run()
		}
		if len(idle) >= maxIdle {
			return
		}
		j = job{}
		idle = append(idle, c)
		j = <-c
	}
}

func (j *job) run() {
	t, event := j.task, wire.NewReader(j.data)
	name := event.String()
	returned := false
	defer func() {
		if returned {
			return
		}
		// A panic, or runtime.Goexit, which takes the goroutine with it.
		p := recover()
		reportPanic("event "+name, p)
		t.done(nil, fmt.Errorf("panic: %v", p))
	}()
	f := handlers[name]
	if f == nil {
		t.done(nil, errors.New("isolate: no handler for event "+name))
	} else {
		t.done(f(t, event))
	}
	returned = true
}

func (t *Task) done(values []any, err error) {
	code := int32(codeOK)
	frame := borrow()
	if err == nil {
		frame, err = wire.Append(frame, values...)
	}
	if err != nil {
		code = codeErr
		var w WireError
		if errors.As(err, &w) {
			frame, _ = wire.Append(frame[:0], w.Wire()...)
		} else {
			frame, _ = wire.Append(frame[:0], err.Error())
		}
	}
	p, n := pointer(frame)
	t.finish(jsDone(t.id, code, p, n))
	giveBack(frame)
}
