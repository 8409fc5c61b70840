package client

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"levada.dev/events/meter/view"
)

const tracesPath = "/traces"

// Traces lists those that are kept, the newest first: of what has a name, such as a route, or all; only those in which something failed, or all.
func (c *Client) Traces(ctx context.Context, name string, failed bool) iter.Seq2[view.Trace, error] {
	type page struct {
		Traces []view.Trace
		Next   string
	}
	query := url.Values{"name": {name}, "limit": {"100"}}
	if failed {
		query.Set("failed", strconv.FormatBool(failed))
	}
	return pages(ctx, c, tracesPath, query, func(p page) ([]view.Trace, string) { return p.Traces, p.Next })
}

// Trace asks for all that is kept of one.
func (c *Client) Trace(ctx context.Context, id string) (view.Spans, error) {
	return get[view.Spans](ctx, c, tracesPath+"/"+url.PathEscape(id), nil)
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
			return refusal(r, resp)
		}
		if body, err = io.ReadAll(resp.Body); err != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
		return nil
	})
	return body, err
}
