package isolate

import (
	"context"
	"syscall/js"
)

var host = js.Global().Get("__isolate")

// Env returns a text variable or secret of the Worker. The second result is false
// when there is none of that name, or when it is a binding.
func Env(name string) (string, bool) {
	v := host.Get("env").Get(name)
	if v.Type() != js.TypeString {
		return "", false
	}
	return v.String(), true
}

// EnvValue returns the Worker's env object with its bindings, for code that uses
// syscall/js. An operation that does I/O on one of them belongs inside [Await].
func EnvValue() js.Value { return host.Get("env") }

// Await runs f in the I/O context of ctx's event and waits for the promise it returns
// (any other value is returned as it is). Neither f nor a getter it calls may throw:
// syscall/js turns that into a panic or the death of the instance.
func Await(ctx context.Context, f func() js.Value) (js.Value, error) {
	t := From(ctx)
	if t == nil {
		return js.Value{}, ErrNoTask
	}
	if ctx.Err() != nil {
		return js.Value{}, context.Cause(ctx)
	}
	if err := t.Enter(); err != nil {
		return js.Value{}, err
	}
	id := newOp(t)
	host.Call("then", f(), t.id, id)
	if _, err := t.wait(ctx, id); err != nil {
		return js.Value{}, err
	}
	return host.Call("takeValue", id), nil
}
