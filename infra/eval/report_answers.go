package eval

import (
	"fmt"
	"slices"
	"strings"
)

// answers tells how the answers did.
func (r Report) answers(b *strings.Builder) {
	if !slices.ContainsFunc(r.Results, func(c Result) bool { return c.Answers != nil }) {
		return
	}
	fmt.Fprintf(b, `## Answers

%s in the default mode with an answer, as clients ask: questions that the collection answers; the same questions with a filter that leaves out the documents that answer
them (taken away); and questions of another collection (other). The last two kinds have no answer here, as far as the judgements know; the former is the harder, as what is left is about the same.

%s

| collection | asked: own, taken away, other | coverage | sentences | supported | of them word for word | cited places | exact | of own questions | in a document that answers | answers that rest on one |
|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|
`, "`POST /search`", who(r.Server))
	for _, c := range r.Results {
		if a := c.Answers; a != nil {
			fmt.Fprintf(b, "| %s | %s, %s, %s%s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", c.Name,
				thousands(a.Own.Asked), thousands(a.Without.Asked), thousands(a.Foreign.Asked), of(a.Others), share(a.Own.Asked-a.Own.Abstained, a.Own.Asked),
				thousands(a.Sentences), share(a.Supported, a.Sentences), share(a.Verbatim, a.Supported), thousands(a.Spans), share(a.Exact, a.Spans),
				thousands(a.OwnSpans), share(a.Relevant, a.OwnSpans), share(a.Right, a.Own.Asked-a.Own.Abstained))
		}
	}
	b.WriteString(`
*Supported* is the platform's own word for a sentence. So that it is not the judge of itself, this command has the documents: *word for word* are the supported sentences that stand in a
document that they cite, *exact* the citations whose bytes, at the offsets given, are the words quoted, and *in a document that answers* those of them that the collection's judgements call right.

### Abstention

At the tenant's threshold. Questions without an answer count as much as those with one, half of that each kind.

| collection | threshold | not answered: own | taken away | other | precision | recall | F1 |
|---|---:|---:|---:|---:|---:|---:|---:|
`)
	for _, c := range r.Results {
		if a := c.Answers; a != nil {
			precision, recall, f1 := a.Abstention()
			fmt.Fprintf(b, "| %s | %.2f | %s | %s | %s | %.3f | %.3f | %.3f |\n", c.Name, a.Threshold, share(a.Own.Abstained, a.Own.Asked),
				share(a.Without.Abstained, a.Without.Asked), share(a.Foreign.Abstained, a.Foreign.Asked), precision, recall, f1)
		}
	}
	b.WriteString("\n")
}

// who says who has written the answers, and so what they tell.
func who(server bool) string {
	if server {
		return "Answers were written by a server of whoever ran this, in place of the platform's local model (docs/design/local-ai.md)."
	}
	return `The model is the local platform's: it repeats the two sentences of the sources that fit the question best, word for word, and invents nothing (docs/design/local-ai.md). So the table says that what is
in the sources is recognised and that places are right. It does not say how much of what a model makes up is found out: that is measured on sentences that were changed (docs/design/search.md, A sentence and its
source). Nor does an answer that rests on the right document have to be the right sentence of it: the collections have no answers to compare with.`
}

// of names whose questions they are.
func of(others string) string {
	if others == "" {
		return ""
	}
	return " of " + others
}

// confidence tells what the confidence was worth.
func (r Report) confidence(b *strings.Builder) {
	sources, answers := r.Confidence()
	all := 0.0
	for _, x := range sources {
		all += x.N
	}
	if all == 0 {
		return
	}
	b.WriteString(`### Confidence

The part of the questions for which a document that answers was among the sources, and of the answers for which one is cited, by the confidence that the platform gave them; all collections, weighed as above.

| confidence | questions | said | such a source was there | answers | said | one is cited |
|---|---:|---:|---:|---:|---:|---:|
`)
	for i := range sources {
		fmt.Fprintf(b, "| %.1f to %.1f | %s %s\n", float64(i)/10, float64(i+1)/10, bin(sources[i]), bin(answers[i]))
	}
	b.WriteString("\nCalibration error over these ten bins:\n\n| collection | of the sources | of the answers |\n|---|---:|---:|\n")
	for _, c := range r.Results {
		if c.Answers != nil {
			s, g := c.Answers.OfSources(), c.Answers.OfAnswers()
			fmt.Fprintf(b, "| %s | %.3f | %.3f |\n", c.Name, s.Error(), g.Error())
		}
	}
	fmt.Fprintf(b, "| **all** | **%.3f** | **%.3f** |\n\n", sources.Error(), answers.Error())
}

func bin(x Bin) string {
	if x.N == 0 {
		return "0 | | |"
	}
	return fmt.Sprintf("%.0f | %.2f | %.2f |", x.N, x.Said/x.N, x.Was/x.N)
}

// share is n of all in percent; empty of nothing.
func share(n, all int) string {
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(all))
}
