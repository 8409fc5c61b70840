package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/llm"
)

// Limits of a document.
const (
	MaxDocID         = 256     // characters
	MaxMetadataBytes = 4 << 10 // of the metadata's JSON, so that a chunk's text fits beside it in the index
	MaxTitle         = 500     // characters, as for Source
	MaxURL           = 2048    // bytes
	MinChunkTokens   = 16
	maxListed        = 64 // values in one metadata list
)

var (
	docIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~:/@+=,-]*$`)
	// Vectorize takes no dots, quotes or leading dollars in names: https://developers.cloudflare.com/vectorize/reference/metadata-filtering/.
	keyPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
)

// check reports the first mistake in a draft, with the field that holds it.
func check(d corpus.Draft) error {
	if d.DocID != "" && (len(d.DocID) > MaxDocID || !docIDPattern.MatchString(d.DocID)) {
		return fault.Invalidf("docId", "doc_id_invalid", "%.40q is not a document id", d.DocID).
			WithHint("use 1 to 256 letters, digits and . _ ~ : / @ + = , - and begin with a letter or a digit")
	}
	if d.Fetch != "" {
		if err := checkFetch(d); err != nil {
			return err
		}
	} else if d.Moved == nil && len(bytes.TrimSpace(d.Text)) == 0 {
		return fault.Invalidf("text", "document_empty", "there is no text to search in")
	}
	if d.MaxBytes > 0 && int64(len(d.Text)) > d.MaxBytes {
		return fault.Invalidf("text", "document_too_large", "%d bytes; the limit is %d", len(d.Text), d.MaxBytes)
	}
	format, err := corpus.FormatOf(d.ContentType)
	if err != nil {
		return err
	}
	// Whoever says so is told when it is not. What another pool has taken was looked at there, and is here when it is read.
	if d.Moved == nil && format.Text() && corpus.Charset(d.ContentType) == "utf-8" {
		if err := corpus.CheckText(d.Text); err != nil {
			return err
		}
	}
	if err := checkAbout(d.About); err != nil {
		return err
	}
	model, err := llm.FindEmbedding(d.Model)
	if err != nil {
		return err
	}
	return checkChunking(d.Chunking, model)
}

// checkFetch refuses an address that the tenant's documents are not fetched from, as far as the address itself says so. It is checked again, with
// those it redirects to, when it is asked.
func checkFetch(d corpus.Draft) error {
	if len(d.Text) > 0 {
		return fault.Invalidf("text", "fields_exclusive", "a document is brought or fetched, not both")
	}
	if len(d.Fetch) > MaxURL {
		return fault.Invalidf("url", "url_too_long", "%d bytes; the limit is %d", len(d.Fetch), MaxURL)
	}
	u, err := address.Parse(d.Fetch)
	if err != nil || d.Rules == nil {
		return err
	}
	return d.Rules.Check(u)
}

func checkAbout(a events.About) error {
	if err := checkLine("title", a.Title, MaxTitle); err != nil {
		return err
	}
	if err := checkLine("source", a.Source, MaxTitle); err != nil {
		return err
	}
	if len(a.URL) > MaxURL {
		return fault.Invalidf("url", "url_too_long", "%d bytes; the limit is %d", len(a.URL), MaxURL)
	}
	if !utf8.ValidString(a.URL) {
		return fault.Invalidf("url", "text_not_utf8", "is not UTF-8")
	}
	return checkMetadata(a.Metadata)
}

func checkLine(field, s string, limit int) error {
	if !utf8.ValidString(s) {
		return fault.Invalidf(field, "text_not_utf8", "is not UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > limit {
		return fault.Invalidf(field, field+"_too_long", "%d characters; the limit is %d", n, limit)
	}
	return nil
}

// checkMetadata allows what a search can filter on: names with plain values, or with lists of strings.
func checkMetadata(meta map[string]any) error {
	keys := make([]string, 0, len(meta))
	for k := range meta {
		keys = append(keys, k)
	}
	slices.Sort(keys) // so that the same input gives the same error
	for _, k := range keys {
		if !keyPattern.MatchString(k) {
			return fault.Invalidf("metadata", "metadata_key_invalid", "%.40q is not a name", k).
				WithHint("use 1 to 64 letters, digits, _ and -, and begin with a letter or _")
		}
		if !plain(meta[k]) {
			return fault.Invalidf("metadata."+k, "metadata_value_invalid", "is none of string, number, boolean, list of strings").
				WithHint("flatten nested values: searches filter on plain ones")
		}
	}
	b, err := json.Marshal(meta)
	if err != nil {
		return fault.New(fault.Invalid, "metadata_invalid", "the metadata is not JSON", err)
	}
	if len(b) > MaxMetadataBytes {
		return fault.Invalidf("metadata", "metadata_too_large", "%d bytes of JSON; the limit is %d", len(b), MaxMetadataBytes)
	}
	return nil
}

func plain(v any) bool {
	switch v := v.(type) {
	case string:
		return utf8.ValidString(v)
	case bool, int, int64, json.Number:
		return true
	case float64:
		return !math.IsNaN(v) && !math.IsInf(v, 0)
	case []string:
		return len(v) <= maxListed && !slices.ContainsFunc(v, func(s string) bool { return !utf8.ValidString(s) })
	case []any:
		return len(v) <= maxListed && !slices.ContainsFunc(v, func(x any) bool {
			s, ok := x.(string)
			return !ok || !utf8.ValidString(s)
		})
	}
	return false
}

func checkChunking(c events.Chunking, m llm.EmbeddingModel) error {
	size := m.Tokens
	if c.MaxTokens != 0 {
		size = c.MaxTokens
		if size < MinChunkTokens || size > m.Tokens {
			return fault.Invalidf("chunking.maxTokens", "chunking_invalid", "%d is not between %d and the model's %d", size, MinChunkTokens, m.Tokens)
		}
	}
	if c.OverlapTokens < 0 || c.OverlapTokens > size/2 {
		return fault.Invalidf("chunking.overlapTokens", "chunking_invalid", "%d is not between 0 and half of a chunk's %d tokens", c.OverlapTokens, size)
	}
	return nil
}

// hash is what makes two requests with one idempotency key the same request: all that the client said. Without a key,
// or where the key alone counts, nobody compares, and it is empty.
func hash(d corpus.Draft, textSum string) (string, error) {
	if d.Cause.IdempotencyKey == "" || d.KeyAlone {
		return "", nil
	}
	b, err := json.Marshal(struct {
		DocID, ContentType, Text, Model string
		Fetch                           string `json:",omitempty"`
		About                           events.About
		Chunking                        events.Chunking
	}{d.DocID, d.ContentType, textSum, d.Model, d.Fetch, d.About, d.Chunking})
	if err != nil {
		return "", fault.New(fault.Invalid, "metadata_invalid", "the metadata is not JSON", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
