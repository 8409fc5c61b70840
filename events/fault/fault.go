package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in the only terms that machinery acts on.
type Kind string

// The kinds. The list is closed: a new one changes every table that reads it.
const (
	Invalid     Kind = "invalid"     // the caller's input is wrong; the same input fails again
	Denied      Kind = "denied"      // the caller may not do this
	NotFound    Kind = "not_found"   // no such thing for this tenant
	Conflict    Kind = "conflict"    // the thing exists or changed meanwhile
	Limited     Kind = "limited"     // a rate, a budget or a backlog is used up; try later
	Unavailable Kind = "unavailable" // something we depend on does not answer; try later
	Internal    Kind = "internal"    // our mistake
)

// Error is one failure. Make it with New or one of the shorthands, add context with fmt.Errorf and %w.
type Error struct {
	Kind    Kind
	Code    string // stable, snake case: "tenant_not_found"
	Message string // for the person who reads the answer
	Field   string // JSON path of the mistake in the input: "metadata.year"
	Hint    string // the next step, when there is one

	// RetryAfter is when a limited or unavailable operation is worth another try; 0 means the caller's default.
	RetryAfter time.Duration

	cause error
}

// New makes an error. The cause may be nil; it is for operators' logs and never leaves the process.
func New(kind Kind, code, message string, cause error) *Error {
	return &Error{Kind: kind, Code: code, Message: message, cause: cause}
}

// Invalidf is an Invalid error about one field of the input.
func Invalidf(field, code, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Missing is a NotFound error about one thing.
func Missing(code, format string, args ...any) *Error {
	return &Error{Kind: NotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Unavailablef is a retryable failure of something we depend on.
func Unavailablef(cause error, code, format string, args ...any) *Error {
	return &Error{Kind: Unavailable, Code: code, Message: fmt.Sprintf(format, args...), cause: cause}
}

// WithHint returns a copy that names the next step.
func (e *Error) WithHint(hint string) *Error {
	c := *e
	c.Hint = hint
	return &c
}

// WithRetryAfter returns a copy that says when to try again.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// Error is the text for logs: code, place, message and cause.
func (e *Error) Error() string {
	s := e.Code
	if e.Field != "" {
		s += " at " + e.Field
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// As finds the Error in err. An error that carries none is Internal, code "internal", with err as its cause,
// so that a caller always has a kind to act on and never shows a stranger's text to a user.
func As(err error) *Error {
	if e, bare := err.(*Error); bare && e != nil { // as most are
		return e
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", Message: "internal error", cause: err}
}

// KindOf is the kind of err, Internal when it carries none.
func KindOf(err error) Kind { return As(err).Kind }

// Is reports whether err carries the given kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Retryable reports whether the same operation may succeed later with no change by the caller.
// Internal counts: our mistakes include lost connections nobody classified, and retries are bounded.
func Retryable(err error) bool {
	switch KindOf(err) {
	case Limited, Unavailable, Internal:
		return true
	}
	return false
}

// wire is the form in which an Error crosses a process, an RPC or a queue. The cause stays behind.
type wire struct {
	Kind    Kind   `json:"kind"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	Field   string `json:"field,omitempty"`
	Hint    string `json:"hint,omitempty"`
	RetryMS int64  `json:"retryAfterMs,omitempty"`
}

// MarshalJSON writes the error as data.
func (e *Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(wire{e.Kind, e.Code, e.Message, e.Field, e.Hint, e.RetryAfter.Milliseconds()})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *Error) UnmarshalJSON(b []byte) error {
	var w wire
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	if w.Kind == "" || w.Code == "" {
		return errors.New("fault: not an error: kind and code are required")
	}
	*e = Error{Kind: w.Kind, Code: w.Code, Message: w.Message, Field: w.Field, Hint: w.Hint,
		RetryAfter: time.Duration(w.RetryMS) * time.Millisecond}
	return nil
}
