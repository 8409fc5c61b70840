package rag

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/llm"
)

// rerank orders the sources by what a model says that has read each of them with the question; boosts count as before. When it cannot be
// had, the order stays.
func (r *Retriever) rerank(ctx context.Context, s tenants.Scope, q Query, out *Result) {
	texts := make([]string, 0, len(out.Sources))
	for i := range out.Sources {
		text := out.Sources[i].Text
		if strings.TrimSpace(text) == "" {
			text = "-" // a model takes no empty text
		}
		texts = append(texts, text)
	}
	if len(texts) == 0 {
		return
	}
	began := r.opts.Now()
	ctx, span := watch.Start(ctx, trace.Search, "rerank")
	ranked, err := r.ports.Reranker.Rerank(ctx, s, llm.Call{Model: llm.DefaultReranker, Purpose: llm.ForRerank, RequestID: q.RequestID}, q.Text, texts)
	out.Timings.Rerank = r.opts.Now().Sub(began)
	if err == nil && (len(ranked.Scores) != len(texts) || slices.ContainsFunc(ranked.Scores, endless)) {
		err = fault.New(fault.Internal, "rerank_count", fmt.Sprintf("%d scores for %d texts, or some that are no numbers", len(ranked.Scores), len(texts)), nil)
	}
	span.End(ctx, err)
	if err != nil {
		out.degrade(PartRerank, err)
		return
	}
	for i := range out.Sources {
		src := &out.Sources[i]
		src.Scores.Rerank = &ranked.Scores[i]
		src.Score = ranked.Scores[i] * src.boost
	}
	slices.SortStableFunc(out.Sources, func(a, b Source) int { return cmp.Compare(b.Score, a.Score) })
}

func endless(score float64) bool { return math.IsNaN(score) || math.IsInf(score, 0) }
