package isolate

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"

	"levada.dev/infra/cloudflare/isolate/wire"
)

// Transport is an http.RoundTripper over fetch. The zero value reaches the network;
// with a Binding it reaches the Worker behind that service binding.
//
// Bodies stream in both directions. Redirects are not followed (http.Client does it).
// net/http's own Client costs a Worker 1.2 MB compressed: where the size matters,
// call [Do] or RoundTrip.
type Transport struct{ Binding string }

var _ http.RoundTripper = Transport{}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	return Fetch(req, t.Binding)
}

// Do sends the request with the global fetch.
func Do(req *http.Request) (*http.Response, error) { return Fetch(req, "") }

// inlineBody is the size up to which a request's body crosses in one piece.
const inlineBody = 64 << 10

// Fetch sends the request through a binding that has a fetch method; path are the
// arguments that select a Durable Object (class binding, object name).
func Fetch(req *http.Request, binding string, path ...string) (*http.Response, error) {
	ctx := req.Context()
	if From(ctx) == nil {
		return nil, ErrNoTask
	}
	own, cancel := context.WithCancelCause(ctx)
	body, handle, err := requestBody(own, cancel, req)
	if err != nil {
		cancel(err)
		return nil, err
	}
	object := ""
	if len(path) > 0 {
		object = path[0]
	}
	head := headerBlock(req.Header)
	if req.Host != "" && req.Host != req.URL.Host {
		head += "Host\x00" + req.Host + "\n"
	}
	r, err := Call(own, "fetch", binding, object, req.Method, req.URL.String(), head, body, handle)
	if err != nil {
		cancel(err)
		return nil, err
	}
	if handle == 0 {
		cancel(nil) // else the answer may have come before the end of the body
	}
	resp, err := ReadResponse(ctx, r)
	if resp != nil {
		resp.Request = req
	}
	return resp, err
}

// Live is a body of a request that goes out as it comes. Of any other body Fetch waits for the first 64 KB, or the end; so an answer to what has
// been sent of it so far would never be asked for.
type Live struct{ io.ReadCloser }

// requestBody returns a short body as bytes and any other as the handle of a stream.
func requestBody(ctx context.Context, cancel context.CancelCauseFunc, req *http.Request) (body any, handle int64, err error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, 0, nil
	}
	if live, ok := req.Body.(Live); ok {
		handle, err = Pipe(ctx, cancel, live.ReadCloser, -1)
		return nil, handle, err
	}
	if s, ok := req.Body.(*streamReader); ok && !s.begun {
		handle, err = Pipe(ctx, cancel, s, -1)
		return nil, handle, err
	}
	room := 512
	if req.ContentLength > 0 && req.ContentLength <= inlineBody {
		room = int(req.ContentLength) + 1
	}
	first, err := readUpTo(req.Body, make([]byte, 0, room), inlineBody)
	switch {
	case err == io.EOF:
		return first, 0, req.Body.Close()
	case err != nil:
		_ = req.Body.Close()
		return nil, 0, err
	}
	size := int64(-1)
	if req.ContentLength > 0 {
		size = req.ContentLength
	}
	handle, err = Pipe(ctx, cancel, &partRead{io.MultiReader(bytes.NewReader(first), req.Body), req.Body}, size)
	if err != nil {
		_ = req.Body.Close()
	}
	return nil, handle, err
}

// partRead is a body of which the first bytes have been read already.
type partRead struct {
	io.Reader
	io.Closer
}

// readUpTo appends to b until it holds n bytes (nil) or the reader ends (io.EOF).
func readUpTo(r io.Reader, b []byte, n int) ([]byte, error) {
	for len(b) < n {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		k, err := r.Read(b[len(b):min(cap(b), n+1)])
		b = b[:len(b)+k]
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// ReadResponse makes the Response of an operation's frame: status, header block,
// content length, and the body as bytes or as a stream's handle, which what has been read of it already may follow.
func ReadResponse(ctx context.Context, r *wire.Reader) (*http.Response, error) {
	status, head, length := int(r.Int()), r.String(), r.Int()
	resp := &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: parseHeader(head), ContentLength: length, Body: http.NoBody,
	}
	switch r.Next() {
	case wire.Bytes:
		resp.Body = io.NopCloser(bytes.NewReader(r.Bytes()))
	case wire.Int:
		s := &streamReader{task: From(ctx), ctx: ctx, handle: int32(r.Int())}
		if r.Next() == wire.Bytes {
			s.rest, s.begun = r.Bytes(), true
		}
		resp.Body = s
	}
	return resp, r.Err()
}
