package api

import (
	"encoding/base64"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

type ingestRequest struct {
	DocID       string          `json:"docId"`
	Text        text            `json:"text"`
	Base64      text            `json:"base64"`
	URL         string          `json:"url"` // where the text is from, or without one, where it is to be fetched
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

// ReadDraft reads a document as POST /ingest takes it: one JSON object. It is for the doors through which many come, which are
// given it by the wiring. The draft's text may be a part of the body, which nobody may read or change any more.
func ReadDraft(config *tenants.Config, body []byte) (corpus.Draft, error) {
	req, err := ingestForm.decode(body)
	if err != nil {
		return corpus.Draft{}, err
	}
	return req.draft(config)
}

// draft makes of the request what the intake takes. It checks what only the wire has: which field the text is in, and
// how. What makes a sound document is the intake's to say, to whoever hands one in.
func (req *ingestRequest) draft(config *tenants.Config) (corpus.Draft, error) {
	contentType, err := req.contentType()
	if err != nil {
		return corpus.Draft{}, err
	}
	text, err := req.text()
	if err != nil {
		return corpus.Draft{}, err
	}
	about, err := req.about(config.Search.Filterable)
	if err != nil {
		return corpus.Draft{}, err
	}
	fetch := ""
	if req.Text == nil && req.Base64 == nil {
		fetch = req.URL
	}
	return corpus.Draft{
		DocID: req.DocID, Fetch: fetch, Text: text, ContentType: contentType, About: about, Chunking: events.Chunking(req.Chunking),
		Model: config.Models.Embedding, MaxBytes: config.Limits.DocumentBytes,
		Pace: corpus.PaceOf(config), Rules: corpus.RulesOf(config),
	}, nil
}

// contentType is the media type of the document, with its charset if the bytes are the client's own; a text in JSON has none.
// Without one, bytes and what is fetched are looked at.
func (req *ingestRequest) contentType() (string, error) {
	if req.ContentType == "" {
		if req.Text != nil {
			return "text/plain", nil
		}
		return corpus.OctetStream, nil
	}
	format, err := corpus.FormatOf(req.ContentType)
	if err != nil {
		return "", err
	}
	if req.Text != nil && format.Binary() {
		return "", fault.Invalidf("contentType", "invalid_value", "a text is not %s", format).WithHint("send the bytes, as base64")
	}
	media, params, err := mime.ParseMediaType(req.ContentType)
	if charset := params["charset"]; charset != "" && err == nil && req.Text == nil {
		media = mime.FormatMediaType(media, map[string]string{"charset": charset})
	}
	return media, err
}

// text is the document's bytes, from the one field that holds them; nil when the document is to be fetched.
func (req *ingestRequest) text() ([]byte, error) {
	switch {
	case req.Text != nil && req.Base64 != nil:
		return nil, fault.Invalidf("base64", "fields_exclusive", "send text or base64, not both")
	case req.Text != nil:
		return req.Text, nil
	case req.Base64 != nil:
		n, err := base64.StdEncoding.Decode(req.Base64, req.Base64) // where it stands: it gets shorter
		if err != nil {
			return nil, fault.Invalidf("base64", "invalid_value", "is not base64 (RFC 4648, padded)")
		}
		return req.Base64[:n], nil
	}
	if req.URL != "" {
		return nil, nil
	}
	return nil, fault.Invalidf("text", "field_required", "text, base64 or url is required")
}

// about is what the document says of itself. Its address becomes a link in other people's pages, so it is one of the web.
func (req *ingestRequest) about(filterable map[string]tenants.FieldType) (events.About, error) {
	if req.URL != "" {
		u, err := url.Parse(req.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return events.About{}, fault.Invalidf("url", "invalid_value", "is not an http or https address")
		}
	}
	err := checkFilterable(req.Metadata, filterable)
	return events.About{Title: req.Title, Source: req.Source, URL: req.URL, Metadata: req.Metadata}, err
}

// checkFilterable refuses a value of another type than searches filter its field by: it would be kept and never found.
func checkFilterable(metadata map[string]any, fields map[string]tenants.FieldType) error {
	for _, name := range slices.Sorted(maps.Keys(metadata)) {
		var got tenants.FieldType
		switch metadata[name].(type) {
		case string:
			got = tenants.FieldString
		case float64:
			got = tenants.FieldNumber
		case bool:
			got = tenants.FieldBoolean
		}
		if want, ok := fields[name]; ok && got != want {
			return fault.Invalidf("metadata."+name, "metadata_type", "searches filter on this field as a %s", want)
		}
	}
	return nil
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
