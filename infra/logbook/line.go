package logbook

import (
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Line is a line of the log, as far as people look for it: docs/logs.md has all of its fields. What is no JSON, such as what a process says that dies, has Raw alone.
type Line struct {
	Raw []byte `json:"-"`

	Time       time.Time  `json:"time"`
	Level      slog.Level `json:"level"`
	Message    string     `json:"msg"`
	Worker     string     `json:"worker"`
	Tenant     string     `json:"tenantId"`
	Trace      string     `json:"traceId"`
	Traces     []string   `json:"traceIds"` // of a batch, beside its own
	Request    string     `json:"requestId"`
	Method     string     `json:"method"`
	Route      string     `json:"route"`
	Handler    string     `json:"handler"`
	Type       string     `json:"type"`
	Flow       string     `json:"flow"`
	Step       string     `json:"step"`
	Model      string     `json:"model"`
	Purpose    string     `json:"purpose"`
	Tool       string     `json:"tool"`
	Status     int        `json:"status"`
	Outcome    string     `json:"outcome"`
	Latency    *float64   `json:"latencyMs"`
	Events     int        `json:"events"`
	Failed     int        `json:"failed"`
	Attempt    int        `json:"attempt"`
	Tokens     int64      `json:"tokens"`
	Characters int64      `json:"characters"`
	Cost       string     `json:"cost"`
	Cache      string     `json:"cache"`
	Code       string     `json:"code"`
	Error      string     `json:"error"`
	NotALine   bool       `json:"-"`
}

// Parse reads a line.
func Parse(raw []byte) Line {
	l := Line{}
	if json.Unmarshal(raw, &l) != nil || l.Message == "" {
		l = Line{NotALine: true}
	}
	l.Raw = raw
	return l
}

// Filter says which lines are wanted; what is zero asks for nothing.
type Filter struct {
	Tenant, Worker, Route, Outcome string
	Trace                          string     // or how it begins
	Request                        string     // the whole id
	Level                          slog.Level // this and what is worse; slog.LevelInfo is every line
	Since                          time.Time
}

// Takes reports whether a line is wanted. One that is no JSON is where nothing is asked but a level: it is how a process has died.
func (f Filter) Takes(l Line) bool {
	if l.NotALine {
		return f.Tenant == "" && f.Worker == "" && f.Route == "" && f.Outcome == "" && f.Trace == "" && f.Request == "" && f.Since.IsZero()
	}
	is := func(wanted, has string) bool { return wanted == "" || wanted == has }
	return is(f.Tenant, l.Tenant) && is(f.Worker, l.Worker) && is(f.Route, l.Route) && is(f.Outcome, l.Outcome) && is(f.Request, l.Request) &&
		(f.Trace == "" || strings.HasPrefix(l.Trace, f.Trace) || slices.ContainsFunc(l.Traces, func(t string) bool { return strings.HasPrefix(t, f.Trace) })) &&
		l.Level >= f.Level && !l.Time.Before(f.Since)
}
