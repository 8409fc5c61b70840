package localvec

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// ServeHTTP serves, with vectors in frames (frame.go):
//
//	GET  /indexes/{name}               describe
//	POST /indexes/{name}/insert        {vectors: [{id, namespace, metadata, dimensions}]} and their values
//	POST /indexes/{name}/upsert        the same
//	POST /indexes/{name}/query         the options, and the vector unless vectorId is among them
//	POST /indexes/{name}/getByIds      {ids}
//	POST /indexes/{name}/deleteByIds   {ids}
//	GET  /delay, PUT /delay            {ms}: how long mutations stay invisible
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Store) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*index, http.ResponseWriter, *http.Request) error) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			name := r.PathValue("name")
			ix := s.indexes[name]
			if ix == nil {
				respond(w, nil, &refusal{http.StatusNotFound, codeNoIndex, "vectorize.index.not_found: " + name})
				return
			}
			if err := f(ix, w, r); err != nil {
				respond(w, nil, err)
			}
		})
	}
	handle("GET /indexes/{name}", s.describe)
	handle("POST /indexes/{name}/insert", s.write(insert))
	handle("POST /indexes/{name}/upsert", s.write(upsert))
	handle("POST /indexes/{name}/query", s.query)
	handle("POST /indexes/{name}/getByIds", s.getByIDs)
	handle("POST /indexes/{name}/deleteByIds", s.deleteByIDs)
	mux.HandleFunc("GET /delay", s.showDelay)
	mux.HandleFunc("PUT /delay", s.changeDelay)
	return mux
}

func (s *Store) describe(ix *index, w http.ResponseWriter, _ *http.Request) error {
	var info Info
	err := ix.look(s.now(), func() error {
		info = ix.info()
		return nil
	})
	respond(w, info, err)
	return nil
}

func (s *Store) write(op operation) func(*index, http.ResponseWriter, *http.Request) error {
	return func(ix *index, w http.ResponseWriter, r *http.Request) error {
		var header struct {
			Vectors []struct {
				ID         string          `json:"id"`
				Namespace  string          `json:"namespace"`
				Metadata   json.RawMessage `json:"metadata"`
				Dimensions int             `json:"dimensions"`
			} `json:"vectors"`
		}
		values, err := readFrame(r, &header)
		if err != nil {
			return err
		}
		if len(header.Vectors) > maxBatch {
			return refuse(codeTooMany, "too many vectors in payload; max vector count is %d, got %d", maxBatch, len(header.Vectors))
		}
		vectors := make([]vector, len(header.Vectors))
		for i, h := range header.Vectors {
			if h.Dimensions < 0 || h.Dimensions > len(values) {
				return refuse(codeUnreadable, "failed to parse the request: its frame is torn")
			}
			v := vector{id: h.ID, namespace: h.Namespace, values: values[:h.Dimensions:h.Dimensions]}
			values = values[h.Dimensions:]
			if v.metadata, err = compactMetadata(h.ID, h.Metadata); err != nil {
				return err
			}
			if err := ix.check(v); err != nil {
				return err
			}
			vectors[i] = v
		}
		id, err := ix.accept(op, vectors, s.now(), s.Delay())
		if err != nil {
			return err
		}
		respond(w, map[string]any{"mutationId": id.String()}, nil)
		return nil
	}
}

// check refuses a vector that is over a limit.
func (ix *index) check(v vector) error {
	if err := checkID(v.id); err != nil {
		return err
	}
	if err := checkNamespace(v.namespace); err != nil {
		return err
	}
	if len(v.values) != ix.config.Dimensions {
		return refuse(codeDimensions, "invalid vector for id=%q, expected %d dimensions, and got %d dimensions", v.id, ix.config.Dimensions, len(v.values))
	}
	if !finite(v.values) {
		return refuse(codeUnreadable, "failed to parse upsert vectors request in json format: vector id=%q has a value that is not finite", v.id)
	}
	return nil
}

