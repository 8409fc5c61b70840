package localvec

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// queryOptions are the platform's, and the id of queryById.
type queryOptions struct {
	VectorID       string          `json:"vectorId"`
	TopK           *float64        `json:"topK"`
	Namespace      string          `json:"namespace"`
	Filter         json.RawMessage `json:"filter"`
	ReturnValues   bool            `json:"returnValues"`
	ReturnMetadata json.RawMessage `json:"returnMetadata"`
}

// query is checked options.
type query struct {
	vector    []float32
	topK      int
	namespace string
	tests     []test
	values    bool
	metadata  string // none, indexed, all
}

// Match is one answer of a query.
type Match struct {
	ID        string          `json:"id"`
	Score     float64         `json:"score"`
	Namespace string          `json:"namespace,omitempty"`
	Metadata  json.RawMessage `json:"metadata,omitempty"`

	values []float32
}

func (ix *index) readQuery(o queryOptions, vector []float32) (query, error) {
	q := query{vector: vector, topK: defaultTopK, namespace: o.Namespace, values: o.ReturnValues}
	switch string(o.ReturnMetadata) {
	case "", "null", "false", `"none"`:
		q.metadata = "none"
	case `"indexed"`:
		q.metadata = "indexed"
	case "true", `"all"`:
		q.metadata = "all"
	default:
		return q, refuse(codeQueryUnreadable, `Failed to parse the request body as JSON: returnMetadata: expected "none", "indexed" or "all", got %s`, o.ReturnMetadata)
	}
	if o.TopK != nil {
		q.topK = int(*o.TopK)
		if float64(q.topK) != *o.TopK || q.topK < 1 {
			return q, refuse(codeTopK, "top K must be a whole number from 1, but got %v", *o.TopK)
		}
	}
	if heavy := q.values || q.metadata == "all"; heavy && q.topK > maxTopKWithData {
		return q, refuse(codeTopK, "with returnValues=true or returnMetadata=all, max top K is %d, but got %d; for a top K up to %d, retry with returnValues=false and returnMetadata=indexed", maxTopKWithData, q.topK, maxTopK)
	}
	if q.topK > maxTopK {
		return q, refuse(codeTopK, "max top K is %d, but got %d", maxTopK, q.topK)
	}
	if err := checkNamespace(q.namespace); err != nil {
		return q, err
	}
	var err error
	if q.tests, err = ix.readFilter(o.Filter); err != nil {
		return q, err
	}
	if o.VectorID != "" {
		return q, checkID(o.VectorID)
	}
	if len(vector) != ix.config.Dimensions {
		return q, refuse(codeQueryDimensions, "invalid query vector, expected %d dimensions, and got %d dimensions", ix.config.Dimensions, len(vector))
	}
	if !finite(vector) {
		return q, refuse(codeQueryUnreadable, "Failed to parse the request body as JSON: vector: expected numbers, got one that is not finite")
	}
	return q, nil
}

func finite(v []float32) bool {
	for _, x := range v {
		if x-x != 0 { // only so for NaN and the infinities
			return false
		}
	}
	return true
}

// search answers the best matches, exactly, best first, equal scores by id. The
// caller holds the lock. A vector's numbers are read only where its sketch does not
// rule it out.
//
// One goroutine: the scan takes what one core can read from memory, and where a
// machine is busy a second one is waited for longer than it saves.
func (ix *index) search(q query) []Match {
	score, probe := ix.scorer(q.vector), ix.probe(q.vector)
	b := best{limit: q.topK}
	for name, s := range ix.spaces {
		if q.namespace != "" && name != q.namespace {
			continue
		}
		for slot := range s.rows {
			if len(q.tests) > 0 && !passes(q.tests, s.rows[slot].indexed) {
				continue
			}
			sketch := &s.sketches[slot]
			if !b.rulesOut(probe.ceiling(sketch, product(s.codes(slot), probe.codes))) {
				b.offer(hit{score(s.vector(slot), sketch.inverse), s, slot})
			}
		}
	}
	slices.SortFunc(b.hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id(), b.id()))
	})
	matches := make([]Match, len(b.hits))
	for i, h := range b.hits {
		matches[i] = ix.match(h, q)
	}
	return matches
}

// scorer answers how alike a vector is: larger is more alike, whatever the metric.
func (ix *index) scorer(of []float32) func(v []float32, inverse float32) float32 {
	switch ix.config.Metric {
	case Euclidean:
		return func(v []float32, _ float32) float32 {
			var sum float32
			for i, x := range v {
				d := x - of[i]
				sum += d * d
			}
			return -sum
		}
	case DotProduct:
		return func(v []float32, _ float32) float32 { return dot(v, of) }
	default:
		length := inverse(of)
		return func(v []float32, inverse float32) float32 { return dot(v, of) * inverse * length }
	}
}

func (ix *index) match(h hit, q query) Match {
	r := h.space.rows[h.slot]
	m := Match{ID: r.id, Namespace: h.space.name}
	switch ix.config.Metric {
	case Euclidean:
		m.Score = math.Sqrt(float64(-h.score))
	case DotProduct:
		m.Score = float64(-h.score)
	default:
		m.Score = float64(h.score)
	}
	switch q.metadata {
	case "all":
		m.Metadata = r.metadata
	case "indexed":
		m.Metadata = ix.indexedMetadata(r)
	}
	if q.values {
		m.values = h.space.vector(h.slot)
	}
	return m
}

// indexedMetadata is the properties that have a metadata index, long strings cut.
func (ix *index) indexedMetadata(r row) json.RawMessage {
	object := map[string]any{}
	for i, v := range r.indexed {
		if v.kind == "" {
			continue
		}
		var plain any = v.number
		switch v.kind {
		case String:
			plain = v.text
		case Boolean:
			plain = v.number == 1
		}
		into, names := object, bytes.Split([]byte(ix.properties[i]), []byte("."))
		for _, name := range names[:len(names)-1] {
			inner, _ := into[string(name)].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
				into[string(name)] = inner
			}
			into = inner
		}
		into[string(names[len(names)-1])] = plain
	}
	if len(object) == 0 {
		return nil
	}
	out, _ := json.Marshal(object)
	return out
}
