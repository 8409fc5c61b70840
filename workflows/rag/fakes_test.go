package rag_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
)

// embedder embeds a number as itself: "7" lies at 7.
type embedder struct {
	calls []llm.Call
	err   error
}

func (e *embedder) Embed(_ context.Context, _ tenants.Scope, c llm.Call, texts []string) (llm.Embedded, error) {
	e.calls = append(e.calls, c)
	out := llm.Embedded{}
	for _, t := range texts {
		var at float32
		fmt.Sscan(t, &at)
		out.Vectors = append(out.Vectors, []float32{at})
	}
	return out, e.err
}

// index is a number line for each tenant; the nearer the better.
type index struct {
	points  map[tenants.ID][]corpus.Vector
	queries []corpus.VectorQuery
	models  []string
	err     error
}

func (x *index) Upsert(_ context.Context, s tenants.Scope, _ string, vs []corpus.Vector) error {
	x.points[s.Tenant()] = append(x.points[s.Tenant()], vs...)
	return nil
}

func (x *index) Delete(context.Context, tenants.Scope, string, []string) error { return nil }

func (x *index) Query(_ context.Context, s tenants.Scope, model string, q corpus.VectorQuery) ([]corpus.Match, error) {
	x.queries, x.models = append(x.queries, q), append(x.models, model)
	var found []corpus.Match
	for _, v := range x.points[s.Tenant()] {
		distance := float64(v.Values[0] - q.Values[0])
		found = append(found, corpus.Match{ID: v.ID, Score: 1 / (1 + distance*distance), Metadata: v.Metadata})
	}
	slices.SortStableFunc(found, func(a, b corpus.Match) int {
		return -int((a.Score - b.Score) * 1e9)
	})
	return found[:min(len(found), q.TopK)], x.err
}

func (x *index) Processed(context.Context, string) (time.Time, error) { return time.Time{}, nil }

// ledger knows documents by tenant and id.
type ledger struct {
	documents map[tenants.ID][]corpus.Document
	asked     [][]string
	err       error
}

func (l *ledger) Documents(_ context.Context, s tenants.Scope, ids []string) ([]corpus.Document, error) {
	l.asked = append(l.asked, ids)
	var found []corpus.Document
	for _, id := range ids {
		for _, d := range l.documents[s.Tenant()] {
			if d.ID == id {
				found = append(found, d)
			}
		}
	}
	return found, l.err
}

func (l *ledger) Submit(context.Context, tenants.Scope, corpus.Submission) (corpus.Receipt, error) {
	return corpus.Receipt{}, nil
}

func (l *ledger) Advance(context.Context, tenants.Scope, []corpus.Progress) ([]corpus.Verdict, error) {
	return nil, nil
}

func (l *ledger) Job(context.Context, tenants.Scope, string) (job.Job, error) { return job.Job{}, nil }

func (l *ledger) set(s tenants.Scope, id string, searchable int) {
	d := corpus.Document{ID: id, Searchable: searchable}
	d.Title, d.Source = strings.ToUpper(id), "wiki"
	l.documents[s.Tenant()] = append(l.documents[s.Tenant()], d)
}
