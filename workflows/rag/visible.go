package rag

import (
	"context"
	"strings"
	"time"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// Visible reports whether searches of a space find what was written for the newest generation of a document that is indexed.
//
// Vectors.Processed alone cannot say so: where the index tells the time of the last write that it shows, that stays
// before the document's own end until somebody else writes. So the index itself is asked for the document's
// chunks; as one query gives MaxTopK at most, a longer document counts as visible when all of those are of its
// newest generation. And when it was brought to another space than that which it was indexed in, the document does not say.
func Visible(ctx context.Context, s tenants.Scope, vectors corpus.Vectors, d corpus.Document, space string) (bool, error) {
	if space == d.Model {
		processed, err := vectors.Processed(ctx, space)
		if err != nil {
			return false, err
		}
		if end := indexedAt(d); !end.IsZero() && !processed.Before(end) {
			return true, nil
		}
	}
	if d.Chunks < 1 {
		return false, nil
	}
	model, err := llm.FindEmbedding(space)
	if err != nil {
		return false, err
	}
	anywhere := make([]float32, model.Dimensions)
	anywhere[0] = 1
	prefix := strings.ToValidUTF8(d.ID[:min(len(d.ID), maxFilterText)], "") // what the index keeps of it
	filter := append(appendString([]byte(`{"docId":{"$eq":`), prefix), `}}`...)
	matches, err := vectors.Query(ctx, s, space, corpus.VectorQuery{Values: anywhere, TopK: MaxTopK, Filter: filter})
	shown := 0
	for _, m := range matches {
		if m.Metadata.DocID == d.ID && m.Metadata.Generation == d.Generation {
			shown++
		}
	}
	return err == nil && shown >= min(d.Chunks, MaxTopK), err
}

// indexedAt is when the last slice of the newest generation was in the index.
func indexedAt(d corpus.Document) time.Time {
	for _, stage := range d.Stages {
		if stage.Stage == corpus.StageIndex {
			return stage.At
		}
	}
	return time.Time{}
}
