package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls one tenant's API. It is safe for concurrent use.
type Client struct {
	base, key string
	opts      Options
}

// Doer sends requests; *http.Client is one.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Options tunes a client.
type Options struct {
	Tenant   string        // who is meant; needed where the door is open and there is no key, else it must be the key's
	HTTP     Doer          // default: a client with NewTransport
	Patience time.Duration // for how long a call is tried again while the platform is busy; default 1 min
	Silence  time.Duration // after how long without a sign of life a stream has broken off; default 45 s

	// Jitter is how much longer than asked to wait, of at most d, so that those who were refused together do not come
	// back together. Default: anything.
	Jitter func(d time.Duration) time.Duration
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.HTTP == nil {
		opts.HTTP = &http.Client{Transport: NewTransport()}
	}
	if opts.Patience <= 0 {
		opts.Patience = time.Minute
	}
	if opts.Silence <= 0 {
		opts.Silence = 45 * time.Second
	}
	if opts.Jitter == nil {
		opts.Jitter = func(d time.Duration) time.Duration { return rand.N(d) }
	}
	return opts
}

// New makes a client of the platform at url. The key may be empty where the tenant's door is open.
func New(url, key string, o *Options) *Client {
	return &Client{strings.TrimRight(url, "/"), key, o.withDefaults()}
}

// URL is where the platform is.
func (c *Client) URL() string { return c.base }

// Tenant is the one that the options name.
func (c *Client) Tenant() string { return c.opts.Tenant }

// Health asks whether a platform is there.
func (c *Client) Health(ctx context.Context) error {
	_, err := c.once(ctx, request{method: http.MethodGet, path: "/health"})
	return err
}

// request is one call, which may be sent more than once.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	accept       string               // default JSON
	contentType  string               // of the body
	body         func() io.ReadCloser // opened for each attempt; nil for none
	length       int64                // of the body; 0 when nobody knows
}

// get asks and opens the envelope.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return call[T](ctx, c, request{method: http.MethodGet, path: path, query: query})
}

// post sends JSON and opens the envelope.
func post[T any](ctx context.Context, c *Client, path string, in any) (v T, err error) {
	r, err := withJSON(request{method: http.MethodPost, path: path}, in)
	if err != nil {
		return v, err
	}
	return call[T](ctx, c, r)
}

func withJSON(r request, in any) (request, error) {
	b, err := json.Marshal(in)
	if err != nil {
		return r, fmt.Errorf("%s %s: %w", r.method, r.path, err)
	}
	r.contentType, r.body = "application/json", func() io.ReadCloser { return io.NopCloser(bytes.NewReader(b)) }
	r.length = int64(len(b))
	return r, nil
}

func call[T any](ctx context.Context, c *Client, r request) (v T, err error) {
	err = c.patiently(ctx, func() error {
		data, err := c.once(ctx, r)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &v); err != nil {
			return fmt.Errorf("%s %s: the answer is not what was promised: %w", r.method, r.path, err)
		}
		return nil
	})
	return v, err
}

// once makes one attempt and takes the data out of the envelope.
func (c *Client) once(ctx context.Context, r request) (json.RawMessage, error) {
	resp, err := c.send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return open(r, resp)
}

// send makes one attempt as the tenant. A platform that cannot be reached is an *Unreachable.
func (c *Client) send(ctx context.Context, r request) (*http.Response, error) {
	at := c.base + r.path
	if len(r.query) > 0 {
		at += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, at, nil)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Body, req.ContentLength = r.body(), r.length
		req.Header.Set("Content-Type", r.contentType)
	}
	for name, values := range r.header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", r.accept)
	if r.accept == "" {
		req.Header.Set("Accept", "application/json")
	}
	if c.opts.Tenant != "" {
		req.Header.Set("X-Tenant-Id", c.opts.Tenant)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.opts.HTTP.Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its text has the URL once more
		}
		return nil, &Unreachable{URL: c.base, Err: err}
	}
	return resp, nil
}

// Unreachable says that no platform answered.
type Unreachable struct {
	URL string
	Err error
}

// Error implements error.
func (e *Unreachable) Error() string {
	return fmt.Sprintf("no platform answers on %s: %v", e.URL, e.Err)
}

// Unwrap returns what the connection said.
func (e *Unreachable) Unwrap() error { return e.Err }
