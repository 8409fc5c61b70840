package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/workflows/letters"
)

// letterFilter is which letters a command is about, by its flags.
type letterFilter struct {
	Types, Reasons, Stages []string
	DocID                  string
	Since, Until           string
}

func (o *letterFilter) bind(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&o.Types, "type", nil, "only of events of this type; may be repeated")
	f.StringArrayVar(&o.Reasons, "reason", nil, "only those that failed with this code; may be repeated")
	f.StringArrayVar(&o.Stages, "stage", nil, "only of documents that failed at this stage: "+oneOf(letters.Stages)+"; may be repeated")
	f.StringVar(&o.DocID, "doc", "", "only about this document")
	f.StringVar(&o.Since, "since", "", "only from then on: a time, a day, or how long ago, such as 2026-11-22T08:00:00Z, 2026-11-22, 90m or 7d")
	f.StringVar(&o.Until, "until", "", "only before then")
}

// query is what the flags say.
func (o *letterFilter) query(now time.Time) (q letters.Query, err error) {
	q = letters.Query{Types: o.Types, Codes: o.Reasons, Stages: o.Stages, DocID: o.DocID}
	if q.From, err = pastTime("since", o.Since, now); err != nil {
		return q, err
	}
	if q.To, err = pastTime("until", o.Until, now); err != nil {
		return q, err
	}
	for _, stage := range o.Stages {
		if err := among("stage", stage, letters.Stages); err != nil {
			return q, err
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, usagef("--until %s: is not after --since %s", o.Until, o.Since)
	}
	if err := q.Check(); err != nil {
		flags := map[string]string{"types": "type", "codes": "reason", "stages": "stage", "docId": "doc"}
		return q, usagef("--%s: %s", flags[fault.As(err).Field], fault.As(err).Message)
	}
	return q, nil
}

// pastTime reads a time, a day, which is its beginning in UTC, or how long ago; the zero time for nothing.
func pastTime(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	ago, unit := text, time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		ago, unit = days+"h", 24
	}
	d, err := time.ParseDuration(ago)
	if err != nil || d < 0 {
		return time.Time{}, usagef("--%s %s: not a time, such as 2026-11-22T08:00:00Z, 2026-11-22, 90m or 7d", flag, text)
	}
	return now.Add(-d * unit), nil
}

// listLetters prints a line for each letter.
func listLetters(w io.Writer, ls []letters.Letter) {
	t := newTable(column{name: "when", spare: 2}, column{name: "stage", spare: 1}, "reason", "about", column{name: "attempts", spare: 3}, column{name: "trace", spare: 4}, column{name: "letter", id: true})
	for _, l := range ls {
		reason := l.Code
		if !l.Replayed.IsZero() {
			reason += ", replayed"
		}
		t.add(l.At.UTC().Format(time.DateTime), cmp.Or(l.Stage, l.Queue), reason, about(l), l.Attempts, traceOf(l), l.ID)
	}
	t.draw(w)
}

// about is what a letter is about, shortened to what a table has room for.
func about(l letters.Letter) string {
	what := cmp.Or(l.DocID, l.Subject, "-")
	if runes := []rune(what); len(runes) > 40 {
		what = string(runes[:39]) + "…"
	}
	return what
}

// traceOf is the trace of a letter.
func traceOf(l letters.Letter) string {
	parts := strings.Split(l.TraceParent, "-")
	if len(parts) != 4 {
		return "-"
	}
	return parts[1]
}

// countLetters prints how many letters there are, and of what.
func countLetters(w io.Writer, n letters.Count) {
	t := newTable("by", "", "letters")
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{{"reason", n.Codes}, {"stage", n.Stages}, {"type", n.Types}} {
		for _, name := range mostFirst(part.counts) {
			t.add(part.name, name, part.counts[name])
		}
		t.line()
	}
	t.draw(w)
	atLeast := ""
	if n.Capped {
		atLeast = "at least "
	}
	fmt.Fprintf(w, "%s%s, from %s to %s (UTC)\n", atLeast, plural(n.Total, "letter"), n.Oldest.UTC().Format(time.DateTime), n.Newest.UTC().Format(time.DateTime))
}

// mostFirst is the names of counts, the largest first.
func mostFirst(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
}

// plural is a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// indented prints JSON for people and programs.
func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
