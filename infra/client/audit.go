package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"levada.dev/workflows/trail"
)

// TrailPage is a page of what is on record.
type TrailPage struct {
	Entries []trail.Entry `json:"entries"`
	Next    string        `json:"next,omitempty"`
	Head    trail.Head    `json:"head"`
}

const trailPath = "/audit"

// Trail lists what is on record, newest first. A page may be empty and yet have a Next.
func (c *Client) Trail(ctx context.Context, q trail.Query, cursor string, limit int) (TrailPage, error) {
	v := url.Values{"kind": q.Kinds, "name": q.Names, "actor": q.Actors, "outcome": q.Outcomes, "limit": {strconv.Itoa(limit)}}
	for name, value := range map[string]string{"requestId": q.RequestID, "cursor": cursor, "from": moment(q.From), "to": moment(q.To)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return get[TrailPage](ctx, c, trailPath, v)
}

// Chain reads the chain from the entry after a place on, to the end that it has then, line by line, and returns that end. An answer that breaks off is
// asked for again from the last line on, as long as each brings some. It fails with f's error.
func (c *Client) Chain(ctx context.Context, after int64, f func(line []byte) error) (head trail.Head, err error) {
	for {
		before := after
		head, err = c.piece(ctx, &after, f)
		var off brokenOff
		again := errors.As(err, &off) && ctx.Err() == nil
		if err != nil && !again || err == nil && after >= head.Seq || after == before {
			return head, err
		}
	}
}

// brokenOff is an answer that is not whole.
type brokenOff struct{ error }

// Unwrap makes the cause known to errors.As.
func (e brokenOff) Unwrap() error { return e.error }

// piece reads one answer's lines, those that follow the place, which goes on with them.
func (c *Client) piece(ctx context.Context, after *int64, f func(line []byte) error) (head trail.Head, err error) {
	var resp *http.Response
	r := request{method: http.MethodGet, path: trailPath, query: url.Values{"format": {"ndjson"}, "after": {strconv.FormatInt(*after, 10)}}, accept: "application/x-ndjson"}
	err = c.patiently(ctx, func() (err error) {
		if resp, err = c.send(ctx, r); err != nil || resp.StatusCode == http.StatusOK {
			return err
		}
		defer resp.Body.Close()
		return refusal(r, resp)
	})
	if err != nil {
		return head, err
	}
	defer resp.Body.Close()
	seq, hash, _ := strings.Cut(resp.Header.Get("X-Audit-Head"), " ")
	head.Hash = hash // none, when the last entry cannot be read
	if head.Seq, err = strconv.ParseInt(seq, 10, 64); err != nil {
		return head, fmt.Errorf("GET %s: the answer does not say where the chain ends", trailPath)
	}
	lines := bufio.NewReader(resp.Body)
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF && len(line) == 0 {
			return head, nil
		}
		if err != nil {
			return head, brokenOff{fmt.Errorf("GET %s: the answer is not whole: %w", trailPath, err)}
		}
		if err := f(line); err != nil {
			return head, err
		}
		var e struct{ Seq int64 }
		if err := json.Unmarshal(line, &e); err != nil {
			return head, err
		}
		*after = e.Seq
	}
}
