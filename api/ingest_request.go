package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
)

// Limits of one document. What travels with each of its chunks shares 10 KiB with the chunk's text in the index:
// https://developers.cloudflare.com/vectorize/platform/limits/.
const (
	maxDocIDBytes    = 128
	maxTitleBytes    = 512
	maxSourceBytes   = 1024
	maxMetadataBytes = 2048
	maxMetadataName  = 64
	minChunkTokens   = 32
)

type ingestRequest struct {
	DocID       string          `json:"docId"`
	Text        *string         `json:"text"`
	Base64      *string         `json:"base64"`
	URL         *string         `json:"url"`
	ContentType string          `json:"contentType"`
	Title       string          `json:"title"`
	Source      string          `json:"source"`
	Metadata    map[string]any  `json:"metadata"`
	Chunking    chunkingRequest `json:"chunking"`
}

type chunkingRequest struct {
	MaxTokens     int `json:"maxTokens"`
	OverlapTokens int `json:"overlapTokens"`
}

// draft checks the request and makes of it what the intake takes.
func (req *ingestRequest) draft(config *tenants.Config) (corpus.Draft, error) {
	if req.URL != nil {
		return corpus.Draft{}, fault.Invalidf("url", "url_not_supported", "documents cannot be fetched from a URL").
			WithHint("send the text as text, or as base64 with its contentType")
	}
	if err := checkDocID(req.DocID); err != nil {
		return corpus.Draft{}, err
	}
	contentType, err := req.contentType()
	if err != nil {
		return corpus.Draft{}, err
	}
	text, err := req.text(config.Limits.DocumentBytes)
	if err != nil {
		return corpus.Draft{}, err
	}
	about, err := req.about(config.Search.Filterable)
	if err != nil {
		return corpus.Draft{}, err
	}
	chunking, err := req.Chunking.check(config.Models.Embedding)
	if err != nil {
		return corpus.Draft{}, err
	}
	return corpus.Draft{DocID: req.DocID, Text: text, ContentType: contentType, About: about, Chunking: chunking,
		Model: config.Models.Embedding}, nil
}

// checkDocID takes any printable name that survives as one segment of a URL's path; empty lets the intake choose.
func checkDocID(id string) error {
	if len(id) > maxDocIDBytes {
		return fault.Invalidf("docId", "value_out_of_range", "is %d bytes long, above %d", len(id), maxDocIDBytes)
	}
	if id == "." || id == ".." || strings.TrimSpace(id) != id || strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.Invalidf("docId", "invalid_value", "is not a name for a document").
			WithHint("use printable characters, no space at the ends, and neither . nor ..")
	}
	return nil
}

// contentType is the media type of the document, without parameters.
func (req *ingestRequest) contentType() (string, error) {
	if req.ContentType == "" {
		if req.Base64 != nil {
			return "", fault.Invalidf("contentType", "field_required", "is required with base64")
		}
		return "text/plain", nil
	}
	if _, err := corpus.FormatOf(req.ContentType); err != nil {
		return "", err
	}
	media, _, err := mime.ParseMediaType(req.ContentType)
	return media, err
}

// text is the document's text, from the one field that holds it.
func (req *ingestRequest) text(limit int64) ([]byte, error) {
	var text []byte
	switch {
	case req.Text != nil && req.Base64 != nil:
		return nil, fault.Invalidf("base64", "fields_exclusive", "send text or base64, not both")
	case req.Text != nil:
		text = []byte(*req.Text)
	case req.Base64 != nil:
		var err error
		if text, err = base64.StdEncoding.DecodeString(*req.Base64); err != nil {
			return nil, fault.Invalidf("base64", "invalid_value", "is not base64 (RFC 4648, padded)")
		}
		if err := corpus.CheckText(text); err != nil {
			return nil, err
		}
	default:
		return nil, fault.Invalidf("text", "field_required", "text or base64 is required")
	}
	if int64(len(text)) > limit {
		return nil, withDetails(fault.Invalidf("text", "document_too_large", "the text is %d bytes long", len(text)), details{Limit: limit})
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fault.Invalidf("text", "document_empty", "the document holds no text")
	}
	return text, nil
}

