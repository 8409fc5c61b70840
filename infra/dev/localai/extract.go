package localai

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"levada.dev/infra/dev/localai/encoder"
)

// notFound is the extractive answer to a question its context does not answer.
const notFound = "I could not find this in the provided context."

const (
	// candidates is how many sentences the encoder compares with the question.
	candidates = 24
	// quoted is how many of them the answer has.
	quoted = 2
	// floor is the score under which nothing is quoted.
	floor = 0.25
	// listed is how many values that tools returned are told where nothing is quoted.
	listed = 5
)

var sentences = regexp.MustCompile(`[^.!?]+[.!?]+["')\]]*|\S[^.!?]*$`)

// extract answers with the sentences of the request's own context that fit the
// last question best: word overlap weighed by rarity, and meaning. It states
// nothing that was not given to it. Where JSON was asked for, they stand in it.
func (s *Server) extract(ctx context.Context, c *chat, emit func(delta) error) (usage, error) {
	text := s.quote(c)
	if c.format != nil {
		var err error
		if text, err = c.format.write(text); err != nil {
			return usage{}, err
		}
	}
	for _, word := range strings.SplitAfter(text, " ") {
		if err := ctx.Err(); err != nil {
			return usage{}, err
		}
		if err := emit(delta{text: word}); err != nil {
			return usage{}, err
		}
	}
	return usage{}, nil
}

type sentence struct {
	place  int
	text   string
	source string // the number of the source it stands in, if sources are numbered
	score  float64
}

// cited is the sentence as an answer quotes it.
func (s sentence) cited() string {
	if s.source == "" {
		return s.text
	}
	return s.text + " [" + s.source + "]"
}

func (s *Server) quote(c *chat) string {
	question, context, fresh := split(c)
	context, _ = spread(context)
	_, values := spread(fresh)
	found := s.overlap(question, context)
	slices.SortStableFunc(found, byScore)
	found = found[:min(len(found), candidates)]
	texts := [][]int32{s.composite.encoder.Pieces(question)}
	for _, f := range found {
		pieces := s.composite.encoder.Pieces(f.text)
		texts = append(texts, pieces[:min(len(pieces), encoder.Window)])
	}
	vectors := s.composite.encoder.Embed(texts)
	for i := range found {
		found[i].score += 0.4 * float64(dot(vectors[0], vectors[i+1]))
	}
	slices.SortStableFunc(found, byScore)
	if len(found) == 0 || found[0].score < floor {
		if len(values) > 0 {
			return strings.Join(values[:min(len(values), listed)], ", ") + "."
		}
		return notFound
	}
	best := found[:min(len(found), quoted)]
	slices.SortFunc(best, func(a, b sentence) int { return cmp.Compare(a.place, b.place) })
	parts := make([]string, len(best))
	for i, b := range best {
		parts[i] = b.cited()
	}
	return strings.Join(parts, " ")
}

func byScore(a, b sentence) int { return cmp.Compare(b.score, a.score) }

// split tells the question from what it is asked about: the last user message
// from all others, or within it what follows "Question:". Where the question
// brings its own context, what the system says are instructions. Fresh is the
// context that came with the question, or after it.
func split(c *chat) (question, context, fresh string) {
	last := c.lastUser()
	before, question, own := cutLast(c.messages[max(last, 0)].Content, "Question:")
	var all, after strings.Builder
	for i, m := range c.messages {
		if i != last && !(own && m.Role == "system") {
			all.WriteString(m.Content + "\n")
			if i > last {
				after.WriteString(m.Content + "\n")
			}
		}
	}
	return strings.TrimSpace(question), all.String() + before, before + "\n" + after.String()
}

// cutLast is strings.Cut at the last separator; without one everything is after it.
func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+len(sep):], true
}

// fenceTag is the line before a numbered source, and the one after it; other tags fence what tools returned, and what was said before.
var fenceTag = regexp.MustCompile(`^</?\w+-\w+(?: number="(\d+)")?>$`)

// overlap scores each sentence of context by the share of the question's words it
// has, each word weighed by its surprisal.
func (s *Server) overlap(question, context string) []sentence {
	weights, total := map[string]float64{}, 1e-6
	for _, w := range stems(question) {
		if _, known := weights[w]; !known {
			weights[w] = s.composite.surprisal(w)
			total += weights[w]
		}
	}
	var found []sentence
	source := ""
	for line := range strings.Lines(context) {
		line = strings.TrimSpace(line)
		if tag := fenceTag.FindStringSubmatch(line); tag != nil {
			source = tag[1]
			continue
		}
		if source != "" && strings.HasPrefix(line, "Title: ") {
			continue
		}
		for _, text := range sentences.FindAllString(line, -1) {
			if text = strings.TrimSpace(text); len(text) < 12 {
				continue
			}
			hits, seen := 0.0, map[string]bool{}
			for _, w := range stems(text) {
				if !seen[w] {
					seen[w] = true
					hits += weights[w]
				}
			}
			found = append(found, sentence{len(found), text, source, 0.6 * hits / total})
		}
	}
	return found
}
