package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"

	"levada.dev/workflows/chat"
)

// Sessions lists the tenant's conversations, the most recently used first.
func (c *Client) Sessions(ctx context.Context) iter.Seq2[chat.Listed, error] {
	return pages(ctx, c, "/sessions", url.Values{}, func(l chat.Listing) ([]chat.Listed, string) { return l.Sessions, l.Cursor })
}

// ExportSession writes all that is kept of a conversation: one JSON document.
func (c *Client) ExportSession(ctx context.Context, id string, w io.Writer) error {
	return c.patiently(ctx, func() error {
		r := request{method: http.MethodGet, path: "/sessions/" + url.PathEscape(id) + "/export"}
		resp, err := c.send(ctx, r)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			_, err := open(r, resp)
			return err
		}
		_, err = io.Copy(w, resp.Body)
		return err
	})
}