func compactMetadata(id string, raw json.RawMessage) ([]byte, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, nil
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return nil, refuse(codeMetadata, "metadata for vector id=%q is not an object", id)
	}
	for key := range fields {
		if key == "" || strings.HasPrefix(key, "$") || strings.ContainsAny(key, `".`) {
			return nil, refuse(codeMetadata, `metadata key %q for vector id=%q must not be empty, contain . or " or start with $`, key, id)
		}
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, refuse(codeUnreadable, "failed to parse upsert vectors request in json format: %v", err)
	}
	if out.Len() > maxMetadataBytes {
		return nil, refuse(codeMetadata, "oversized metadata for vector id=%q; the compact JSON representation of the metadata must not exceed %d bytes, got %d bytes", id, maxMetadataBytes, out.Len())
	}
	return out.Bytes(), nil
}

func (s *Store) query(ix *index, w http.ResponseWriter, r *http.Request) error {
	if s.down.Load() {
		return &refusal{http.StatusServiceUnavailable, codeDown, "vectorize.unavailable"}
	}
	var o queryOptions
	vector, err := readFrame(r, &o)
	if err != nil {
		return err
	}
	q, err := ix.readQuery(o, vector)
	if err != nil {
		return err
	}
	return s.respondFrame(ix, w, func() (any, [][]float32, error) {
		if o.VectorID != "" {
			at, exists := ix.places[o.VectorID]
			if !exists {
				return nil, nil, refuse(codeNoVector, "vector id=%q was not found", o.VectorID)
			}
			q.vector = at.space.vector(at.slot)
		}
		matches := ix.search(q)
		var values [][]float32
		if q.values {
			for _, m := range matches {
				values = append(values, m.values)
			}
		}
		return map[string]any{"count": len(matches), "matches": matches}, values, nil
	})
}

type ids struct {
	IDs []string `json:"ids"`
}

func (s *Store) getByIDs(ix *index, w http.ResponseWriter, r *http.Request) error {
	var wanted ids
	if _, err := readFrame(r, &wanted); err != nil {
		return err
	}
	if err := checkIDs(wanted.IDs, maxGet); err != nil {
		return err
	}
	type found struct {
		ID        string          `json:"id"`
		Namespace string          `json:"namespace,omitempty"`
		Metadata  json.RawMessage `json:"metadata,omitempty"`
	}
	return s.respondFrame(ix, w, func() (any, [][]float32, error) {
		answers, values := []found{}, [][]float32{}
		for _, id := range wanted.IDs {
			if at, exists := ix.places[id]; exists {
				answers = append(answers, found{id, at.space.name, at.space.rows[at.slot].metadata})
				values = append(values, at.space.vector(at.slot))
			}
		}
		return answers, values, nil
	})
}

func (s *Store) deleteByIDs(ix *index, w http.ResponseWriter, r *http.Request) error {
	var unwanted ids
	if _, err := readFrame(r, &unwanted); err != nil {
		return err
	}
	if err := checkIDs(unwanted.IDs, maxDelete); err != nil {
		return err
	}
	vectors := make([]vector, len(unwanted.IDs))
	for i, id := range unwanted.IDs {
		vectors[i].id = id
	}
	id, err := ix.accept(remove, vectors, s.now(), s.Delay())
	if err != nil {
		return err
	}
	respond(w, map[string]any{"mutationId": id.String()}, nil)
	return nil
}

func (s *Store) showDelay(w http.ResponseWriter, _ *http.Request) {
	respond(w, map[string]any{"ms": s.Delay().Milliseconds()}, nil)
}

func (s *Store) changeDelay(w http.ResponseWriter, r *http.Request) {
	var wanted struct{ Ms *int64 }
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil || wanted.Ms == nil || *wanted.Ms < 0 {
		respond(w, nil, refuse(codeUnreadable, "the body must be {\"ms\": n}"))
		return
	}
	s.SetDelay(time.Duration(*wanted.Ms) * time.Millisecond)
	s.showDelay(w, r)
}
