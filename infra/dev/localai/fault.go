package localai

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// fault is an error of the platform: a code for programs, a status for HTTP.
// Codes: https://developers.cloudflare.com/workers-ai/platform/errors/
type fault struct {
	code, status int
	text         string
	// name is the JavaScript error's name: AiError, or AiGatewayError where the
	// gateway refused the request before any model saw it.
	name string
}

func (f *fault) Error() string { return fmt.Sprintf("%d: %s", f.code, f.text) }

func refuse(code, status int, format string, args ...any) *fault {
	return &fault{code, status, fmt.Sprintf(format, args...), "AiError"}
}

func noSuchModel(model string) *fault {
	return refuse(5007, http.StatusBadRequest, "No such model %s or task", model)
}

// invalid is a request that does not fit the model's schema; path is the field.
func invalid(path, format string, args ...any) *fault {
	return refuse(5006, http.StatusBadRequest, "Error: at '%s': %s", path, fmt.Sprintf(format, args...))
}

func incomplete(what string) *fault {
	return refuse(3003, http.StatusBadRequest, "Incomplete request: %s", what)
}

func tooLarge(limit int64) *fault {
	return refuse(3006, http.StatusRequestEntityTooLarge, "Request is too large: the limit is %d bytes", limit)
}

func busy() *fault {
	return refuse(3040, http.StatusTooManyRequests, "Capacity temporarily exceeded, please try again.")
}

func timedOut() *fault {
	return refuse(3007, http.StatusRequestTimeout, "Request timeout")
}

func gatewayRefuses(format string, args ...any) *fault {
	f := refuse(2001, http.StatusBadRequest, format, args...)
	f.name = "AiGatewayError"
	return f
}

// asFault answers err as a fault; anything unknown is the platform's 3043.
func asFault(err error) *fault {
	var f *fault
	if errors.As(err, &f) {
		return f
	}
	return refuse(3043, http.StatusInternalServerError, "Internal server error: %v", err)
}

// body is the fault in both shapes the platform's binding reads.
func (f *fault) body() []byte {
	out, _ := json.Marshal(map[string]any{
		"internalCode": f.code,
		"name":         f.name,
		"description":  f.text,
		"success":      false,
		"errors":       []any{map[string]any{"code": f.code, "message": f.text}},
	})
	return out
}

// write answers with the fault. One without a code is no JSON.
func (f *fault) write(w http.ResponseWriter) {
	if f.code == 0 {
		http.Error(w, f.text, f.status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	w.Write(f.body())
}

// retryable says whether the gateway's own retries repeat the call.
func (f *fault) retryable() bool {
	return f.status >= http.StatusInternalServerError || f.code == 3040
}
