package api

import (
	"net/http"
	"slices"
	"strings"

	"levada.dev/api/openai"
	"levada.dev/events/fault"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/llm"
)

// v1 is below which everything is said in OpenAI's wire format: answers, streams and failures, also of routes that are not there.
const v1 = "/v1/"

func (c *call) speaksOpenAI() bool { return strings.HasPrefix(c.r.URL.Path, v1) }

// failOpenAI answers with what went wrong, as OpenAI's SDKs expect it.
func (c *call) failOpenAI(f *fault.Error, status int) {
	h := c.w.Header()
	if openai.Permanent(f) {
		h.Set("X-Should-Retry", "false")
	}
	h["Content-Type"], h["Cache-Control"] = always.json, always.noStore
	c.send(status, openai.AppendError(nil, f, status))
}

// permitOpenAI is permit, and says how near the caller is to a limit in OpenAI's headers, too.
func (c *call) permitOpenAI(user string, ahead quota.Amount) error {
	if err := checkUser("user", user); err != nil {
		return err
	}
	err := c.permit(user, ahead)
	h := c.w.Header()
	if limit := h["X-Ratelimit-Limit"]; limit != nil {
		h["X-Ratelimit-Limit-Requests"], h["X-Ratelimit-Remaining-Requests"] = limit, h["X-Ratelimit-Remaining"]
		h["X-Ratelimit-Reset-Requests"] = []string{h["X-Ratelimit-Reset"][0] + "s"}
	}
	return err
}

// modelFault gives a refusal of a model the parameter it is about.
func modelFault(err error) error {
	if f := fault.As(err); f.Code == "model_unknown" || f.Code == "model_not_allowed" {
		refused := *f
		refused.Field = "model"
		return &refused
	}
	return err
}

// listModels answers which models requests of the tenant may name.
func listModels(c *call) error {
	return c.raw(openai.AppendModels(nil, c.models()))
}

// showModel answers one of them.
func showModel(c *call) error {
	id := c.r.PathValue("id")
	if !slices.Contains(c.models(), id) {
		return fault.Invalidf("model", "model_unknown", "The model %.128q does not exist, or requests may not name it.", id)
	}
	return c.raw(openai.AppendModel(nil, id))
}

// models are the names of the tenant's models, for text, for embeddings and for speech.
func (c *call) models() []string {
	return append(append(llm.Nameable(c.config.Models), c.config.Models.Embedding), c.speakers()...)
}

// raw answers with JSON that is no envelope's.
func (c *call) raw(body []byte) error {
	h := c.w.Header()
	h["Content-Type"], h["Cache-Control"] = always.json, always.noStore
	c.send(http.StatusOK, body)
	return nil
}
