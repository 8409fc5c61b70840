package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/trail"
)

// auditParameters are those of the list of the trail's entries, and of the chain.
var auditParameters = []string{"kind", "name", "actor", "outcome", "requestId", "from", "to", "cursor", "limit", "format", "after"}

// trailPage is a page of the trail. Its entries are as they were chained.
type trailPage struct {
	Entries []json.RawMessage `json:"entries"`
	Next    string            `json:"next,omitempty"`
	Head    trail.Head        `json:"head"`
}

// showTrail answers what is on record, newest first; or the chain as it is, with ?format=ndjson.
func showTrail(c *call) error {
	switch format := c.r.URL.Query().Get("format"); format {
	case "", "json":
		return c.listTrail()
	case "ndjson":
		return c.tellChain()
	default:
		return fault.Invalidf("format", "invalid_query", "is json or ndjson, not %.40q", format)
	}
}

func (c *call) listTrail() error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	if page.query.Has("after") {
		return fault.Invalidf("after", "invalid_query", "goes with format=ndjson; a list goes on with cursor")
	}
	q, err := trailQuery(page.query)
	if err != nil {
		return err
	}
	began := c.opts.Now()
	found, err := c.Trail.List(c.ctx(), c.scope, q, page.cursor, min(page.limit, trail.MaxPage))
	c.stage("trail", began)
	if err != nil {
		return asQuery(fmt.Errorf("list the trail: %w", err))
	}
	out := trailPage{Entries: make([]json.RawMessage, len(found.Entries)), Next: found.Next, Head: found.Head}
	for i, line := range found.Entries {
		out.Entries[i] = json.RawMessage(line)
	}
	return c.ok(http.StatusOK, out)
}

// trailQuery reads which entries are meant.
func trailQuery(values url.Values) (q trail.Query, err error) {
	q = trail.Query{
		Kinds: values["kind"], Names: values["name"], Actors: values["actor"], Outcomes: values["outcome"], RequestID: values.Get("requestId"),
	}
	if q.From, err = moment(values, "from"); err != nil {
		return q, err
	}
	if q.To, err = moment(values, "to"); err != nil {
		return q, err
	}
	if f := q.Check(); f != nil {
		names := map[string]string{"kinds": "kind", "names": "name", "actors": "actor", "outcomes": "outcome", "requestId": "requestId", "to": "to"}
		return q, fault.Invalidf(names[fault.As(f).Field], "invalid_query", "%s", fault.As(f).Message)
	}
	return q, nil
}

// maxLines is how many lines one answer has: whoever wants more asks again, after the last one.
const maxLines = 50_000

// tellChain answers the chain from a place on, a line for each entry, to the end that it has when it begins. The header X-Audit-Head tells that
// end, so whoever has fewer lines knows.
func (c *call) tellChain() error {
	values := c.r.URL.Query()
	for name := range values {
		if name != "format" && name != "after" && name != "limit" {
			return fault.Invalidf(name, "invalid_query", "the chain is told whole: filters and cursors go with format=json")
		}
	}
	after, err := wholeNumber(values, "after", 0, 0, 1<<52)
	if err != nil {
		return err
	}
	left, err := wholeNumber(values, "limit", maxLines, 1, maxLines)
	if err != nil {
		return err
	}
	var end trail.Head
	for first := true; first || left > 0 && after < end.Seq; first = false {
		began := c.opts.Now()
		limit := min(left, trail.MaxLines)
		if !first {
			limit = min(limit, end.Seq-after)
		}
		piece, err := c.Trail.Chain(c.ctx(), c.scope, after, int(limit))
		if err != nil {
			return fmt.Errorf("read the trail: %w", err) // without an end: what the client has is not all of it
		}
		if first {
			c.stage("trail", began)
			end = piece.Head
			c.w.Header().Set("X-Audit-Head", strings.TrimSpace(strconv.FormatInt(end.Seq, 10)+" "+end.Hash))
			if c.openLines() {
				return nil
			}
		}
		if len(piece.Lines) == 0 { // what should be there was removed
			return nil
		}
		for _, line := range piece.Lines {
			if _, err := c.w.Write([]byte(line + "\n")); err != nil {
				return err
			}
		}
		after, left = piece.Last, left-int64(len(piece.Lines))
	}
	return nil
}

// wholeNumber reads a parameter that is a number between two.
func wholeNumber(values url.Values, name string, usual, least, most int64) (int64, error) {
	if !values.Has(name) {
		return usual, nil
	}
	n, err := strconv.ParseInt(values.Get(name), 10, 64)
	if err != nil || n < least || n > most {
		return 0, fault.Invalidf(name, "invalid_query", "is not a number between %d and %d", least, most)
	}
	return n, nil
}
