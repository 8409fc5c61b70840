package eval

import (
	"fmt"
	"strings"
	"time"
)

// Better is the nDCG that hybrid search is measured by: of BM25 and of the vectors alone, the higher.
func (r Result) Better() float64 { return max(r.BM25.NDCG, r.Modes["vector"].NDCG) }

// Own is the same of the platform's own halves.
func (r Result) Own() float64 { return max(r.Modes["keyword"].NDCG, r.Modes["vector"].NDCG) }

// Page is docs/quality.md: made by the command, not by hand.
func Page(results []Result, when time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Quality

Made by %s on %s. Each collection goes through a platform of its own as clients use it: one import, then each question by
%s in each mode, one after the other. Documents are ranked by their best passage. Offline the vectors are those of a small English
encoder with hashed words (docs/design/local-ai.md), not those of the production model: what is measured is the platform.

BM25 is Lucene's (k1 0.9, b 0.4, English stems and stop words) over the same whole documents, by this command, and shares no code with the platform.

## Ranking

| collection | documents | questions | | nDCG@10 | MRR@10 | recall@10 | recall@%d | p50 | p95 |
|---|---:|---:|---|---:|---:|---:|---:|---:|---:|
`, "`task eval`", when.UTC().Format("2006-01-02"), "`POST /search`", Depth)
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %d | %d | BM25 %s\n", r.Name, r.Documents, r.Questions, cells(r.BM25))
		for _, mode := range Modes {
			if m, there := r.Modes[mode]; there {
				fmt.Fprintf(&b, "| | | | %s %s\n", mode, cells(m))
			}
		}
	}
	b.WriteString("\n## Hybrid against its better half\n\n| collection | to the better of BM25 and vectors | to the better of its own halves |\n|---|---:|---:|\n")
	sum, own, n := 0.0, 0.0, 0.0
	for _, r := range results {
		h, there := r.Modes["hybrid"]
		if !there || r.Own() == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %.3f | %.3f |\n", r.Name, h.NDCG/r.Better(), h.NDCG/r.Own())
		sum, own, n = sum+h.NDCG/r.Better(), own+h.NDCG/r.Own(), n+1
	}
	if n > 0 {
		fmt.Fprintf(&b, "| **mean** | **%.3f** | **%.3f** |\n", sum/n, own/n)
	}
	return b.String()
}

func cells(m Measured) string {
	times := "| | |"
	if m.P95 > 0 {
		times = fmt.Sprintf("| %.0f ms | %.0f ms |", ms(m.P50), ms(m.P95))
	}
	return fmt.Sprintf("| %.4f | %.4f | %.4f | %.4f %s", m.NDCG, m.MRR, m.Recall, m.Deep, times)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
