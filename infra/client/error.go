package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/job"
)

// Error is a failure that the platform has named. It wraps its Fault.
type Error struct {
	Fault     *fault.Error // kind, code, message, field, hint, when to try again
	Status    int
	RequestID string // what to tell the operators
	TraceID   string
	AuditID   string        // of the call of a tool
	Refused   []job.Problem // of a batch that was refused: the first of its lines
}

// Error is for people: the message, the code and the request, and the next step when the platform knows one.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (%s", e.Fault.Message, e.Fault.Code)
	if e.RequestID != "" {
		s += ", request " + e.RequestID
	}
	s += ")"
	if e.Fault.Hint != "" {
		s += "; " + e.Fault.Hint
	}
	return s
}

// Unwrap returns the fault.
func (e *Error) Unwrap() error { return e.Fault }

// busy reports whether the same call may succeed a little later.
func (e *Error) busy() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}

// open takes the data out of the envelope of an answer.
func open(r request, resp *http.Response) (json.RawMessage, error) {
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	var env struct {
		OK    *bool           `json:"ok"`
		Data  json.RawMessage `json:"data"`
		Error struct {
			Code, Message, TraceID string
			Details                struct {
				Field, Hint  string
				AuditID      string
				RetryAfterMS int64
				Errors       []job.Problem
			}
		}
		RequestID string
	}
	if err := json.Unmarshal(b, &env); err != nil || env.OK == nil {
		return nil, foreign(r, resp)
	}
	if *env.OK {
		return env.Data, nil
	}
	said := env.Error
	f := fault.New(kindOf(resp.StatusCode), said.Code, said.Message, nil).WithHint(said.Details.Hint).
		WithRetryAfter(max(time.Duration(said.Details.RetryAfterMS)*time.Millisecond, retryAfter(resp.Header)))
	f.Field = said.Details.Field
	return nil, &Error{Fault: f, Status: resp.StatusCode, RequestID: env.RequestID, TraceID: said.TraceID, AuditID: said.Details.AuditID, Refused: said.Details.Errors}
}

// refusal is why an answer is not what was asked for, where that would be no envelope.
func refusal(r request, resp *http.Response) error {
	_, err := open(r, resp)
	if err == nil {
		err = foreign(r, resp)
	}
	return err
}

// foreign is an answer without Levada's envelope. A failure may be Levada's all the same: whoever stood between, or was left when what should
// have answered had died, knows nothing of envelopes.
func foreign(r request, resp *http.Response) error {
	what := "and no answer of Levada's: something else is there"
	if resp.StatusCode >= http.StatusInternalServerError {
		what = "and no reason: it broke down before it could give one; try again, and look into its log if that helps nothing"
	}
	return fmt.Errorf("%s %s: %s, %s", r.method, resp.Request.URL.Redacted(), resp.Status, what)
}

// retryAfter is the header of this name in seconds, which is how the platform writes it.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(strings.TrimSpace(h.Get("Retry-After")))
	if err != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// kindOf is the kind of the faults that a status stands for.
func kindOf(status int) fault.Kind {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Denied
	case http.StatusNotFound:
		return fault.NotFound
	case http.StatusConflict:
		return fault.Conflict
	case http.StatusTooManyRequests:
		return fault.Limited
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusBadGateway:
		return fault.Unavailable
	}
	if status >= http.StatusInternalServerError {
		return fault.Internal
	}
	return fault.Invalid
}
