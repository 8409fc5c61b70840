package isolate

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"
	"unsafe"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// JSError is an exception or a rejection of JavaScript.
type JSError struct {
	Name, Message string
	Props         json.RawMessage // the error's own properties (code, retryable, overloaded, ...), an object or null
}

func (e *JSError) Error() string {
	if e.Name == "" || e.Name == "Error" {
		return e.Message
	}
	return e.Name + ": " + e.Message
}

const (
	codeOK   = 0
	codeErr  = 1 // a frame with name, message and properties
	codeOver = 2 // the task is over
	codeEOF  = 3
)

type result struct {
	code int32
	data []byte
}

// An op is an operation under way. Its id is a slot index and a generation, so a late
// settlement (after a timeout, after the event) is recognised and dropped. No id is 0,
// which is none to the glue: generations are 1 to genMax.
type opSlot struct {
	ch   chan result
	task *Task
	gen  int32
}

const (
	opBits = 18
	opMask = 1<<opBits - 1
	genMax = 1<<12 - 1
)

var (
	ops     []*opSlot
	freeOps []int32
)

func newOp(t *Task) int32 {
	var i int32
	if n := len(freeOps); n > 0 {
		i = freeOps[n-1]
		freeOps = freeOps[:n-1]
	} else {
		i = int32(len(ops))
		ops = append(ops, &opSlot{ch: make(chan result, 1), gen: 1})
	}
	s := ops[i]
	s.task = t
	id := s.gen<<opBits | i
	t.pending = append(t.pending, id)
	stats.Ops++
	return id
}

func slot(id int32) *opSlot { return ops[id&opMask] }

func (s *opSlot) settle(r result) {
	select {
	case s.ch <- r:
	default: // settled already
	}
}

func freeOp(id int32) {
	s := slot(id)
	p := s.task.pending
	for i := range p {
		if p[i] == id {
			p[i] = p[len(p)-1]
			s.task.pending = p[:len(p)-1]
			break
		}
	}
	s.task = nil
	s.gen = s.gen%genMax + 1
	select {
	case <-s.ch:
	default:
	}
	freeOps = append(freeOps, id&opMask)
}

//go:wasmexport isolate_settle
func exportSettle(id, code, n, h int32) {
	s := slot(id)
	if s.task == nil || s.gen != id>>opBits {
		stats.Late++
		if h != 0 {
			jsTake(h, nil, 0)
		}
		return
	}
	r := result{code: code}
	if n > 0 || h != 0 {
		r.data = received(0, n, h)
	}
	s.settle(r)
}

// Call runs the named operation of the glue in the I/O context of ctx's event and
// waits for it. The arguments are what package wire takes; the result is a frame.
// It returns early with the context's cause when ctx is canceled.
func Call(ctx context.Context, op string, args ...any) (*wire.Reader, error) {
	r, err := call(ctx, op, args...)
	if err != nil {
		return nil, err
	}
	return wire.NewReader(r.data), nil
}

// CallWithin is Call that waits so long at most. What was asked for may be done all the same, later: the cause is ErrSilent.
func CallWithin(ctx context.Context, limit time.Duration, op string, args ...any) (*wire.Reader, error) {
	ctx, cancel := Within(ctx, limit)
	defer cancel()
	return Call(ctx, op, args...)
}

// Within gives what is done in the context so long at most: the cause of its end is ErrSilent. The variable MAX_CALL_MS of the Worker, which
// is for tests, is a limit to all limits.
func Within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, min(limit, maxCall()), ErrSilent)
}

var maxCall = sync.OnceValue(func() time.Duration {
	text, _ := Env("MAX_CALL_MS")
	ms, err := strconv.Atoi(text)
	if err != nil {
		return math.MaxInt64
	}
	return time.Duration(ms) * time.Millisecond
})

func call(ctx context.Context, op string, args ...any) (result, error) {
	t := From(ctx)
	if t == nil {
		return result{}, ErrNoTask
	}
	if ctx.Err() != nil {
		return result{}, context.Cause(ctx)
	}
	name, err := operation(op)
	if err != nil {
		return result{}, err
	}
	id, err := t.begin(op, name, args)
	if err != nil {
		return result{}, err
	}
	return t.wait(ctx, id)
}

// begin starts an operation. The glue copies the arguments, so that their frame is free while the answer is waited for: of many streams most
// wait.
func (t *Task) begin(op string, name int32, args []any) (id int32, err error) {
	frame, err := wire.Append(borrow(), args...)
	defer giveBack(frame)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", op, err)
	}
	if err := t.Enter(); err != nil {
		return 0, err
	}
	id = newOp(t)
	p, n := pointer(frame)
	jsCall(t.id, id, name, p, n)
	return id, nil
}

func (t *Task) wait(ctx context.Context, id int32) (result, error) {
	var r result
	select {
	case r = <-slot(id).ch:
	default:
		select {
		case r = <-slot(id).ch:
		case <-ctx.Done():
			jsAbort(t.id, id)
			freeOp(id)
			return r, context.Cause(ctx)
		}
	}
	freeOp(id)
	switch r.code {
	case codeOver:
		return r, t.over
	case codeErr:
		return r, jsError(r.data)
	}
	return r, nil
}

func jsError(frame []byte) error {
	r := wire.NewReader(frame)
	e := &JSError{Name: r.String(), Message: r.String()}
	if p := r.Bytes(); len(p) > 0 {
		e.Props = json.RawMessage(p)
	}
	return e
}

// CallSync runs a synchronous operation of the glue (SQL, for example) in the I/O
// context of ctx's event. It does not block unless it has to hop.
func CallSync(ctx context.Context, op string, args ...any) (*wire.Reader, error) {
	t := From(ctx)
	if t == nil {
		return nil, ErrNoTask
	}
	if err := t.Enter(); err != nil {
		return nil, err
	}
	return t.callSync(op, args...)
}

// CallHere is CallSync without the hop: the caller knows that it runs inside a turn
// that the glue made for it (a transaction), where everybody else must wait.
func (t *Task) CallHere(op string, args ...any) (*wire.Reader, error) {
	if t.over != nil {
		return nil, t.over
	}
	return t.callSync(op, args...)
}

func (t *Task) callSync(op string, args ...any) (*wire.Reader, error) {
	name, err := operation(op)
	if err != nil {
		return nil, err
	}
	frame, err := wire.Append(borrow(), args...)
	if err != nil {
		giveBack(frame)
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	dst := borrow()
	// Encoding may have let another goroutine run, but only within this turn, so the
	// I/O context is still the one that Enter found.
	p, n := pointer(frame)
	k := jsCallSync(t.id, name, p, n, unsafe.Pointer(unsafe.SliceData(dst)), int32(cap(dst)))
	var out []byte
	if k >= 0 {
		out = append([]byte(nil), dst[:k]...)
	} else {
		out = received(0, jsLength(), -k)
	}
	giveBack(frame)
	giveBack(dst)
	if len(out) == 0 {
		return nil, t.gone()
	}
	if out[0] != codeOK {
		return nil, jsError(out[1:])
	}
	return wire.NewReader(out[1:]), nil
}

func (t *Task) gone() error {
	if t.over != nil {
		return t.over
	}
	return ErrEnded
}

var operations = map[string]int32{}

func operation(name string) (int32, error) {
	id, ok := operations[name]
	if !ok {
		if id = jsOperation(name); id < 0 {
			return 0, fmt.Errorf("isolate: the glue has no operation %q", name)
		}
		operations[name] = id
	}
	return id, nil
}
