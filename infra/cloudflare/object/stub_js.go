package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

// Namespace is the binding of a class. It may be shared by all goroutines.
type Namespace struct{ binding, class string }

// Open returns the class bound under the name. A missing binding shows at the first call.
func Open(binding string) Namespace { return Namespace{binding, classOf(binding)} }

// classOf is the name of a class, as its binding has it.
func classOf(binding string) string {
	if binding == "" {
		return ""
	}
	return binding[:1] + strings.ToLower(binding[1:])
}

// Named returns a client of the object of that name, which exists as soon as it is called.
func (ns Namespace) Named(name string) Stub { return Stub{ns.binding, name} }

// Class is the name of the class, as the binding has it: "Ledger" of LEDGER.
func (ns Namespace) Class() string { return ns.class }

// Stub is a client of one object. It holds no connection and may be kept.
type Stub struct{ binding, name string }

// RemoteError is an error that the object returned.
type RemoteError struct {
	Data    []byte // its JSON; nil if it has none
	Message string // its text
}

func (e *RemoteError) Error() string { return e.Message }

// UnavailableError says that the platform or the runtime failed the call, not the
// object: the object may or may not have run it.
type UnavailableError struct {
	Message    string
	Retryable  bool // another try may succeed; only repeat what is idempotent
	Overloaded bool // the object has too much to do: do not retry at once
	Reset      bool // the object was reset (code update, abort, storage failure)
	Died       bool // the Go instance died under the call
}

func (e *UnavailableError) Error() string { return "object: " + e.Message }

// What an RPC came back with; the glue has the same numbers.
const (
	answered = 0
	failed   = 1
	died     = 2
)

// patience is how long a call may take, the object's waking up and its turn among many included. An object that has more to do than that is
// one that its callers have to leave alone for a while.
const patience = 25 * time.Second

// Call calls the object's method. The error is a *RemoteError when the object returned
// one, an *UnavailableError when the call did not get that far, and the context's
// cause when that ended first.
func (s Stub) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if body == nil {
		body = []byte{}
	}
	r, err := isolate.CallWithin(ctx, patience, "object.call", s.binding, s.name, method, body)
	if err != nil {
		return nil, unavailable(err)
	}
	switch r.Int() {
	case answered:
		out := r.Bytes()
		return out, r.Err()
	case failed:
		if err := r.Err(); err != nil {
			return nil, err
		}
		e := &RemoteError{Message: r.String()}
		if r.Next() == wire.String {
			e.Data = r.Bytes()
		}
		return nil, e
	default:
		return nil, &UnavailableError{Message: r.String(), Retryable: true, Died: true}
	}
}

func unavailable(err error) error {
	if errors.Is(err, isolate.ErrSilent) {
		return &UnavailableError{Message: err.Error()}
	}
	var e *isolate.JSError
	if !errors.As(err, &e) {
		return err
	}
	u := &UnavailableError{Message: e.Error()}
	var props struct {
		Retryable, Overloaded bool
		DurableObjectReset    bool
	}
	if json.Unmarshal(e.Props, &props) == nil {
		u.Retryable, u.Overloaded, u.Reset = props.Retryable, props.Overloaded, props.DurableObjectReset
	}
	return u
}

// Do sends an HTTP request to the object, whose http.Handler answers it; bodies
// stream both ways. The host of the URL does not matter.
func (s Stub) Do(req *http.Request) (*http.Response, error) {
	resp, err := isolate.Fetch(req, s.binding, s.name)
	if err != nil {
		return nil, fmt.Errorf("object: fetch: %w", unavailable(err))
	}
	return resp, nil
}
