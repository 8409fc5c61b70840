package eval

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/workflows/job"
)

//go:embed tenants
var configs embed.FS

// tenant is whose documents the collections are.
const tenant = "eval"

// sourcesOfAnswer is how many sources an answer is made of: what tenants have by default.
const sourcesOfAnswer = 10

// Run measures collections, each on a platform of its own, so that none is in another's index.
type Run struct {
	Root, Dir   string
	Collections []Collection
	Modes       []string
	Answers     int    // how many questions of each are answered, besides as many that have no answer; 0 for none
	Commit      string // of what is measured, which results say
	Keep        *Kept  // results that are there already, and where new ones go; nil for nowhere
	Progress    Progress
}

// Progress hears how far a step of the run is; a total of 0 is a step that is not counted.
type Progress func(step string, done, total int)

// Result is what came out for a collection.
type Result struct {
	Name      string              `json:"collection"`
	Commit    string              `json:"commit,omitempty"`
	When      time.Time           `json:"when"`
	Documents int                 `json:"documents"`
	Questions int                 `json:"questions"`
	Ingest    time.Duration       `json:"ingestNs"`
	BM25      Measured            `json:"bm25"`
	Modes     map[string]Measured `json:"modes"`
	Answers   *Answers            `json:"answers,omitempty"`
}

// Run ingests, asks and scores. A collection whose result is kept is not measured again.
func (r Run) Run(ctx context.Context) ([]Result, error) {
	var out []Result
	for i, c := range r.Collections {
		others := r.others(i)
		key, err := r.key(c, others)
		if err != nil {
			return out, err
		}
		result, there := r.Keep.Find(key)
		if there {
			r.Progress(c.Name+": measured before", 0, 0)
		} else {
			if result, err = r.collection(ctx, c, others); err != nil {
				return out, err
			}
			if err := r.Keep.Put(key, result); err != nil {
				return out, err
			}
		}
		out = append(out, result)
	}
	return out, nil
}

// others is the collection whose questions the i-th cannot answer: the next one with the fewest questions in common. A translation has them
// all in common, and its documents have the answers.
func (r Run) others(i int) (others *Collection) {
	own := map[string]bool{}
	for _, q := range r.Collections[i].Questions {
		own[q.ID] = true
	}
	least := 1.0
	for k := 1; k < len(r.Collections); k++ {
		c := &r.Collections[(i+k)%len(r.Collections)]
		common := 0
		for _, q := range c.Questions {
			count(&common, own[q.ID])
		}
		if share := part(common, len(c.Questions)); share < least {
			least, others = share, c
		}
	}
	return others
}

func (r Run) collection(ctx context.Context, c Collection, others *Collection) (Result, error) {
	result := Result{
		Name: c.Name, Commit: r.Commit, When: time.Now(), Documents: len(c.Documents), Questions: len(c.Questions), BM25: Reference(c), Modes: map[string]Measured{},
	}
	tenants, err := fs.Sub(configs, "tenants")
	if err != nil {
		return result, err
	}
	p, err := local.Start(ctx, local.Options{
		Root: r.Root, State: filepath.Join(r.Dir, c.Name), Build: filepath.Join(r.Dir, "roles"), Tenants: tenants, Version: "eval",
		Progress: func(what string) { r.Progress(c.Name+": "+what, 0, 0) },
	})
	if err != nil {
		return result, err
	}
	defer p.Stop()
	who := client.New(p.URL, p.Keys[tenant], &client.Options{Tenant: tenant})
	began := time.Now()
	if err := r.ingest(ctx, who, c); err != nil {
		return result, err
	}
	result.Ingest = time.Since(began)
	for _, mode := range r.Modes {
		m, err := Ask(ctx, c, mode, searcher(who), r.counter(c.Name+": "+mode, len(c.Questions)))
		if err != nil {
			return result, err
		}
		result.Modes[mode] = m
	}
	if r.Answers > 0 {
		a, err := Answer(ctx, c, others, r.Answers, answerer(who), r.counter(c.Name+": answers", toAnswer(c, others, r.Answers)))
		if err != nil {
			return result, err
		}
		a.Threshold = float64(p.Tenants[0].Answers.Threshold) / 100
		result.Answers = &a
	}
	return result, nil
}

func searcher(c *client.Client) Asker {
	return func(ctx context.Context, mode, question string) ([]string, bool, error) {
		found, err := c.SearchBy(ctx, mode, question, Depth)
		if err != nil {
			return nil, false, err
		}
		ids := make([]string, 0, len(found.Sources))
		for _, s := range found.Sources {
			ids = append(ids, s.DocID)
		}
		return ids, found.Cached, nil
	}
}

func answerer(c *client.Client) Answerer {
	return func(ctx context.Context, question string, filter json.RawMessage) (client.Answered, error) {
		return c.Answer(ctx, client.Question{Query: question, TopK: sourcesOfAnswer, Filter: filter})
	}
}

// ingest hands all documents in as one import and follows it to its end.
func (r Run) ingest(ctx context.Context, who *client.Client, c Collection) error {
	in, err := who.IngestBatch(ctx, client.Batch{Documents: func(yield func(client.Document) bool) {
		for _, d := range c.Documents {
			if !yield(client.Document{DocID: d.ID, Title: d.Title, Text: d.Text, ContentType: "text/plain", Source: c.Name}) {
				return
			}
		}
	}})
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	step := c.Name + ": ingest"
	j, err := who.Follow(ctx, in.JobID, func(j job.Job) { r.Progress(step, min(j.Counts.Done, len(c.Documents)-1), len(c.Documents)) })
	if err != nil {
		return fmt.Errorf("%s: %w", c.Name, err)
	}
	if j.State != job.Succeeded || j.Counts.Done != len(c.Documents) {
		return fmt.Errorf("%s: import %s: %d of %d documents are searchable: %v", c.Name, j.State, j.Counts.Done, len(c.Documents), j.Errors)
	}
	r.Progress(step, len(c.Documents), len(c.Documents))
	return nil
}

// counter counts a step's questions.
func (r Run) counter(step string, total int) func() {
	done := 0
	return func() {
		done++
		r.Progress(step, done, total)
	}
}
