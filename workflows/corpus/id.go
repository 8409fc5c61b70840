package corpus

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"levada.dev/tenants"
)

// VectorID is the id of a chunk's vector. It derives from tenant, document, generation and chunk, so that writing a
// slice twice writes the same vectors, and a late writer of an old generation never replaces what a newer one
// wrote. 43 characters of the 64 an id may have.
func VectorID(s tenants.Scope, docID string, generation, chunk int) string {
	h := sha256.New()
	h.Write([]byte(s.Tenant()))
	h.Write([]byte{0})
	h.Write([]byte(docID))
	h.Write([]byte{0})
	h.Write(strconv.AppendInt(nil, int64(generation), 10))
	h.Write([]byte{0})
	h.Write(strconv.AppendInt(nil, int64(chunk), 10))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// VectorIDs are the ids of all vectors of a generation that has so many chunks.
func VectorIDs(s tenants.Scope, g Generation, chunks int) []string {
	ids := make([]string, chunks)
	for chunk := range ids {
		ids[chunk] = VectorID(s, g.DocID, g.Generation, chunk)
	}
	return ids
}

// VectorOf is a chunk as the index of an embedding model has it: the same id and the same metadata in the index of every model.
func VectorOf(s tenants.Scope, m Metadata, values []float32) Vector {
	return Vector{ID: VectorID(s, m.DocID, m.Generation, m.Chunk), Values: values, Metadata: m}
}