// about is what the document says of itself. A source that is a web address is the address of the document, too.
func (req *ingestRequest) about(filterable map[string]tenants.FieldType) (events.About, error) {
	if len(req.Title) > maxTitleBytes {
		return events.About{}, fault.Invalidf("title", "value_out_of_range", "is %d bytes long, above %d", len(req.Title), maxTitleBytes)
	}
	if len(req.Source) > maxSourceBytes {
		return events.About{}, fault.Invalidf("source", "value_out_of_range", "is %d bytes long, above %d", len(req.Source), maxSourceBytes)
	}
	if err := checkMetadata(req.Metadata, filterable); err != nil {
		return events.About{}, err
	}
	about := events.About{Title: req.Title, Source: req.Source, Metadata: req.Metadata}
	if u, err := url.Parse(req.Source); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		about.URL = req.Source
	}
	return about, nil
}

// checkMetadata accepts what the index stores and, where searches filter on a field, values of its type: others would
// be kept and never found.
func checkMetadata(metadata map[string]any, filterable map[string]tenants.FieldType) error {
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		path := "metadata." + name
		if name == "" || len(name) > maxMetadataName || name[0] == '$' || strings.ContainsAny(name, `."`) {
			return fault.Invalidf(path, "invalid_value", "%.64q is not a name for a metadata field", name).
				WithHint("use 1 to 64 bytes without dots and quotes, and no $ in front")
		}
		var got tenants.FieldType
		switch v := metadata[name].(type) {
		case string:
			got = tenants.FieldString
		case float64:
			got = tenants.FieldNumber
		case bool:
			got = tenants.FieldBoolean
		case []any:
			if slices.ContainsFunc(v, func(item any) bool { _, text := item.(string); return !text }) {
				return fault.Invalidf(path, "invalid_type", "a list in metadata holds strings")
			}
		default:
			return fault.Invalidf(path, "invalid_type", "expected a string, a number, a boolean or a list of strings")
		}
		if want, ok := filterable[name]; ok && got != want {
			return fault.Invalidf(path, "metadata_type", "searches filter on this field as a %s", want)
		}
	}
	if b, err := json.Marshal(metadata); err != nil || len(b) > maxMetadataBytes {
		return fault.Invalidf("metadata", "value_out_of_range", "is above %d bytes", maxMetadataBytes)
	}
	return nil
}

func (req chunkingRequest) check(model string) (events.Chunking, error) {
	limit := minChunkTokens
	if m, err := llm.FindEmbedding(model); err == nil {
		limit = m.Tokens
	}
	if req.MaxTokens != 0 && (req.MaxTokens < minChunkTokens || req.MaxTokens > limit) {
		return events.Chunking{}, fault.Invalidf("chunking.maxTokens", "value_out_of_range", "%d is not between %d and %d", req.MaxTokens, minChunkTokens, limit)
	}
	size := req.MaxTokens
	if size == 0 {
		size = limit
	}
	if req.OverlapTokens < 0 || req.OverlapTokens > size/2 {
		return events.Chunking{}, fault.Invalidf("chunking.overlapTokens", "value_out_of_range", "%d is not between 0 and half of the chunk, %d", req.OverlapTokens, size/2)
	}
	return events.Chunking(req), nil
}

// waitTime reads ?wait=30s: 1 s to 60 s, 0 when the caller does not wait.
func waitTime(r *http.Request) (time.Duration, error) {
	if r.URL.RawQuery == "" {
		return 0, nil
	}
	values, given := r.URL.Query()["wait"]
	if !given {
		return 0, nil
	}
	wait, err := time.ParseDuration(values[0])
	if err != nil || wait < time.Second || wait > time.Minute || len(values) > 1 {
		return 0, fault.Invalidf("wait", "invalid_query", "wait is a time between 1s and 60s, such as 30s")
	}
	return wait, nil
}
