package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"levada.dev/tenants"
)

// Texts keeps the full texts of documents.
//
// What Put stored under a key is durable when it returns nil, and Get gives back the same bytes. Put under the
// same key replaces. Get of an unknown key is fault.NotFound, code text_not_found. List is the keys that begin with a TextPrefix
// and what may follow it, in order, at most limit of them; it shows what was put, and not what was deleted, before it was called. Delete takes
// any number of keys, also such as nothing is stored under. Safe for concurrent use.
type Texts interface {
	Put(ctx context.Context, s tenants.Scope, key string, text []byte, contentType string) error
	Get(ctx context.Context, s tenants.Scope, key string) ([]byte, error)
	Delete(ctx context.Context, s tenants.Scope, keys ...string) error
	List(ctx context.Context, s tenants.Scope, prefix string, limit int) ([]string, error)
}

// TextKey is the key of a document's text, as the submission with this job brought it. What is derived from it is kept
// under keys that begin with it. A key is used by one submission alone: so whoever erases a document's texts can be told
// which are those of submissions that came later.
func TextKey(docID, jobID, sum string) string { return TextPrefix(docID) + jobID + "/" + sum }

// TextPrefix is what the keys of all texts of a document begin with, and those of no other: ids have slashes, and may be too
// long to stand in a key.
func TextPrefix(docID string) string {
	h := sha256.Sum256([]byte(docID))
	return base64.RawURLEncoding.EncodeToString(h[:]) + "/"
}

// TextJob is the job of a text's submission, by the text's key; empty when it is no TextKey.
func TextJob(key string) string {
	_, rest, _ := strings.Cut(key, "/")
	jobID, _, found := strings.Cut(rest, "/")
	if !found {
		return ""
	}
	return jobID
}
