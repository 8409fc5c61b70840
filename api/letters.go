package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/letters"
)

// Replayer has dead letters sent again; *replay.Replayer is the one there is.
//
// Each matching letter goes out once, however often it is called. Safe for concurrent use.
type Replayer interface {
	Replay(ctx context.Context, s tenants.Scope, r letters.Replay) (letters.Replayed, error)
}

// letterList is a page of dead letters, and how many match in all when that was asked for.
type letterList struct {
	letters.Page
	Count *letters.Count `json:"count,omitempty"`
}

// listLetters answers the tenant's dead letters, newest first.
func listLetters(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	q, err := letterQuery(page.query)
	if err != nil {
		return err
	}
	bodies, err := boolean(page.query, "body")
	if err != nil {
		return err
	}
	counted, err := boolean(page.query, "count")
	if err != nil {
		return err
	}
	began := c.opts.Now()
	list := letterList{}
	list.Page, err = c.Letters.List(c.ctx(), c.scope, q, page.cursor, min(page.limit, letters.MaxPage), bodies)
	if err != nil {
		return asQuery(fmt.Errorf("list the letters: %w", err))
	}
	if counted {
		n, err := c.Letters.Count(c.ctx(), c.scope, q)
		if err != nil {
			return fmt.Errorf("count the letters: %w", err)
		}
		list.Count = &n
	}
	c.stage("letters", began)
	return c.ok(http.StatusOK, list)
}

// showLetter answers one, with its body.
func showLetter(c *call) error {
	began := c.opts.Now()
	page, err := c.Letters.List(c.ctx(), c.scope, letters.Query{IDs: []string{c.r.PathValue("id")}}, "", 1, true)
	c.stage("letters", began)
	if err != nil {
		return fmt.Errorf("find the letter: %w", err)
	}
	if len(page.Letters) == 0 {
		return fault.Missing("letter_not_found", "there is no such letter, or it is not kept any more")
	}
	return c.ok(http.StatusOK, page.Letters[0])
}

// letterQuery reads which letters are meant. A parameter that may be repeated means any of its values; reason and code are one.
func letterQuery(values url.Values) (q letters.Query, err error) {
	q = letters.Query{
		Types: values["type"], Codes: slices.Concat(values["reason"], values["code"]), Stages: values["stage"],
		IDs: values["id"], DocID: values.Get("docId"),
	}
	if q.From, err = moment(values, "from"); err != nil {
		return q, err
	}
	if q.To, err = moment(values, "to"); err != nil {
		return q, err
	}
	if values.Has("replayed") {
		replayed, err := boolean(values, "replayed")
		if err != nil {
			return q, err
		}
		q.Replayed = &replayed
	}
	if f := q.Check(); f != nil {
		names := map[string]string{"types": "type", "codes": "reason", "stages": "stage", "ids": "id", "docId": "docId", "to": "to"}
		return q, fault.Invalidf(names[fault.As(f).Field], "invalid_query", "%s", fault.As(f).Message)
	}
	return q, nil
}

// boolean reads a parameter that is true or false; one that is not there is false.
func boolean(values url.Values, name string) (bool, error) {
	if !values.Has(name) {
		return false, nil
	}
	on, err := strconv.ParseBool(values.Get(name))
	if err != nil {
		return false, fault.Invalidf(name, "invalid_query", "is true or false, not %.40q", values.Get(name))
	}
	return on, nil
}

// moment reads a time, or a day, which is its beginning in UTC; the zero time when there is none.
func moment(values url.Values, name string) (time.Time, error) {
	if !values.Has(name) {
		return time.Time{}, nil
	}
	t, ok := parseMoment(values.Get(name))
	if !ok {
		return t, fault.Invalidf(name, "invalid_query", "%.40q is not a time, such as 2026-11-22T08:00:00Z", values.Get(name))
	}
	return t, nil
}

func parseMoment(text string) (time.Time, bool) {
	for _, form := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

var replayForm = formOf[replayRequest]()

// replayRequest says which letters are to be sent again: those that match all of it, and were not yet.
type replayRequest struct {
	Types  []string `json:"types"`
	Codes  []string `json:"codes"`
	Stages []string `json:"stages"`
	IDs    []string `json:"ids"`
	DocID  string   `json:"docId"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	DryRun bool     `json:"dryRun"`
	Limit  *int     `json:"limit"`
	Cursor string   `json:"cursor"`
}

func (req *replayRequest) query() (letters.Query, error) {
	q := letters.Query{Types: req.Types, Codes: req.Codes, Stages: req.Stages, IDs: req.IDs, DocID: req.DocID}
	for _, f := range []struct {
		name, text string
		into       *time.Time
	}{{"from", req.From, &q.From}, {"to", req.To, &q.To}} {
		if f.text == "" {
			continue
		}
		t, ok := parseMoment(f.text)
		if !ok {
			return q, fault.Invalidf(f.name, "invalid_value", "%.40q is not a time, such as 2026-11-22T08:00:00Z", f.text)
		}
		*f.into = t
	}
	return q, q.Check()
}

// replayLetters has dead letters sent again, or says how many that would be.
func replayLetters(c *call) error {
	req, err := replayForm.decode(c.body)
	if err != nil {
		return err
	}
	q, err := req.query()
	if err != nil {
		return err
	}
	r := letters.Replay{Query: q, Cursor: req.Cursor, Limit: letters.MaxReplay, DryRun: req.DryRun, By: c.keyName(), Cause: c.cause()}
	if req.Limit != nil {
		r.Limit = *req.Limit
	}
	if r.Limit < 1 || r.Limit > letters.MaxReplay {
		return fault.Invalidf("limit", "value_out_of_range", "is not between 1 and %d", letters.MaxReplay)
	}
	if err := c.lettersThere(q.IDs); err != nil {
		return err
	}
	began := c.opts.Now()
	out, err := c.Replayer.Replay(c.ctx(), c.scope, r)
	c.stage("replay", began)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if out.Repeated {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return c.ok(http.StatusOK, out)
}

// lettersThere fails when one of the letters that are named is not there: nobody names it to have nothing done.
func (c *call) lettersThere(ids []string) error {
	for some := range slices.Chunk(ids, letters.MaxPage) {
		began := c.opts.Now()
		page, err := c.Letters.List(c.ctx(), c.scope, letters.Query{IDs: some}, "", letters.MaxPage, false)
		c.stage("letters", began)
		if err != nil {
			return fmt.Errorf("find the letters: %w", err)
		}
		for _, id := range some {
			if !slices.ContainsFunc(page.Letters, func(l letters.Letter) bool { return l.ID == id }) {
				return fault.Missing("letter_not_found", "there is no letter %.80q, or it is not kept any more", id)
			}
		}
	}
	return nil
}

// keyName is the name of the key that the caller has shown; empty where the door is open.
func (c *call) keyName() string {
	if c.key == nil || c.key.grant == nil {
		return ""
	}
	return c.key.grant.ActorAt(c.config.ID)
}
