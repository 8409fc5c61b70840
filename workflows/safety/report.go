package safety

import (
	"slices"
	"sync"

	"levada.dev/events"
)

// Told is what of a request's texts is told: the member safety of an answer, and the data of an event safety. What is empty was not found.
type Told struct {
	Input     *Verdict   `json:"input,omitempty"`     // of what the user said
	Arguments []ToolNote `json:"arguments,omitempty"` // of what tools were to be called with
	Sources   []Note     `json:"sources,omitempty"`   // of what a search found
	Results   []ToolNote `json:"results,omitempty"`   // of what tools brought
	Redacted  []string   `json:"redacted,omitempty"`  // of the answer
}

// ToolNote is what was found of one call of a tool.
type ToolNote struct {
	Tool string `json:"tool,omitempty"` // a platform's tool, or as the client calls its own; none where nobody says
	Verdict
	Blocked bool `json:"blocked"` // it was not called, or its result left out
}

// Report gathers what a policy finds in the texts of one request. The zero value is ready. Safe for concurrent use: tools run beside each other, and
// a turn goes on beside its request.
type Report struct {
	mu      sync.Mutex
	told    Told
	blocked bool // the input
	fresh   Told // what News has not told
	worst   Verdict
}

// Said notes the verdict on what the user said; blocked says that it was refused.
func (r *Report) Said(v Verdict, blocked bool) {
	r.note(v, func() {
		if r.told.Input == nil || v.Score > r.told.Input.Score {
			r.told.Input, r.blocked = &v, blocked
			r.fresh.Input = r.told.Input
		}
	})
}

// Called notes the verdict on what a tool was to be called with.
func (r *Report) Called(tool string, v Verdict, blocked bool) {
	r.note(v, func() {
		r.told.Arguments = append(r.told.Arguments, ToolNote{tool, v, blocked})
		r.fresh.Arguments = r.told.Arguments
	})
}

// Brought notes the verdict on what a tool brought.
func (r *Report) Brought(tool string, v Verdict, blocked bool) {
	r.note(v, func() {
		r.told.Results = append(r.told.Results, ToolNote{tool, v, blocked})
		r.fresh.Results = r.told.Results
	})
}

// Retrieved notes what was found of sources.
func (r *Report) Retrieved(notes []Note) {
	for _, n := range notes {
		r.note(n.Verdict, func() {
			r.told.Sources = append(r.told.Sources, n)
			r.fresh.Sources = r.told.Sources
		})
	}
}

func (r *Report) note(v Verdict, add func()) {
	if !v.Found() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worst = worse(r.worst, v)
	add()
}

// Worst is the verdict of the highest score so far.
func (r *Report) Worst() Verdict {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.worst
}

// All is what was found so far; nil where that is nothing.
func (r *Report) All() *Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told.some()
}

// News is what there is that it has not told yet, each list as a whole; nil where that is nothing.
func (r *Report) News() *Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	news := r.fresh.some()
	r.fresh = Told{}
	return news
}

// some is a copy; nil of nothing.
func (t Told) some() *Told {
	if t.Input == nil && len(t.Arguments)+len(t.Sources)+len(t.Results)+len(t.Redacted) == 0 {
		return nil
	}
	t.Arguments, t.Sources, t.Results = slices.Clone(t.Arguments), slices.Clone(t.Sources), slices.Clone(t.Results)
	return &t
}

// Findings is what is put on record: one for each sort of text, the worst of them, with their number.
func (r *Report) Findings() []events.Finding {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []events.Finding
	if v := r.told.Input; v != nil {
		all = append(all, found(events.InInput, "", *v, r.blocked))
	}
	calls := func(in events.TextRole, notes []ToolNote) {
		for i, n := range notes {
			all = gather(all, found(in, below("tools/", n.Tool), n.Verdict, n.Blocked), i == 0)
		}
	}
	calls(events.InArguments, r.told.Arguments)
	for i, n := range r.told.Sources {
		all = gather(all, found(events.InSources, below("documents/", n.DocID), n.Verdict, n.Blocked), i == 0)
	}
	calls(events.InResults, r.told.Results)
	return all
}

// gather adds a finding to the last, which is of the same sort of text unless it is the first of its own.
func gather(all []events.Finding, f events.Finding, first bool) []events.Finding {
	if first {
		return append(all, f)
	}
	last := &all[len(all)-1]
	count, blocked := max(last.Count, 1)+1, last.Blocked || f.Blocked
	if f.Score > last.Score {
		*last = f
	}
	last.Count, last.Blocked = count, blocked
	return all
}

func found(in events.TextRole, target string, v Verdict, blocked bool) events.Finding {
	return events.Finding{In: in, Target: target, Category: string(v.Kind), Rule: v.Rule, Score: v.Score, Blocked: blocked}
}

// below is a place below another; of nobody it is nothing. A document's id is at most 256 characters long, and a tool's name 128.
func below(folder, name string) string {
	if name == "" {
		return ""
	}
	return folder + name
}
