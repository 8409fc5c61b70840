package eval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what a run has found, and of what.
type Report struct {
	Results []Result
	Server  bool // answers came from a server of whoever ran it, not from the platform's local model
}

// Better is the nDCG that hybrid search is measured by: of BM25 and of the vectors alone, the higher.
func (r Result) Better() float64 { return max(r.BM25.NDCG, r.Modes["vector"].NDCG) }

// Own is the same of the platform's own halves.
func (r Result) Own() float64 { return max(r.Modes["keyword"].NDCG, r.Modes["vector"].NDCG) }

// Ratio is the nDCG of hybrid search to that of the better of BM25 and vectors, and to that of its own better half. There is none of a
// collection that was not searched in all modes.
func (r Result) Ratio() (better, own float64, there bool) {
	h, there := r.Modes["hybrid"]
	if !there || r.Own() == 0 || r.Better() == 0 {
		return 0, 0, false
	}
	return h.NDCG / r.Better(), h.NDCG / r.Own(), true
}

// Mean is the mean of the ratios.
func (r Report) Mean() (better, own float64, there bool) {
	n := 0.0
	for _, c := range r.Results {
		if b, o, there := c.Ratio(); there {
			better, own, n = better+b, own+o, n+1
		}
	}
	return better / max(n, 1), own / max(n, 1), n > 0
}

// Confidence is what confidence said and what was, over all collections, each with its own weight: of all questions whether the sources
// had a document that answers, and of the answers whether they rest on one.
func (r Report) Confidence() (sources, answers Bins) {
	for _, c := range r.Results {
		if c.Answers != nil {
			sources.join(c.Answers.OfSources(), 1)
			answers.join(c.Answers.OfAnswers(), 1)
		}
	}
	return sources, answers
}

// Page is docs/quality.md: made by the command, not by hand. But for the times it is the same for the same platform and collections.
func (r Report) Page() string {
	var b strings.Builder
	r.head(&b)
	r.ranking(&b)
	r.ratios(&b)
	r.answers(&b)
	r.confidence(&b)
	r.times(&b)
	return b.String()
}

func (r Report) head(b *strings.Builder) {
	var commits, days []string
	for _, c := range r.Results {
		commits, days = append(commits, cmp.Or(c.Commit, "an unknown commit")), append(days, c.When.UTC().Format("2006-01-02"))
	}
	fmt.Fprintf(b, `# Quality

Made by %s; measured on %s at %s. Each collection goes through a platform of its own on real workerd as clients use it: one import,
then each question by %s in each mode, one after the other. Documents are ranked by their best passage, of the %d that a search gives at most.

Offline the vectors are those of a small English encoder with hashed words (docs/design/local-ai.md), not those of the production model: what is measured is the platform, and figures of the
vectors alone do not carry over. BM25 is Lucene's (k1 0.9, b 0.4, English stems and stop words) over the same whole documents, by this command; it shares no code with the platform.

`, "`go tool task eval`", different(days), different(commits), "`POST /search`", Depth)
}

// different lists what is different, in its order.
func different(all []string) string {
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}

func (r Report) ranking(b *strings.Builder) {
	fmt.Fprintf(b, "## Ranking\n\n| collection | documents | questions | | nDCG@10 | MRR@10 | recall@10 | recall@%d |\n|---|---:|---:|---|---:|---:|---:|---:|\n", Depth)
	for _, c := range r.Results {
		fmt.Fprintf(b, "| %s | %s | %s | BM25 | %s\n", c.Name, thousands(c.Documents), thousands(c.Questions), scores(c.BM25.Score))
		for _, mode := range Modes {
			if m, there := c.Modes[mode]; there {
				fmt.Fprintf(b, "| | | | %s | %s\n", mode, scores(m.Score))
			}
		}
	}
	b.WriteString("\nA search gives 50 sources at most, so there is no recall@100.\n\nnDCG@10, a mark for each 0.02:\n\n```\n")
	for _, c := range r.Results {
		chart(b, c.Name, "BM25", c.BM25.NDCG)
		for _, mode := range Modes {
			if m, there := c.Modes[mode]; there {
				chart(b, "", mode, m.NDCG)
			}
		}
	}
	b.WriteString("```\n\n")
}

func scores(s Score) string {
	return fmt.Sprintf("%.4f | %.4f | %.4f | %.4f |", s.NDCG, s.MRR, s.Recall, s.Deep)
}

// chart draws a line of a chart.
func chart(b *strings.Builder, name, mode string, value float64) {
	const width = 50
	n := min(max(int(value*width+0.5), 0), width)
	fmt.Fprintf(b, "%-12.12s %-8s %s%s %.3f\n", name, mode, strings.Repeat("█", n), strings.Repeat("·", width-n), value)
}

func (r Report) ratios(b *strings.Builder) {
	b.WriteString(`## Hybrid against its better half

nDCG@10 of hybrid search as a multiple. Asked of it are 0.99 of the better of BM25 and vectors on each collection, and 1.03 on the mean.

| collection | to the better of BM25 and vectors | to the better of its own halves |
|---|---:|---:|
`)
	for _, c := range r.Results {
		if better, own, there := c.Ratio(); there {
			fmt.Fprintf(b, "| %s | %.3f | %.3f |\n", c.Name, better, own)
		}
	}
	if better, own, there := r.Mean(); there {
		fmt.Fprintf(b, "| **mean** | **%.3f** | **%.3f** |\n", better, own)
	}
	b.WriteString("\n")
}

// times is the only part that differs from run to run.
func (r Report) times(b *strings.Builder) {
	b.WriteString(`## Time

Milliseconds until a client has the whole answer, one question at a time, on a machine that does other things as well: searches with 50 sources and their texts, the
encoder of the question included; the same right after, from the cache; and searches of 10 sources with an answer.

| collection | | searches | p50 | p95 | p99 | from the cache | p50 | p95 | p99 |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|
`)
	for _, c := range r.Results {
		name := c.Name
		for _, mode := range Modes {
			if m, there := c.Modes[mode]; there {
				fmt.Fprintf(b, "| %s | %s | %s %s\n", name, mode, spans(m.Searched), spans(m.Remembered))
				name = ""
			}
		}
		if c.Answers != nil {
			fmt.Fprintf(b, "| %s | answer | %s | | | |\n", name, spans(c.Answers.Took))
		}
	}
	var ingests []string
	for _, c := range r.Results {
		ingests = append(ingests, fmt.Sprintf("%s %.0f s", c.Name, c.Ingest.Seconds()))
	}
	fmt.Fprintf(b, "\nIngest, until the last document was searchable: %s.\n", strings.Join(ingests, ", "))
}

func spans(l Latency) string {
	if l.N == 0 {
		return "0 | | | |"
	}
	return fmt.Sprintf("%s | %.1f | %.1f | %.1f |", thousands(l.N), ms(l.P50), ms(l.P95), ms(l.P99))
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// thousands is a number with commas.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
