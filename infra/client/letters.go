package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"levada.dev/workflows/letters"
)

// LetterPage is a page of dead letters, and how many match in all when that was asked for.
type LetterPage struct {
	letters.Page
	Count *letters.Count `json:"count,omitempty"`
}

// Letters lists dead letters, newest first, without their bodies. A page may be empty and yet have a Next.
func (c *Client) Letters(ctx context.Context, q letters.Query, cursor string, limit int, count bool) (LetterPage, error) {
	v := url.Values{"type": q.Types, "reason": q.Codes, "stage": q.Stages, "id": q.IDs, "limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"docId": q.DocID, "cursor": cursor, "from": moment(q.From), "to": moment(q.To)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Replayed != nil {
		v.Set("replayed", strconv.FormatBool(*q.Replayed))
	}
	if count {
		v.Set("count", "true")
	}
	return get[LetterPage](ctx, c, "/events", v)
}

// Letter asks for one dead letter, with its body.
func (c *Client) Letter(ctx context.Context, id string) (letters.Letter, error) {
	return get[letters.Letter](ctx, c, "/events/"+url.PathEscape(id), nil)
}

// CountReplay counts the dead letters that a replay would send again.
func (c *Client) CountReplay(ctx context.Context, q letters.Query) (letters.Replayed, error) {
	return c.replay(ctx, q, "", 0, true)
}

// Replay has dead letters sent again, so many at most, from the cursor on. Each goes out once, so a call may be repeated.
func (c *Client) Replay(ctx context.Context, q letters.Query, cursor string, limit int) (letters.Replayed, error) {
	return c.replay(ctx, q, cursor, limit, false)
}

func (c *Client) replay(ctx context.Context, q letters.Query, cursor string, limit int, dryRun bool) (letters.Replayed, error) {
	return post[letters.Replayed](ctx, c, "/events/replay", struct {
		Types  []string `json:"types,omitempty"`
		Codes  []string `json:"codes,omitempty"`
		Stages []string `json:"stages,omitempty"`
		IDs    []string `json:"ids,omitempty"`
		DocID  string   `json:"docId,omitempty"`
		From   string   `json:"from,omitempty"`
		To     string   `json:"to,omitempty"`
		Cursor string   `json:"cursor,omitempty"`
		Limit  int      `json:"limit,omitempty"`
		DryRun bool     `json:"dryRun,omitempty"`
	}{q.Types, q.Codes, q.Stages, q.IDs, q.DocID, moment(q.From), moment(q.To), cursor, limit, dryRun})
}

// moment is a time as the API takes it; empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
