package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/speech"
)

const (
	jsonType    = "application/json"
	problemType = "application/problem+json"
)

// ok answers with data in the envelope.
func (c *call) ok(status int, data any) error {
	return c.write(status, jsonType, struct {
		OK        bool   `json:"ok"`
		Data      any    `json:"data"`
		RequestID string `json:"requestId"`
	}{true, data, c.requestID})
}

// details is what a failure says besides its message.
type details struct {
	Field      string   `json:"field,omitempty"`        // JSON path of the mistake
	Hint       string   `json:"hint,omitempty"`         // the next step
	Offset     *int     `json:"offset,omitempty"`       // byte of the body where it stopped being JSON
	Limit      int64    `json:"limit,omitempty"`        // what was exceeded
	Allow      string   `json:"allow,omitempty"`        // the methods there are
	Failing    []string `json:"failing,omitempty"`      // what is not ready
	RetryAfter int64    `json:"retryAfterMs,omitempty"` // when to try again

	ToolCode string `json:"toolCode,omitempty"` // the tool's own
	AuditID  string `json:"auditId,omitempty"`  // of the call of a tool

	StreamID chat.StreamID `json:"streamId,omitempty"` // of the turn that is in the way

	State   job.State `json:"state,omitempty"`   // of the job of which there is no audio
	JobCode string    `json:"jobCode,omitempty"` // why it has failed

	Refused []corpus.RefusedEvent `json:"refused,omitempty"` // the events of a delivery
	Errors  []refusedLine         `json:"errors,omitempty"`  // the lines of a batch
}

// detailed is an error that knows more than a fault carries.
type detailed struct {
	error
	details details
}

func (d *detailed) Unwrap() error { return d.error }

func withDetails(err error, d details) error { return &detailed{err, d} }

// failure is the error member of the envelope.
type failure struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	Details details `json:"details"`
	TraceID string  `json:"traceId"`
}

// problem is RFC 9457, for who asks for it.
type problem struct {
	Type      string  `json:"type"`
	Title     string  `json:"title"`
	Status    int     `json:"status"`
	Detail    string  `json:"detail"`
	Instance  string  `json:"instance"`
	Code      string  `json:"code"`
	Details   details `json:"details"`
	TraceID   string  `json:"traceId"`
	RequestID string  `json:"requestId"`
}

// problemSpace is what problem types start with: https://www.rfc-editor.org/rfc/rfc4151.
const problemSpace = "tag:levada.dev,2026:error/"

// fail answers with what went wrong.
func (c *call) fail(err error) {
	c.err = err
	f, status := c.classify(err)
	if c.speaksOpenAI() {
		status = openai.Status(f, status)
	}
	d := details{}
	var more *detailed
	if errors.As(err, &more) {
		d = more.details
	}
	d.Field, d.Hint, d.RetryAfter = f.Field, f.Hint, f.RetryAfter.Milliseconds()
	h := c.w.Header()
	switch status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", c.challenge())
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		after := max(f.RetryAfter, time.Second)
		h.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(after.Seconds())), 10))
	}
	if c.speaksOpenAI() {
		c.failOpenAI(f, status)
		return
	}
	if accepts(c.r.Header.Get("Accept"), problemType) {
		_ = c.write(status, problemType, problem{problemSpace + f.Code, http.StatusText(status), status, message(f),
			"urn:uuid:" + c.requestID, f.Code, d, c.traceID, c.requestID})
		return
	}
	_ = c.write(status, jsonType, struct {
		OK        bool    `json:"ok"`
		Error     failure `json:"error"`
		RequestID string  `json:"requestId"`
	}{false, failure{f.Code, message(f), d, c.traceID}, c.requestID})
}

// challenge names the proof that the route asks for.
func (c *call) challenge() string {
	if c.route != nil && c.route.signed {
		return `StandardWebhooks realm="levada"`
	}
	return `Bearer realm="levada"`
}

var errClientLeft = fault.New(fault.Invalid, "client_closed_request", "the client left", nil)

// classify gives an error its fault and status. What is our own mistake says nothing about itself.
func (c *call) classify(err error) (*fault.Error, int) {
	if errors.Is(err, context.Canceled) && c.ctx().Err() != nil {
		return errClientLeft, statusClientLeft
	}
	f := fault.As(err)
	if f.Kind == fault.Internal && errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Unavailable, "deadline_exceeded", "the answer took too long", nil), http.StatusGatewayTimeout
	}
	if f.Kind == fault.Internal || speech.Inner(f.Code) {
		return fault.New(fault.Internal, "internal", "something went wrong on our side", nil), http.StatusInternalServerError
	}
	return f, statusOf(f)
}

// message is a fault's text for people, who must not have to look elsewhere for the field it is about.
func message(f *fault.Error) string {
	if f.Field == "" {
		return f.Message
	}
	return f.Field + ": " + f.Message
}

// write sends one JSON document.
func (c *call) write(status int, contentType string, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fault.New(fault.Internal, "answer_encoding", "", err)
	}
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	c.send(status, buf.Bytes())
	return nil
}

// send writes head and body, with what every answer has.
func (c *call) send(status int, body []byte) {
	h, values := c.w.Header(), [...]string{c.timings(), strconv.Itoa(len(body))}
	h["Server-Timing"], h["Content-Length"] = values[0:1:1], values[1:2:2]
	h["X-Content-Type-Options"] = always.noSniff
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // a client that left is the log's business, not the handler's
}

// always is values of headers that many answers share. Nobody changes them: Set puts others in their place, Add makes a copy.
var always = struct{ noSniff, noStore, noCache, json, events, varyOrigin []string }{
	[]string{"nosniff"}, []string{"no-store"}, []string{"no-cache, no-transform"}, []string{jsonType}, []string{eventStreamType + "; charset=utf-8"}, []string{"Origin"},
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// accepted tells the media types that a header Accept names, in small letters, with their parameters. What it refuses (q=0) is none of them.
func accepted(accept string) iter.Seq2[string, map[string]string] {
	return func(yield func(string, map[string]string) bool) {
		for item := range strings.SplitSeq(accept, ",") {
			media, params, err := mime.ParseMediaType(item)
			if media == "" || err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
				continue
			}
			if weight, err := strconv.ParseFloat(params["q"], 64); err == nil && weight <= 0 {
				continue
			}
			if !yield(media, params) {
				return
			}
		}
	}
}

// accepts reports whether a client asks for a media type by its name.
func accepts(accept, media string) bool {
	for name := range accepted(accept) {
		if name == media {
			return true
		}
	}
	return false
}

// response remembers the status for the log, and keeps the body of an answer to HEAD back.
type response struct {
	http.ResponseWriter
	status int
	head   bool
}

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if w.head {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher.
func (w *response) Flush() {
	if f, ok := w.ResponseWriter.(http.Flusher); ok {
		f.Flush()
	}
}

// Unwrap serves http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }
