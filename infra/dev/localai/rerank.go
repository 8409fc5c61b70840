package localai

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
)

// score is a context's, by its place.
type score struct {
	ID    int     `json:"id"`
	Score float32 `json:"score"`
}

// rerank answers a reranking model's JSON, best first: {query, contexts: [{text}], top_k} becomes {response: [{id, score}]}. The scores are
// cosines brought to 0 to 1, as rankModel tells.
func (s *Server) rerank(m model, inputs json.RawMessage) (*answer, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(inputs, &fields); err != nil {
		return nil, invalid("/", "Type mismatch of '/', 'object' expected")
	}
	most := 0
	if raw := fields["top_k"]; raw != nil && (json.Unmarshal(raw, &most) != nil || most < 1) {
		return nil, invalid("/top_k", "'/top_k' must be >= 1")
	}
	scores, tokens, err := s.scores(m, fields)
	if err != nil {
		return nil, err
	}
	for i := range scores {
		scores[i].Score = (1 + scores[i].Score) / 2
	}
	slices.SortStableFunc(scores, func(a, b score) int { return cmp.Compare(b.Score, a.Score) })
	if most > 0 {
		scores = scores[:min(most, len(scores))]
	}
	body, err := json.Marshal(map[string]any{"response": scores, "model": rankModel})
	return &answer{body: body, usage: usage{in: tokens}}, err
}

// rank is bge-m3's second shape: scores of contexts for a query, by cosine.
func (s *Server) rank(m model, fields map[string]json.RawMessage) (*answer, error) {
	scores, tokens, err := s.scores(m, fields)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{"response": scores})
	return &answer{body: body, usage: usage{in: tokens}}, err
}

// scores are the cosines of contexts and a query, in the order of the contexts, and the tokens read.
func (s *Server) scores(m model, fields map[string]json.RawMessage) ([]score, int, error) {
	var query string
	if json.Unmarshal(fields["query"], &query) != nil || query == "" {
		return nil, 0, invalid("/query", "Type mismatch of '/query', 'string' expected")
	}
	var contexts []struct{ Text string }
	if json.Unmarshal(fields["contexts"], &contexts) != nil || len(contexts) == 0 || len(contexts) > m.batch {
		return nil, 0, invalid("/contexts", "'/contexts' takes 1 to %d items of {text}", m.batch)
	}
	texts := []string{query}
	for i, c := range contexts {
		if c.Text == "" {
			return nil, 0, invalid("/contexts/"+strconv.Itoa(i)+"/text", "Length must be >= 1")
		}
		texts = append(texts, c.Text)
	}
	vectors, tokens := s.vectors(m, texts)
	scores := make([]score, len(contexts))
	for i := range scores {
		scores[i] = score{i, dot(vectors[0], vectors[i+1])}
	}
	return scores, tokens, nil
}
