package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/tally"
)

// Protocol answers the messages of the Model Context Protocol.
type Protocol interface {
	// Serve answers r to w. What it has to know it asks back, which answers on behalf of whoever sent r and holds it to what they may do; r has nothing by
	// which it could be asked elsewhere. It returns when nothing goes on any more. An error before anything was written is the
	// answer; after that the answer is not whole. Safe for concurrent use.
	Serve(w http.ResponseWriter, r *http.Request, back http.Handler) error
}

// The headers of the protocol.
const (
	mcpSession  = "Mcp-Session-Id"
	mcpRevision = "Mcp-Protocol-Version"
	mcpHeaders  = "Mcp-"
	ourVersion  = "Levada-Version"
)

// stateless is the first revision that has no sessions. Revisions are dates.
const stateless = "2026-07-28"

// speak passes a message of the protocol on. It is a request as any other, by whoever holds a key of the tenant. What it is about asks the routes
// that are there for it, in the caller's name: these hold the key to its scopes, and are not requests of their own to the tenant's rates.
func speak(c *call) error {
	if err := tally.Check(c.body, "", tally.MaxValues); err != nil { // the protocol makes of it what it likes
		return err
	}
	method, err := methodOf(c.body)
	if err != nil {
		return err
	}
	c.changes = method == "" || method == "tools/call" // a batch has none, and may hold anything
	c.listing = strings.HasSuffix(method, "/list")
	if err := c.permitHeader(); err != nil {
		return err
	}
	w := &protocolAnswer{response: c.w, c: c, began: c.opts.Now()}
	if c.r.Header.Get(mcpRevision) < stateless {
		if method == "initialize" {
			id, err := c.newSession()
			if err != nil {
				return err
			}
			w.session = id
		} else if err := c.checkSession(); err != nil {
			return err
		}
	}
	return c.MCP.Serve(w, c.passed(), http.HandlerFunc(c.ask))
}

// protocolAnswer is the answer to a message. One to initialize that went well names the session.
type protocolAnswer struct {
	*response
	c       *call
	began   time.Time
	session string
}

// WriteHeader implements http.ResponseWriter.
func (w *protocolAnswer) WriteHeader(status int) {
	h := w.Header()
	if status == http.StatusOK && w.session != "" {
		h.Set(mcpSession, w.session)
	}
	w.c.stage("mcp", w.began)
	h["X-Content-Type-Options"], h["Server-Timing"] = always.noSniff, []string{w.c.timings()}
	if h.Get("Cache-Control") == "" {
		h["Cache-Control"] = always.noStore
	}
	w.response.WriteHeader(status)
}

// methodOf is the method of a message; empty when it is none, or a batch of them. One that another reader could take for a message of another method is
// refused: with a second method, or with one in other letters, which some readers take for it and some do not.
func methodOf(body []byte) (string, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	if open, _ := d.Token(); open != json.Delim('{') {
		return "", nil
	}
	var method string
	for seen := false; d.More(); {
		token, err := d.Token()
		name, is := token.(string)
		var value json.RawMessage
		if err != nil || !is || d.Decode(&value) != nil {
			return "", nil // what is wrong with it the protocol says itself
		}
		switch {
		case !strings.EqualFold(name, "method"):
			continue
		case name != "method":
			return "", fault.Invalidf("", "unknown_field", "there is no field %q", name).WithHint("send method, in small letters")
		case seen:
			return "", fault.Invalidf(name, "duplicate_field", "the field %q occurs twice", name)
		}
		seen = true
		if json.Unmarshal(value, &method) != nil {
			method = ""
		}
	}
	if _, err := d.Token(); err != nil || len(bytes.TrimSpace(body[d.InputOffset():])) > 0 {
		return "", nil
	}
	return method, nil
}

// passed is the request without anything that is not the protocol's: the key stays here.
func (c *call) passed() *http.Request {
	r := c.r.Clone(c.ctx())
	r.Header = http.Header{}
	for name, values := range c.r.Header {
		if strings.HasPrefix(name, mcpHeaders) || name == "Accept" || name == "Content-Type" || name == "Last-Event-Id" {
			r.Header[name] = values
		}
	}
	r.Header.Del(mcpSession)
	r.Header.Set(ourVersion, c.opts.Version)
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
	return r
}

// ask answers a question that came up on the way, as if the caller had asked it.
func (c *call) ask(w http.ResponseWriter, r *http.Request) {
	r.Host, r.RemoteAddr = c.r.Host, c.r.RemoteAddr
	for _, name := range []string{"Authorization", "X-Api-Key", "X-Tenant-Id", userHeader} {
		r.Header.Del(name)
		if values := c.r.Header[name]; values != nil {
			r.Header[name] = values
		}
	}
	r.Header.Set("X-Request-Id", c.requestID)
	r.Header.Set("Traceparent", c.traceParent)
	c.serveCall(w, r, c)
}
