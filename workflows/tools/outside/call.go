package outside

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/tools"
)

// The codes of what goes wrong with a call. They never change.
const (
	CodeRefused           = "outside_refused"     // 4xx
	CodeBusy              = "outside_busy"        // the server wants to be left alone for a while
	CodeFailed            = "outside_failed"      // 5xx
	CodeUnreachable       = "outside_unreachable" // no answer, or not all of it
	CodeRedirected        = "outside_redirected"  // a redirect that is not followed
	CodeTooLarge          = "outside_too_large"
	CodeNotJSON           = "outside_not_json"
	CodeType              = "outside_type"
	CodeDenied            = "address_denied"
	CodeSecretMissing     = "secret_missing"
	CodeSecretUnavailable = "secret_unavailable"
)

const (
	maxRedirects = 5
	maxAnswer    = 1 << 20
)

// endpoint is a declared tool.
type endpoint struct {
	*Tools
	declared tenants.HTTPTool
	template tenants.Template
}

// run makes a call.
func (e *endpoint) run(ctx context.Context, c *tools.Call) (json.RawMessage, error) {
	if err := c.Scope.Check(); err != nil {
		return nil, err
	}
	p, err := e.pack(c)
	if err != nil {
		return nil, err
	}
	first, err := address.Parse(p.address)
	if err != nil {
		return nil, denied(err)
	}
	if err := e.check(first); err != nil { // before the secret is asked for
		return nil, err
	}
	c.Leave() // from here on it is others that are waited for
	if e.declared.BaresSecret(first) {
		return nil, fault.New(fault.Denied, CodeDenied, "the tool's secret is not sent over http", nil).WithHint("the tool is to be declared with https")
	}
	secret, err := e.secret(ctx, c.Scope)
	if err != nil {
		return nil, err
	}
	resp, err := e.send(ctx, p, first, secret)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return nil, e.status(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, unreachable("the server's answer was cut off")
	case len(body) > maxAnswer:
		return nil, fault.New(fault.Denied, CodeTooLarge, "the server's answer has more than 1 MiB", nil).WithHint("ask for less, if the tool can")
	}
	if err := c.Enter(ctx, len(body)); err != nil {
		return nil, err
	}
	return e.result(body, resp.Header.Get("Content-Type"), secret)
}

// check refuses an address that may not be asked.
func (e *endpoint) check(u *url.URL) error {
	private := e.opts.Private && e.declared.Private
	if u.Scheme != "https" && !private {
		return fault.New(fault.Denied, CodeDenied, "the tool's address is not https", nil)
	}
	if err := (address.Rules{Private: private}).Check(u); err != nil {
		return denied(err)
	}
	return nil
}

// denied does not say which address: it may have an argument in it, or be what a server redirects to.
func denied(error) error {
	return fault.New(fault.Denied, CodeDenied, "the tool's address is not one of a public host", nil).
		WithHint("tools call public hosts, by https")
}

// secret is what opens the server; nothing when the tool needs none.
func (e *endpoint) secret(ctx context.Context, s tenants.Scope) (string, error) {
	if e.declared.Auth == nil {
		return "", nil
	}
	value, err := e.secrets.Secret(ctx, s, e.declared.Auth.Secret)
	switch {
	case fault.Is(err, fault.NotFound):
		return "", fault.New(fault.Denied, CodeSecretMissing, "the tool's secret is not published", err).WithHint("levada secret set, and a deployment, publish it")
	case err != nil:
		return "", fault.Unavailablef(err, CodeSecretUnavailable, "the tool's secret could not be read")
	}
	return value, nil
}

// send asks the address, and those that it leads to when the method is GET. The secret goes to the origin of the first alone, and no more once
// another was asked.
func (e *endpoint) send(ctx context.Context, p parcel, first *url.URL, secret string) (*http.Response, error) {
	u, home := first, true
	for range maxRedirects + 1 {
		if err := e.check(u); err != nil {
			return nil, err
		}
		resp, err := e.ask(ctx, p, u, secret, home)
		if err != nil || !redirects(resp.StatusCode) {
			return resp, err
		}
		_ = resp.Body.Close() // nobody reads it
		if e.declared.Method != http.MethodGet {
			return nil, redirected("the server redirects, which is not followed with " + e.declared.Method)
		}
		if u, err = web.Location(u, resp.Header.Get("Location")); err != nil {
			return nil, redirected("the server redirects to no address, or out of https")
		}
		home = home && sameOrigin(u, first)
	}
	return nil, redirected("the server redirects more than 5 times")
}

// ask sends one request.
func (e *endpoint) ask(ctx context.Context, p parcel, u *url.URL, secret string, home bool) (_ *http.Response, err error) {
	ctx, span := watch.Start(ctx, trace.Outside, "tool")
	defer func() { span.End(ctx, err) }()
	var body io.Reader
	if p.body != nil {
		body = bytes.NewReader(p.body)
	}
	req, err := http.NewRequestWithContext(ctx, e.declared.Method, u.String(), body)
	if err != nil {
		return nil, denied(err)
	}
	req.Header = p.header.Clone()
	if auth := e.declared.Auth; auth != nil && home {
		if *auth.Scheme != "" {
			secret = *auth.Scheme + " " + secret
		}
		req.Header.Set(auth.Header, secret)
	}
	if home {
		web.Traced(req, span)
	}
	resp, err := e.do(req)
	if err != nil {
		return nil, unreachable("the server did not answer")
	}
	span.Note(func(f *trace.Facts) { f.Status = resp.StatusCode })
	return resp, nil
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// sameOrigin reports whether two addresses have the same scheme, host and port.
func sameOrigin(a, b *url.URL) bool {
	x, errX := address.Host(a)
	y, errY := address.Host(b)
	return errX == nil && errY == nil && a.Scheme == b.Scheme && x == y && port(a) == port(b)
}

func port(u *url.URL) string {
	switch p := u.Port(); {
	case p != "":
		return strings.TrimLeft(p, "0")
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// status is what an answer means that is no success. Nothing of what the server says is told.
func (e *endpoint) status(resp *http.Response) error {
	code := resp.StatusCode
	said := "the server answered " + http.StatusText(code)
	if http.StatusText(code) == "" {
		said = "the server answered with a status that nobody knows"
	}
	switch {
	case code == http.StatusRequestTimeout || code == http.StatusTooEarly || code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return fault.Unavailablef(nil, CodeBusy, "%s", said).WithRetryAfter(web.RetryAfter(resp.Header.Get("Retry-After"), e.opts.Now()))
	case code >= 500:
		return fault.Unavailablef(nil, CodeFailed, "%s", said)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fault.New(fault.Denied, CodeRefused, said, nil).WithHint("its secret may be wrong, or too little for this")
	}
	return fault.New(fault.Denied, CodeRefused, said, nil)
}

// unreachable has no cause: it would name the address, with the arguments in it.
func unreachable(message string) error {
	return fault.Unavailablef(nil, CodeUnreachable, "%s", message)
}

func redirected(message string) error {
	return fault.New(fault.Denied, CodeRedirected, message, nil).WithHint("the tool is to be declared with the address that it leads to")
}
