package double

import (
	"encoding/json"
	"net/http"
	"slices"
)

// Request is what was asked, and how it ended. It has no secret: neither the token nor a secret's text nor a value of KV.
type Request struct {
	Method, Path, Query string
	Token               string // the token's id
	Status              int    // 0 when the connection was cut instead of an answer

	// Body is the JSON of the body, where a secret's text is missing and a value of KV is its length. Of an upload it is an Uploaded.
	Body any
}

// Uploaded is what is remembered of a Worker's upload.
type Uploaded struct {
	Metadata any
	Modules  []Module
}

// Write reports whether it was more than a look.
func (r Request) Write() bool { return r.Method != http.MethodGet && r.Method != http.MethodHead }

// Requests are all requests so far, in the order in which they were answered.
func (a *API) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

// Writes are the requests that are no GET, as "PUT /accounts/…/workers/scripts/x".
func (a *API) Writes() []string {
	var writes []string
	for _, r := range a.Requests() {
		if r.Write() {
			writes = append(writes, r.Method+" "+r.Path)
		}
	}
	return writes
}

// Forget forgets the requests so far.
func (a *API) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = nil
}

// Watch has each request told after its effect and before its answer, and not while anything is locked: there a test stops the deployer.
func (a *API) Watch(watch func(Request)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.watch = watch
}

// remember makes the Request of a call.
func (c *call) remember(answer reply) Request {
	r := Request{Method: c.Method, Path: c.URL.Path, Query: c.URL.RawQuery, Token: c.api.tokens[c.bearer].ID, Status: answer.status, Body: c.kept}
	if r.Body != nil || len(c.body) == 0 {
		return r
	}
	if c.parts != nil {
		r.Body = uploaded(c.parts)
		return r
	}
	var body any
	if json.Unmarshal(c.body, &body) == nil {
		withoutSecrets(body)
		r.Body = body
	} else {
		r.Body = len(c.body)
	}
	return r
}

func uploaded(parts []part) Uploaded {
	var u Uploaded
	for _, p := range parts {
		if p.name != "metadata" {
			u.Modules = append(u.Modules, p.module())
		} else if json.Unmarshal(p.body, &u.Metadata) == nil {
			withoutSecrets(u.Metadata)
		}
	}
	return u
}

// withoutSecrets takes the text of secrets out of a body, and the token of its files.
func withoutSecrets(v any) {
	switch x := v.(type) {
	case map[string]any:
		if t := x["type"]; t == "secret_text" || t == "secret_key" {
			delete(x, "text")
			delete(x, "key_base64")
			delete(x, "key_jwk")
		}
		if files, ok := x["assets"].(map[string]any); ok {
			delete(files, "jwt")
		}
		for _, inner := range x {
			withoutSecrets(inner)
		}
	case []any:
		for _, inner := range x {
			withoutSecrets(inner)
		}
	}
}
