package api

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/meter"
	"levada.dev/events/meter/view"
	"levada.dev/events/trace"
	"levada.dev/events/trace/otlp"
)

// largestTraces is how many one answer lists.
const largestTraces = 100

// listTraces answers the traces that are kept, the newest first.
func listTraces(c *call) error {
	page, err := pageOf(c.r.URL)
	if err != nil {
		return err
	}
	q := meter.TraceQuery{Name: page.query.Get("name"), Limit: min(page.limit, largestTraces)}
	switch page.query.Get("failed") {
	case "true":
		q.Failed = true
	case "", "false":
	default:
		return fault.Invalidf("failed", "invalid_query", "is neither true nor false")
	}
	if q.Before, q.ID, err = placeOfCursor(page.cursor); err != nil {
		return err
	}
	began := c.opts.Now()
	found, err := c.Meters.Traces(c.ctx(), c.scope, q)
	c.stage("meters", began)
	if err != nil {
		return fmt.Errorf("list the traces: %w", err)
	}
	out := struct {
		Traces []view.Trace `json:"traces"`
		Next   string       `json:"next,omitempty"`
	}{Traces: []view.Trace{}}
	for _, t := range found {
		out.Traces = append(out.Traces, view.TraceOf(t))
	}
	if len(found) == q.Limit {
		last := found[len(found)-1]
		out.Next = cursorOfPlace(last.Start, last.ID)
	}
	return c.ok(http.StatusOK, out)
}

// cursorOfPlace is the cursor after a trace that began at a time, to the microsecond, as traces are kept.
func cursorOfPlace(began time.Time, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(began.UnixMicro(), 36) + "." + id))
}

func placeOfCursor(cursor string) (began time.Time, id string, err error) {
	if cursor == "" {
		return began, "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	at, id, _ := strings.Cut(string(text), ".")
	us, bad := strconv.ParseInt(at, 36, 64)
	if err != nil || bad != nil || us < 0 || us > 1<<53 || !trace.IsID(id, 32) {
		return began, "", fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	return time.UnixMicro(us).UTC(), id, nil
}

// showTrace answers all that is kept of a trace, as this API tells it or as OTLP's JSON.
func showTrace(c *call) error {
	id := c.r.PathValue("id")
	foreign := wantsOTLP(c.r.Header.Get("Accept"))
	switch c.r.URL.Query().Get("format") {
	case "otlp":
		foreign = true
	case "json":
		foreign = false
	case "":
	default:
		return fault.Invalidf("format", "invalid_query", "is neither json nor otlp")
	}
	began := c.opts.Now()
	spans, err := c.Meters.Trace(c.ctx(), c.scope, id)
	c.stage("meters", began)
	if err != nil {
		return fmt.Errorf("trace: %w", err)
	}
	if len(spans) == 0 {
		return fault.Missing("trace_not_found", "no trace %.40q", id)
	}
	c.w.Header().Add("Vary", "Accept")
	if foreign {
		body, err := otlp.Marshal(string(c.scope.Tenant()), spans)
		if err != nil {
			return fmt.Errorf("trace: %w", err)
		}
		c.w.Header().Set("Content-Type", otlp.ContentType)
		c.w.Header().Set("Cache-Control", "no-store")
		c.send(http.StatusOK, body)
		return nil
	}
	return c.ok(http.StatusOK, view.SpansOf(spans))
}

// wantsOTLP reports whether a header Accept names "application/json; profile=otlp".
func wantsOTLP(accept string) bool {
	for media, params := range accepted(accept) {
		if media == jsonType && params["profile"] == "otlp" {
			return true
		}
	}
	return false
}
