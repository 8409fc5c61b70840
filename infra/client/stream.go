package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"
)

// maxEvent is the longest event that the client reads: the passages of an answer are one.
const maxEvent = 4 << 20

// errSilent ends a stream on which not even a heartbeat comes.
var errSilent = errors.New("the stream is silent")

// stream opens a stream of events. The sequence ends with an error, or at the end of the stream; each event comes without one.
func (c *Client) stream(ctx context.Context, r request) (http.Header, iter.Seq2[sse.Event, error], error) {
	r.accept = "text/event-stream"
	ctx, cancel := context.WithCancelCause(ctx)
	resp, err := c.send(ctx, r)
	if err != nil {
		cancel(nil)
		return nil, nil, err
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), r.accept) {
		defer cancel(nil)
		defer resp.Body.Close()
		if resp.StatusCode == http.StatusNoContent {
			return resp.Header, nil, io.EOF
		}
		if _, err = open(r, resp); err == nil {
			err = fmt.Errorf("%s %s: %s, and no stream", r.method, r.path, resp.Status)
		}
		return resp.Header, nil, err
	}
	return resp.Header, func(yield func(sse.Event, error) bool) {
		defer cancel(nil)
		defer resp.Body.Close()
		alive := time.AfterFunc(c.opts.Silence, func() { cancel(errSilent) })
		defer alive.Stop()
		body := heard{resp.Body, func() { alive.Reset(c.opts.Silence) }}
		for ev, err := range sse.Read(body, &sse.ReadConfig{MaxEventSize: maxEvent}) {
			if err != nil && ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			if !yield(ev, err) {
				return
			}
		}
	}, nil
}

// heard is a reader that tells when something was read.
type heard struct {
	io.Reader
	tell func()
}

// Read implements io.Reader.
func (h heard) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if n > 0 {
		h.tell()
	}
	return n, err
}
