package isolate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

var (
	// ErrEnded is returned by operations of a goroutine that outlived its event.
	ErrEnded = errors.New("isolate: the event of this goroutine has ended")
	// ErrCanceled is the cause of the context when the client has gone.
	ErrCanceled = errors.New("isolate: the client disconnected")
	// ErrLost is the cause when the I/O context of the event vanished without a word.
	ErrLost = errors.New("isolate: the I/O context of the event is lost")
	// ErrSilent is the cause when a dependency did not answer in the time that it has.
	ErrSilent = errors.New("isolate: no answer in the time that such a call may take")
	// ErrNoTask is returned when a context does not come from an event.
	ErrNoTask = errors.New("isolate: the context belongs to no event; pass the context of the handler")
)

// Task is one inbound event. It is the context of its handler and lives in every
// context derived from it.
//
// The client's leaving and the deadline cancel the context, but the task still does
// I/O for a goroutine that wants to clean up: use context.WithoutCancel.
type Task struct {
	context.Context
	cancel   context.CancelCauseFunc
	id, home int32
	over     error   // why no operation is possible any more
	pending  []int32 // operations under way
	detached map[*context.CancelCauseFunc]struct{}
}

type taskKey struct{}

// Value implements context.Context.
func (t *Task) Value(key any) any {
	if key == (taskKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// From returns the task of ctx, or nil when ctx comes from no event.
func From(ctx context.Context) *Task {
	t, _ := ctx.Value(taskKey{}).(*Task)
	return t
}

// Home identifies the I/O context of the task: all events of one Durable Object share
// one, every other event has its own. It is unique within a Go instance.
func (t *Task) Home() int32 { return t.home }

var tasks = map[int32]*Task{}

func newTask(id, home int32) *Task {
	stats.Begun++
	t := &Task{id: id, home: home}
	t.Context, t.cancel = context.WithCancelCause(context.Background())
	tasks[id] = t
	return t
}

// Enter makes sure that the running turn belongs to the I/O context of the task. It
// returns at once when it does, and else parks the goroutine until the glue has woken
// it from there. Code that uses syscall/js for I/O calls it before each operation;
// until the goroutine next blocks, the I/O context stays the right one.
func (t *Task) Enter() error {
	for t.over == nil {
		if jsCurrent() == t.home {
			return nil
		}
		stats.Hops++
		id := newOp(t)
		jsHop(t.id, id)
		<-slot(id).ch
		freeOp(id)
	}
	return t.over
}

// finish is called when the glue said that the task is over.
func (t *Task) finish(over int32) {
	if over != 0 {
		delete(tasks, t.id)
		t.fail(ErrEnded)
	}
}

// fail ends the task: its contexts are canceled and its operations return.
func (t *Task) fail(err error) {
	if t.over != nil {
		return
	}
	t.over = err
	t.cancel(err)
	for cancel := range t.detached {
		(*cancel)(err)
	}
	for _, id := range t.pending {
		slot(id).settle(result{code: codeOver})
	}
}

// Why a task is canceled; the glue has the same numbers.
const (
	gone     = 1 // the client left
	lost     = 2 // the I/O context is lost
	deadline = 3 // no answer in time
)

//go:wasmexport isolate_cancel
func exportCancel(id, why int32) {
	t := tasks[id]
	if t == nil {
		return
	}
	stats.Canceled++
	switch why {
	case lost:
		delete(tasks, id)
		t.fail(ErrLost)
	case deadline:
		t.cancel(context.DeadlineExceeded)
	default:
		t.cancel(ErrCanceled)
	}
}

//go:wasmexport isolate_free
func exportFree(id int32) {
	if t := tasks[id]; t != nil {
		t.finish(1)
	}
}

// Go runs f as part of the event of ctx, which stays open (waitUntil) until f returns;
// the platform allows 30 seconds after the answer. The context of f has the values of
// ctx but outlives the client and the handler. A panic of f is logged and ends only f.
func Go(ctx context.Context, f func(ctx context.Context)) error {
	t := From(ctx)
	if t == nil {
		return ErrNoTask
	}
	if err := t.Enter(); err != nil {
		return err
	}
	jsHold(t.id)
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if t.detached == nil {
		t.detached = map[*context.CancelCauseFunc]struct{}{}
	}
	t.detached[&cancel] = struct{}{}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				reportPanic("isolate.Go", p)
			}
			delete(t.detached, &cancel)
			cancel(ErrEnded)
			t.finish(jsRelease(t.id))
		}()
		f(own)
	}()
	return nil
}

func reportPanic(where string, p any) {
	stats.Panics++
	fmt.Fprintf(os.Stderr, "panic in %s: %v\n%s", where, p, debug.Stack())
}
