package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Object is the Go half of a Durable Object. It may also be an http.Handler, for
// requests by [Stub.Do], and an [Alarmer].
type Object interface {
	// Call answers one RPC. An error crosses to the caller as data: its JSON if it is a
	// json.Marshaler, else its text.
	Call(ctx context.Context, method string, body []byte) ([]byte, error)
}

// Alarmer is an object that sets alarms.
type Alarmer interface {
	// Alarm runs when the alarm is due, at least once. retry counts the failed attempts
	// before; an error or a panic makes the platform try again, up to six times.
	Alarm(ctx context.Context, retry int) error
}

// State is what an object knows about itself. Its methods take the context of one of
// the object's own events.
type State struct {
	Class, ID, Name string
	db              DB
}

// SQL returns the object's database.
func (s *State) SQL() *DB { return &s.db }

// SetAlarm sets the object's one alarm, replacing an earlier one.
func (s *State) SetAlarm(ctx context.Context, at time.Time) error {
	_, err := isolate.Call(ctx, "alarm.set", at.UnixMilli())
	return err
}

// Alarm returns when the alarm is due; the zero time when none is set, or while it runs.
func (s *State) Alarm(ctx context.Context) (time.Time, error) {
	r, err := isolate.Call(ctx, "alarm.get")
	if err != nil || r.Null() {
		return time.Time{}, err
	}
	at := r.Int()
	return time.UnixMilli(at), r.Err()
}

// DeleteAlarm cancels the alarm.
func (s *State) DeleteAlarm(ctx context.Context) error {
	_, err := isolate.Call(ctx, "alarm.delete")
	return err
}

// DeleteAll erases everything the object has stored. The object lives on until it is
// evicted, and must make its tables anew if it is used again.
func (s *State) DeleteAll(ctx context.Context) error {
	_, err := isolate.Call(ctx, "storage.deleteall")
	return err
}

// Abort resets the object: every event of it fails, and the next one finds a new object.
// It does not return before the context ends.
func (s *State) Abort(ctx context.Context, reason string) error {
	_, err := isolate.Call(ctx, "object.abort", reason)
	return err
}

// BlockConcurrencyWhile runs f while all other events of the object are held back,
// for at most 30 seconds. f must use the context it is given. Constructors run like that anyway.
func (s *State) BlockConcurrencyWhile(ctx context.Context, f func(ctx context.Context) error) error {
	var failed error
	blocks++
	name := "object.block:" + strconv.Itoa(blocks)
	isolate.Handle(name, func(ctx context.Context, _ *wire.Reader) ([]any, error) {
		failed = f(ctx)
		return nil, failed
	})
	defer isolate.Unhandle(name)
	r, err := isolate.Call(ctx, "object.block", name)
	if err != nil {
		return err
	}
	if r.Int() != 0 && failed == nil {
		return errors.New("object: " + r.String()) // a panic
	}
	return failed
}

var blocks int

// entry is an object of the instance.
type entry struct {
	class  string
	object Object
}

var (
	classes = map[string]func(ctx context.Context, st *State) (Object, error){}
	objects = map[int32]entry{} // by home
)

// Register registers a class. make is called, with everything else held back, before
// the first event of an object; it is the place to create tables and load state. Its
// error fails the event, and the next event tries again.
func Register(class string, make func(ctx context.Context, st *State) (Object, error)) {
	if len(classes) == 0 {
		isolate.Handle("object.new", create)
		isolate.Handle("object.call", call)
		isolate.Handle("object.alarm", alarm)
	}
	classes[class] = make
}

// Count returns how many objects live in the instance, for tests.
func Count() int { return len(objects) }

func create(ctx context.Context, event *wire.Reader) ([]any, error) {
	st := &State{Class: event.String(), ID: event.String(), Name: event.String()}
	if err := event.Err(); err != nil {
		return nil, err
	}
	make := classes[st.Class]
	if make == nil {
		return nil, errors.New("object: no class " + st.Class + " is registered")
	}
	o, err := make(ctx, st)
	if err != nil {
		return nil, fmt.Errorf("object: new %s: %w", st.Class, err)
	}
	home := isolate.From(ctx).Home()
	objects[home] = entry{st.Class, o}
	h, ok := o.(http.Handler)
	if !ok {
		h = http.NotFoundHandler()
	}
	isolate.HandleHome(home, h)
	return nil, nil
}

//go:wasmexport isolate_drop
func exportDrop(home int32) { // the JavaScript object was collected
	delete(objects, home)
	isolate.HandleHome(home, nil)
}

var errGone = errors.New("object: the object has been evicted")

func call(ctx context.Context, event *wire.Reader) ([]any, error) {
	method, body := event.String(), event.Bytes()
	if err := event.Err(); err != nil {
		return nil, err
	}
	e, ok := objects[isolate.From(ctx).Home()]
	if !ok {
		return nil, errGone
	}
	out, err := e.object.Call(ctx, method, body)
	if err != nil {
		return nil, callError{err}
	}
	return []any{out}, nil
}

// callError is how the error of an object crosses: its text, and its JSON if it has one.
type callError struct{ error }

func (e callError) Wire() []any {
	var m json.Marshaler
	if errors.As(e.error, &m) {
		if b, err := m.MarshalJSON(); err == nil {
			return []any{e.Error(), string(b)}
		}
	}
	return []any{e.Error()}
}

func alarm(ctx context.Context, event *wire.Reader) ([]any, error) {
	e, ok := objects[isolate.From(ctx).Home()]
	if !ok {
		return nil, errGone
	}
	a, ok := e.object.(Alarmer)
	if !ok {
		return nil, errors.New("object: " + e.class + " has no Alarm method")
	}
	return nil, a.Alarm(ctx, int(event.Int()))
}
