package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"levada.dev/events/trace"
)

// Trace is one of a list: what it began with.
type Trace struct {
	ID        string        `json:"traceId"`
	Kind      trace.Kind    `json:"kind"`
	Name      string        `json:"name"`
	StartedAt time.Time     `json:"startedAt"`
	Duration  float64       `json:"durationMs"`
	Spans     int           `json:"spans"`
	Failed    int           `json:"failed"` // of the spans
	Outcome   trace.Outcome `json:"outcome"`
	Code      string        `json:"code,omitempty"`
}

// Spans is all that is kept of one.
type Spans struct {
	ID        string    `json:"traceId"`
	StartedAt time.Time `json:"startedAt"`
	Duration  float64   `json:"durationMs"`
	Spans     []Span    `json:"spans"`
}

// Span is one thing that was done; its times are in milliseconds, and begin with the trace.
type Span struct {
	ID       string     `json:"spanId"`
	Parent   string     `json:"parentSpanId,omitempty"`
	Kind     trace.Kind `json:"kind"`
	Name     string     `json:"name"`
	Worker   string     `json:"worker"`
	Offset   float64    `json:"offsetMs"`
	Duration float64    `json:"durationMs"`
	trace.Facts
	FirstByte float64 `json:"firstByteMs,omitempty"`
	Wait      float64 `json:"waitMs,omitempty"`
}

const tracesPath = "/traces"

// Traces lists those that are kept, the newest first: of what has a name, such as a route, or all; only those in which something failed, or all.
func (c *Client) Traces(ctx context.Context, name string, failed bool) iter.Seq2[Trace, error] {
	type page struct {
		Traces []Trace
		Next   string
	}
	query := url.Values{"name": {name}, "limit": {"100"}}
	if failed {
		query.Set("failed", strconv.FormatBool(failed))
	}
	return pages(ctx, c, tracesPath, query, func(p page) ([]Trace, string) { return p.Traces, p.Next })
}

// Trace asks for all that is kept of one.
func (c *Client) Trace(ctx context.Context, id string) (Spans, error) {
	return get[Spans](ctx, c, tracesPath+"/"+url.PathEscape(id), nil)
}

// OTLP asks for one as a collector takes it: an ExportTraceServiceRequest in JSON.
func (c *Client) OTLP(ctx context.Context, id string) (body []byte, err error) {
	r := request{method: http.MethodGet, path: tracesPath + "/" + url.PathEscape(id), query: url.Values{"format": {"otlp"}}}
	err = c.patiently(ctx, func() error {
		resp, err := c.send(ctx, r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			if _, err = open(r, resp); err == nil {
				err = foreign(r, resp)
			}
			return err
		}
		if body, err = io.ReadAll(resp.Body); err != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		return nil
	})
	return body, err
}
