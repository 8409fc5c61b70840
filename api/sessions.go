package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// listSessions answers the tenant's sessions, the most recently used first.
func listSessions(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	user := page.query.Get("userId")
	if err := checkUser("userId", user); err != nil {
		return err
	}
	began := c.opts.Now()
	listing, err := c.Shelf.List(c.ctx(), c.scope, user, page.cursor, page.limit)
	c.stage("shelf", began)
	if err != nil {
		return asQuery(fmt.Errorf("list the sessions: %w", err))
	}
	if listing.Sessions == nil {
		listing.Sessions = []chat.Listed{}
	}
	return c.ok(http.StatusOK, listing)
}

// showSession answers what was said in a session, the oldest that is kept first.
func showSession(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	t, err := c.transcript(page.cursor, page.limit)
	if err != nil {
		return err
	}
	return c.ok(http.StatusOK, t)
}

// transcript reads one page of the session that the path names.
func (c *call) transcript(cursor string, limit int) (chat.Transcript, error) {
	id, err := c.sessionID()
	if err != nil {
		return chat.Transcript{}, err
	}
	began := c.opts.Now()
	t, err := c.Sessions.Transcript(c.ctx(), c.scope, id, cursor, limit)
	c.stage("session", began)
	if err != nil {
		return chat.Transcript{}, asQuery(fmt.Errorf("transcript: %w", err))
	}
	if t.Messages == nil {
		t.Messages = []chat.Entry{}
	}
	t.Summary = c.redacted(t.Summary)
	for i := range t.Messages {
		c.redactEntry(&t.Messages[i])
	}
	return t, nil
}

// redactEntry leaves personal data out of an answer that was kept before the policy wanted that: one that was kept since has none.
func (c *call) redactEntry(e *chat.Entry) {
	if c.config.Safety.Answers != tenants.RedactOn || e.Role != llm.Assistant {
		return
	}
	e.Content = c.redacted(e.Content)
	var cited []map[string]any
	if len(e.Citations) == 0 || json.Unmarshal(e.Citations, &cited) != nil {
		return
	}
	changed := false
	for _, citation := range cited {
		sentence, _ := citation["sentence"].(string)
		told := c.redacted(sentence)
		changed = changed || told != sentence
		citation["sentence"] = told
	}
	if b, err := json.Marshal(cited); err == nil && changed {
		e.Citations = b
	}
}

// deleteSession forgets a session.
func deleteSession(c *call) error {
	id, err := c.sessionID()
	if err != nil {
		return err
	}
	began := c.opts.Now()
	err = c.Sessions.Delete(c.ctx(), c.scope, id)
	c.stage("session", began)
	if err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return c.ok(http.StatusOK, struct {
		SessionID string `json:"sessionId"`
		Deleted   bool   `json:"deleted"`
	}{id, true})
}

// sessionID is the session of the path. What no session can be called is not there.
func (c *call) sessionID() (string, error) {
	id := c.r.PathValue("id")
	if chat.CheckSessionID(id) != nil {
		return "", fault.Missing("session_not_found", "there is no such session")
	}
	return id, nil
}

// page is which part of a list is wanted.
type page struct {
	query  url.Values
	cursor string
	limit  int
}

const (
	usualPage   = 50
	largestPage = 200
	maxCursor   = 1 << 10
)

// pageOf reads ?cursor= and ?limit=.
func pageOf(u *url.URL) (page, error) {
	p := page{limit: usualPage}
	if u.RawQuery == "" {
		return p, nil
	}
	p.query = u.Query()
	if p.cursor = p.query.Get("cursor"); len(p.cursor) > maxCursor {
		return p, fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	if p.query.Has("limit") {
		var err error
		if p.limit, err = strconv.Atoi(p.query.Get("limit")); err != nil || p.limit < 1 || p.limit > largestPage {
			return p, fault.Invalidf("limit", "invalid_query", "is not a number between 1 and %d", largestPage)
		}
	}
	return p, nil
}

// asQuery says of a cursor that is none what is said of every query.
func asQuery(err error) error {
	if f := fault.As(err); f.Kind == fault.Invalid && f.Field == "cursor" {
		return fault.Invalidf("cursor", "invalid_query", "%s", f.Message)
	}
	return err
}
