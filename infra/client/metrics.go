package client

import (
	"context"
	"net/url"

	"levada.dev/events/meter/view"
)

// Overview asks for what was counted of the tenant in a period: "1h", "24h" or "7d".
func (c *Client) Overview(ctx context.Context, period string) (view.Overview, error) {
	return get[view.Overview](ctx, c, "/metrics/overview", url.Values{"period": {period}})
}

// SLIs asks how the objectives are kept in a period.
func (c *Client) SLIs(ctx context.Context, period string) (view.SLIs, error) {
	return get[view.SLIs](ctx, c, "/metrics/slis", url.Values{"period": {period}})
}
