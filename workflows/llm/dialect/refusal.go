package dialect

import (
	"encoding/json"
	"net/http"
	"time"

	"levada.dev/events/fault"
)

// refused is an error in the forms that the provider and OpenAI have for it.
type refused struct {
	Errors []struct {
		Code    code   `json:"code"`
		Message string `json:"message"`
	} `json:"errors"`
	InternalCode code            `json:"internalCode"`
	Description  string          `json:"description"`
	Error        json.RawMessage `json:"error"` // text, or an object with a message
}

// code is a number; anything else that stands in its place counts as none.
type code int

// UnmarshalJSON implements json.Unmarshaler.
func (c *code) UnmarshalJSON(b []byte) error {
	var n int
	if json.Unmarshal(b, &n) == nil {
		*c = code(n)
	}
	return nil
}

func (r *refused) cause() (int, string) {
	if len(r.Errors) > 0 {
		return int(r.Errors[0].Code), r.Errors[0].Message
	}
	if r.InternalCode != 0 || r.Description != "" {
		return int(r.InternalCode), r.Description
	}
	var text string
	var object struct {
		Code    code   `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(r.Error, &text) == nil {
		return 0, text
	}
	_ = json.Unmarshal(r.Error, &object) // an error in no known form is judged by its status alone
	return int(object.Code), object.Message
}

// Refusal is the fault that an answer without success stands for: fault.Limited, code model_quota, when the account's use is up;
// fault.Unavailable, code model_busy or model_unavailable, when it may be tried again or elsewhere; fault.Invalid, code
// prompt_too_long or model_refused, when the model will never take it. The account's use is up until the next day in UTC; how
// long that is from now is in the fault when now is known.
// https://developers.cloudflare.com/workers-ai/platform/errors/
func Refusal(model string, status int, body []byte, now time.Time) error {
	var r refused
	_ = json.Unmarshal(body, &r) // an answer in no known form is judged by its status alone
	code, text := r.cause()
	switch {
	case code == 3036:
		f := fault.New(fault.Limited, "model_quota", "the account's daily use of models is up", nil)
		if !now.IsZero() {
			f = f.WithRetryAfter(now.UTC().Truncate(day).Add(day).Sub(now))
		}
		return f
	case code == 3040 || status == http.StatusTooManyRequests:
		return fault.New(fault.Unavailable, "model_busy", "model "+model+" is out of capacity", nil)
	case status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.Invalid, "prompt_too_long", "model "+model+" refused the input as too long: "+text, nil)
	case status == http.StatusUnauthorized || status == http.StatusForbidden: // what the provider says of our account is nobody's business
		return fault.New(fault.Unavailable, "model_unavailable", "model "+model+" is not available to this account", nil)
	case status == http.StatusRequestTimeout || status >= 500:
		return fault.New(fault.Unavailable, "model_unavailable", "model "+model+" failed: "+text, nil)
	}
	return fault.New(fault.Invalid, "model_refused", "model "+model+" refused the input: "+text, nil)
}

const day = 24 * time.Hour
