package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"levada.dev/workflows/corpus"
)

// searchable says which version searches show.
func searchable(d corpus.Document) string {
	switch d.Searchable {
	case 0:
		return "no"
	case d.Generation:
		return "yes"
	}
	return fmt.Sprintf("version %d", d.Searchable)
}

// whyNot says in words why the newest version is not what searches show, and what happens next.
func whyNot(w *corpus.NotSearchable) string {
	if w == nil {
		return ""
	}
	s := strings.ReplaceAll(w.Code, "_", " ")
	if w.Stage != "" {
		s += " at " + string(w.Stage)
	}
	s += ": " + w.Message
	if w.Error != "" && w.Error != w.Message {
		s += " (" + w.Error + ")"
	}
	if w.Before > 0 {
		s += fmt.Sprintf("; %s before it", count(w.Before, "document"))
	}
	if w.Attempts > 1 {
		s += fmt.Sprintf("; %d attempts", w.Attempts)
	}
	if !w.Next.IsZero() {
		s += "; again at " + when(w.Next)
	}
	return s
}

// nextStep is what to do about it, when there is something.
func nextStep(w *corpus.NotSearchable) string {
	if w == nil {
		return ""
	}
	return w.Hint
}

// document shows all of one document.
func (v view) document(d corpus.Document) error {
	if v.JSON {
		return printJSON(v.Stdout, d)
	}
	var meta []string
	for _, name := range slices.Sorted(maps.Keys(d.Metadata)) {
		meta = append(meta, fmt.Sprintf("%s=%v", name, d.Metadata[name]))
	}
	rows := []row{
		{"document", d.ID}, {"title", d.Title}, {"source", d.Source}, {"url", d.URL}, {"metadata", strings.Join(meta, ", ")},
		{"type", fmt.Sprintf("%s, %s", d.ContentType, count(d.Bytes, "byte"))}, {"version", fmt.Sprintf("%d, %s", d.Generation, d.State)},
		{"searchable", searchable(d)}, {"why not", whyNot(d.Why)}, {"what to do", nextStep(d.Why)}, {"chunks", fmt.Sprint(d.Chunks)},
	}
	if d.Cost.Tokens > 0 {
		rows = append(rows, row{"cost", cost(d.Cost)})
	}
	printRows(v.Stdout, append(rows, row{"job", d.JobID}, row{"import", d.ImportID}, row{"created", when(d.CreatedAt)}, row{"changed", when(d.UpdatedAt)}))
	if len(d.Stages) > 0 {
		t := newTable("stage", "done", "of", "at", column{name: "attempts", sparse: true}, column{name: "error", sparse: true})
		for _, s := range d.Stages {
			t.add(s.Stage, s.Done, s.Total, when(s.At), more(s.Attempts), s.Error)
		}
		t.draw(v.Stdout)
	}
	if len(d.Versions) > 0 {
		t := newTable("version", "state", column{name: "searchable", sparse: true}, column{name: "bytes", spare: 1}, column{name: "chunks", spare: 2}, "submitted",
			column{name: "reason", sparse: true})
		for _, o := range d.Versions {
			shown := ""
			if o.Searchable {
				shown = "yes"
			}
			t.add(o.Generation, o.State, shown, o.Bytes, o.Chunks, when(o.At), o.Reason)
		}
		t.draw(v.Stdout)
	}
	return nil
}

// more leaves the usual single attempt out of a table.
func more(attempts int) string {
	if attempts <= 1 {
		return ""
	}
	return fmt.Sprint(attempts)
}
