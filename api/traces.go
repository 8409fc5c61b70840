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
	"levada.dev/events/trace"
	"levada.dev/events/trace/otlp"
)

// traceRow is a trace in a list: what it began with.
type traceRow struct {
	ID       string        `json:"traceId"`
	Kind     trace.Kind    `json:"kind"`
	Name     string        `json:"name"`
	Start    time.Time     `json:"startedAt"`
	Duration float64       `json:"durationMs"`
	Spans    int           `json:"spans"`
	Failed   int           `json:"failed"` // of the spans
	Outcome  trace.Outcome `json:"outcome"`
	Code     string        `json:"code,omitempty"`
}

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
		Traces []traceRow `json:"traces"`
		Next   string     `json:"next,omitempty"`
	}{Traces: []traceRow{}}
	for _, t := range found {
		out.Traces = append(out.Traces, traceRow{t.ID, t.Kind, t.Name, t.Start.UTC(), milliseconds(t.Took), t.Spans, t.Failed, t.Outcome, t.Code})
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
	if err != nil || bad != nil || us < 0 || us > 1<<53 || len(id) != 2*len(trace.Parent{}.Trace) || strings.Trim(id, "0123456789abcdef") != "" {
		return began, "", fault.Invalidf("cursor", "invalid_query", "is not the cursor of a list")
	}
	return time.UnixMicro(us).UTC(), id, nil
}

// spanRow is a span as clients see it: its times are in milliseconds, and begin with the trace.
type spanRow struct {
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
	out := struct {
		ID       string    `json:"traceId"`
		Start    time.Time `json:"startedAt"`
		Duration float64   `json:"durationMs"` // until all of it had ended
		Spans    []spanRow `json:"spans"`
	}{ID: spans[0].Trace, Start: spans[0].Start.UTC()}
	for _, s := range spans {
		from := s.Start.Sub(spans[0].Start)
		out.Duration = max(out.Duration, milliseconds(from+s.Took))
		row := spanRow{s.ID, s.Parent, s.Kind, s.Name, s.Worker, milliseconds(from), milliseconds(s.Took), s.Facts, milliseconds(s.FirstByte), milliseconds(s.Wait)}
		row.Facts.FirstByte, row.Facts.Wait = 0, 0 // told in milliseconds, as all times are
		out.Spans = append(out.Spans, row)
	}
	return c.ok(http.StatusOK, out)
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
