package openai

import (
	"net/http"
	"time"

	"levada.dev/events/fault"
)

// failing is how OpenAI's SDKs are told of a failure.
type failing struct {
	status int    // 0: as everywhere else
	typ    string // "": by the status
	code   string
}

// failures are the codes for which OpenAI has names of its own, which its SDKs and the libraries on top of them act on.
var failures = map[string]failing{
	"unauthorized":       {401, "", "invalid_api_key"},
	"tenant_required":    {401, "", "invalid_api_key"}, // here the key names the tenant
	"model_unknown":      {404, "", "model_not_found"},
	"message_too_long":   {400, "", "context_length_exceeded"},
	"prompt_too_long":    {400, "", "context_length_exceeded"},
	"rate_limited":       {429, "requests", "rate_limit_exceeded"},
	"content_blocked":    {400, "", "content_filter"},
	"budget_exhausted":   {429, "insufficient_quota", "insufficient_quota"},
	"model_quota":        {429, "insufficient_quota", "insufficient_quota"},
	"route_not_found":    {404, "", "unknown_url"},
	"method_not_allowed": {405, "", "method_not_supported"},
}

// soon is for how long SDKs wait by themselves when they are told when to come back. Who refuses for less, as a budget does of
// which calls in flight hold the rest, has not run out.
const soon = time.Minute

// failingOf is how OpenAI's SDKs are told of f.
func failingOf(f *fault.Error) failing {
	as := failures[f.Code]
	if as.typ == "insufficient_quota" && 0 < f.RetryAfter && f.RetryAfter < soon {
		return failures["rate_limited"]
	}
	return as
}

// Status is the status of a failure, which elsewhere would have the given one.
func Status(f *fault.Error, status int) int {
	if as := failingOf(f); as.status != 0 {
		return as.status
	}
	return status
}

// Permanent reports whether the same request will fail again for longer than a client waits: SDKs repeat what has
// status 429 or 5xx unless they are told not to.
func Permanent(f *fault.Error) bool { return failingOf(f).typ == "insufficient_quota" }

// AppendError appends {"error":{...}}.
func AppendError(b []byte, f *fault.Error, status int) []byte {
	as := failingOf(f)
	if as.typ == "" {
		as.typ = "invalid_request_error"
		if status >= http.StatusInternalServerError {
			as.typ = "server_error"
		}
	}
	if as.code == "" {
		as.code = f.Code
	}
	text := f.Message
	if f.Hint != "" {
		text += " (" + f.Hint + ")"
	}
	b = appendString(append(b, `{"error":{"message":`...), text)
	b = appendString(append(b, `,"type":`...), as.typ)
	b = append(b, `,"param":`...)
	if f.Field == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, f.Field)
	}
	b = appendString(append(b, `,"code":`...), as.code)
	return append(b, "}}"...)
}
