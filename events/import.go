package events

import "levada.dev/events/fault"

// Types of the facts about imports.
const (
	TypeImportStarted   = "dev.levada.import.started.v1"
	TypeImportCompleted = "dev.levada.import.completed.v1"
)

// ImportStarted says that an import was opened: a job follows it, and its documents are going to be taken from where
// they come from, which is one of Parts, URLs, Sitemap and Prefix.
type ImportStarted struct {
	ImportID string   `json:"importId"` // the job's
	Origin   string   `json:"origin"`   // batch, urls, sitemap, prefix
	Parts    int      `json:"parts,omitempty"`
	URLs     []string `json:"urls,omitempty"`
	Sitemap  string   `json:"sitemap,omitempty"`
	Prefix   string   `json:"prefix,omitempty"`
	Source   string   `json:"source,omitempty"`
	Entries  int      `json:"entries,omitempty"` // how many there are, when that is known
}

// Type implements Fact.
func (ImportStarted) Type() string { return TypeImportStarted }

// Subject implements Fact.
func (f ImportStarted) Subject() string { return "imports/" + f.ImportID }

// Identity implements Fact.
func (f ImportStarted) Identity() string { return "" }

// Check implements Fact.
func (f ImportStarted) Check() error {
	if f.ImportID == "" {
		return fault.Invalidf("importId", "fact_invalid", "is required")
	}
	named := map[string]bool{"batch": f.Parts > 0, "urls": len(f.URLs) > 0, "sitemap": f.Sitemap != "", "prefix": f.Prefix != ""}
	for origin, has := range named {
		if has != (origin == f.Origin) {
			return fault.Invalidf("origin", "fact_invalid", "%.32q is not the one origin that the fact has", f.Origin)
		}
	}
	if _, known := named[f.Origin]; !known {
		return fault.Invalidf("origin", "fact_invalid", "%.32q is none of batch, urls, sitemap, prefix", f.Origin)
	}
	if f.Entries < 0 {
		return fault.Invalidf("entries", "fact_invalid", "%d is below 0", f.Entries)
	}
	return nil
}

// ImportCompleted says that every document of an import is final. Total is the sum of Done, Failed and Cancelled.
type ImportCompleted struct {
	ImportID  string `json:"importId"`
	State     string `json:"state"` // of its job: succeeded, failed, cancelled
	Source    string `json:"source,omitempty"`
	Total     int    `json:"total"`
	Done      int    `json:"done"`
	Unchanged int    `json:"unchanged"` // of Done: there was nothing to do
	Failed    int    `json:"failed"`
	Refused   int    `json:"refused"` // of Failed: entries that are no document
	Cancelled int    `json:"cancelled"`
}

// Type implements Fact.
func (ImportCompleted) Type() string { return TypeImportCompleted }

// Subject implements Fact.
func (f ImportCompleted) Subject() string { return "imports/" + f.ImportID }

// Identity implements Fact.
func (f ImportCompleted) Identity() string { return "" }

// Check implements Fact.
func (f ImportCompleted) Check() error {
	switch {
	case f.ImportID == "":
		return fault.Invalidf("importId", "fact_invalid", "is required")
	case f.State != "succeeded" && f.State != "failed" && f.State != "cancelled":
		return fault.Invalidf("state", "fact_invalid", "%.32q is no end", f.State)
	case min(f.Total, f.Done, f.Unchanged, f.Failed, f.Refused, f.Cancelled) < 0:
		return fault.Invalidf("total", "fact_invalid", "a count is below 0")
	case f.Total != f.Done+f.Failed+f.Cancelled:
		return fault.Invalidf("total", "fact_invalid", "%d is not %d done and %d failed and %d cancelled", f.Total, f.Done, f.Failed, f.Cancelled)
	}
	return nil
}
