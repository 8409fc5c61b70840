package localai

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

// embed answers an embedding model's JSON for its inputs.
func (s *Server) embed(ctx context.Context, m model, inputs json.RawMessage) (*answer, error) {
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal(inputs, &fields); err != nil {
		return nil, invalid("/", "Type mismatch of '/', 'object' expected")
	}
	if m.id == "@cf/baai/bge-m3" && fields["contexts"] != nil {
		return s.rank(m, fields)
	}
	texts, err := m.texts(fields)
	if err != nil {
		return nil, err
	}
	if err := s.obey(ctx, texts...); err != nil {
		return nil, err
	}
	vectors, tokens := s.vectors(m, texts)
	return &answer{body: embeddings(vectors, m), usage: usage{in: tokens}}, nil
}

// obey refuses or holds up what it was told to.
func (s *Server) obey(ctx context.Context, texts ...string) error {
	if word := s.refused.Load(); word != nil && *word != "" && strings.Contains(strings.Join(texts, "\n"), *word) {
		return invalid("/text", "a text with %q is refused", *word)
	}
	return s.held.Load().wait(ctx, texts)
}

// Refuse has the embedding and the speech models refuse, for good, every call with a text that holds the word, until it is called again; the
// empty word ends it.
func (s *Server) Refuse(word string) { s.refused.Store(&word) }

// Hold has the embedding and the speech models keep every call waiting that has a text with the word, until let is called: held tells of each.
func (s *Server) Hold(word string) (held <-chan struct{}, let func()) {
	h := &hold{word, make(chan struct{}, 100), make(chan struct{})}
	s.held.Store(h)
	return h.came, func() {
		s.held.CompareAndSwap(h, nil)
		close(h.over)
	}
}

// hold keeps calls waiting; nil keeps none.
type hold struct {
	word       string
	came, over chan struct{}
}

func (h *hold) wait(ctx context.Context, texts []string) error {
	if h == nil || !strings.Contains(strings.Join(texts, "\n"), h.word) {
		return nil
	}
	h.came <- struct{}{}
	select {
	case <-h.over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) vectors(m model, texts []string) ([][]float32, int) {
	if m.kind != lexicalEmbedding && !s.options.Lexical {
		return s.composite.embed(texts, m.dimensions, m.window)
	}
	vectors, tokens := make([][]float32, len(texts)), 0
	for i, t := range texts {
		vectors[i] = s.composite.lexical(t, m.dimensions)
		// About four letters a token: counting them would cost as much as the vector.
		tokens += (len(t) + 3) / 4
	}
	return vectors, tokens
}

// texts reads the first of the model's text fields that is present: a string or a
// list of strings, none empty.
func (m model) texts(fields map[string]json.RawMessage) ([]string, error) {
	for _, name := range m.fields {
		raw, present := fields[name]
		if !present {
			continue
		}
		return readTexts("/"+name, raw, m.batch)
	}
	return nil, invalid("/", "required properties at '/' are '%s'", strings.Join(m.fields, "' or '"))
}

func readTexts(path string, raw json.RawMessage, most int) ([]string, error) {
	var one string
	if json.Unmarshal(raw, &one) == nil && string(raw) != "null" {
		if one == "" {
			return nil, invalid(path, "Length of '%s' must be >= 1", path)
		}
		return []string{one}, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || string(raw) == "null" {
		return nil, invalid(path, "Type mismatch of '%s', 'string' or 'array' expected", path)
	}
	if len(list) == 0 || len(list) > most {
		return nil, invalid(path, "'%s' takes 1 to %d items, got %d", path, most, len(list))
	}
	texts := make([]string, len(list))
	for i, item := range list {
		at := path + "/" + strconv.Itoa(i)
		if json.Unmarshal(item, &texts[i]) != nil || string(item) == "null" {
			return nil, invalid(at, "Type mismatch of '%s', 'string' expected", at)
		}
		if texts[i] == "" {
			return nil, invalid(at, "Length of '%s' must be >= 1", at)
		}
	}
	return texts, nil
}

// embeddings writes {shape, data, pooling}. By hand, because reflection over a
// hundred thousand numbers costs more than the encoder.
func embeddings(vectors [][]float32, m model) []byte {
	out := make([]byte, 0, len(vectors)*m.dimensions*13+64)
	out = append(out, `{"shape":[`...)
	out = strconv.AppendInt(out, int64(len(vectors)), 10)
	out = append(out, ',')
	out = strconv.AppendInt(out, int64(m.dimensions), 10)
	out = append(out, `],"data":[`...)
	for i, v := range vectors {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '[')
		for j, x := range v {
			if j > 0 {
				out = append(out, ',')
			}
			if x == 0 {
				out = append(out, '0')
				continue
			}
			out = strconv.AppendFloat(out, float64(x), 'g', -1, 32)
		}
		out = append(out, ']')
	}
	out = append(out, ']')
	if m.pooling != "" {
		out = append(out, `,"pooling":"`+m.pooling+`"`...)
	}
	return append(out, '}')
}
