package webhook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"strings"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/events/tally"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/imports"
)

// ImportRequested is the type of an event that starts an import. Its data has one of urls, sitemap and prefix.
const ImportRequested = "dev.levada.import.requested"

// meaning is what an event is to do: one of its fields.
type meaning struct {
	deletes string // a document's id
	draft   *corpus.Draft
	origin  *imports.Origin

	// foreign says that the sender did not write the event for us: what cannot be searched in it is no mistake.
	foreign bool
}

// reader makes documents of events of one source.
type reader struct {
	config *tenants.Config
	source *tenants.Source
	// draft reads what POST /ingest takes.
	draft func(*tenants.Config, []byte) (corpus.Draft, error)
}

// read says what an event means. Errors name the field in the event: "data.metadata.year".
func (r reader) read(ev *cloudevents.Event) (meaning, error) {
	if ev.Type() == ImportRequested {
		origin, err := readOrigin(ev)
		if origin != nil {
			origin.Rules = corpus.RulesOf(r.config)
		}
		return meaning{origin: origin}, err
	}
	hook := r.source.Webhook
	if media, _ := mediaType(ev); hook.Fields != nil && isJSON(media) { // a tree is made of it
		if err := tally.Check(ev.Data(), "data", tally.MaxValues); err != nil {
			return meaning{}, err
		}
	}
	if hook.IsDelete(ev.Type()) {
		id, err := imports.Named(r.config, r.source.ID, r.docID(ev))
		return meaning{deletes: id}, err
	}
	d, foreign, err := r.document(ev)
	if err != nil {
		return meaning{}, err
	}
	if d.DocID == "" {
		d.DocID = r.docID(ev)
	}
	if d.DocID, err = imports.Named(r.config, r.source.ID, d.DocID); err != nil {
		return meaning{}, err
	}
	if d.About.Source == "" {
		d.About.Source = r.source.ID
	}
	return meaning{draft: &d, foreign: foreign}, nil
}

// document is the draft of an event's data, perhaps without an id.
func (r reader) document(ev *cloudevents.Event) (d corpus.Draft, foreign bool, err error) {
	media, contentType := mediaType(ev)
	data := ev.Data()
	fields := r.source.Webhook.Fields
	switch {
	case fields != nil:
		d, err = r.byFields(fields, media, data)
		return d, false, err
	case !isJSON(media):
		return r.plain(data, contentType), true, nil
	case len(bytes.TrimSpace(data)) == 0 || string(bytes.TrimSpace(data)) == "null":
		return r.plain(nil, "text/plain"), true, nil
	}
	if !json.Valid(data) {
		if media == "" { // nobody said that it is
			return r.plain(data, unnamed(data)), true, nil
		}
		return d, false, fault.Invalidf("data", "invalid_json", "is not JSON, as its content type says")
	}
	switch bytes.TrimSpace(data)[0] {
	case '"':
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return d, false, fault.Invalidf("data", "invalid_json", "is not JSON")
		}
		return r.plain([]byte(text), "text/plain"), true, nil
	case '{':
		if isDocument(data) {
			d, err = r.draft(r.config, data)
			return d, false, inData(err)
		}
	}
	return r.plain(data, "application/json"), true, nil
}

// plain is data that is the document.
func (r reader) plain(text []byte, contentType string) corpus.Draft {
	return corpus.Draft{
		Text: text, ContentType: contentType, Model: r.config.Models.Embedding, MaxBytes: r.config.Limits.DocumentBytes,
		Pace: corpus.PaceOf(r.config),
	}
}

// isDocument reports whether an object is what POST /ingest takes, perhaps with mistakes: it says where the text is.
func isDocument(object []byte) bool {
	var members struct{ Text, Base64, URL json.RawMessage }
	return json.Unmarshal(object, &members) == nil && (members.Text != nil || members.Base64 != nil || members.URL != nil)
}

// byFields gathers the document from where the source has its parts, in the form of POST /ingest, whose rules then apply.
func (r reader) byFields(fields *tenants.Fields, media string, data []byte) (corpus.Draft, error) {
	value, err := decode(media, data)
	if err != nil {
		return corpus.Draft{}, err
	}
	request, at := map[string]any{}, map[string]string{}
	for name, pointer := range map[string]string{"docId": fields.DocID, "text": fields.Text, "title": fields.Title, "url": fields.URL,
		"source": fields.Source, "contentType": fields.ContentType} {
		if pointer == "" {
			continue
		}
		at[name] = pointer
		if found, ok := find(value, pointer); ok && found != nil {
			request[name] = found
		}
	}
	if id, ok := request["docId"]; ok {
		request["docId"] = imports.DocID(text(id))
	}
	metadata := map[string]any{}
	for name, pointer := range fields.Metadata {
		at["metadata."+name] = pointer
		if found, ok := find(value, pointer); ok && found != nil {
			metadata[name] = found
		}
	}
	if len(metadata) > 0 {
		request["metadata"] = metadata
	}
	body, err := json.Marshal(request)
	if err != nil {
		return corpus.Draft{}, fault.New(fault.Internal, "fields_encoding", "", err)
	}
	d, err := r.draft(r.config, body)
	var f *fault.Error
	if errors.As(err, &f) {
		if pointer, ok := at[f.Field]; ok {
			moved := *f
			moved.Field = "data" + pointer
			return d, &moved
		}
	}
	return d, inData(err)
}

// docID is the document that an event is about: where the source has the id, else its subject, else its own id. What cannot be the id of
// a document is made one, the same each time.
func (r reader) docID(ev *cloudevents.Event) string {
	if fields := r.source.Webhook.Fields; fields != nil && fields.DocID != "" {
		media, _ := mediaType(ev)
		if value, err := decode(media, ev.Data()); err == nil {
			if found, ok := find(value, fields.DocID); ok && text(found) != "" {
				return imports.DocID(text(found))
			}
		}
	}
	if ev.Subject() != "" {
		return imports.DocID(ev.Subject())
	}
	return imports.DocID(ev.ID())
}

// text is a JSON string or number as text.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// decode reads JSON data and keeps its numbers as they stand.
func decode(media string, data []byte) (any, error) {
	if !isJSON(media) {
		return nil, fault.Invalidf("datacontenttype", "content_type_unsupported", "%.80q is not JSON, in which this source has its fields", media)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var value any
	err := dec.Decode(&value)
	if _, more := dec.Token(); err != nil || !errors.Is(more, io.EOF) {
		return nil, fault.Invalidf("data", "invalid_json", "is not JSON")
	}
	return value, nil
}

// mediaType is the media type of an event's data, and the content type of a document of it. The JSON format has text as Unicode,
// whatever charset its type speaks of.
func mediaType(ev *cloudevents.Event) (media, contentType string) {
	contentType = ev.DataContentType()
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return contentType, contentType
	}
	if !ev.DataBase64 {
		delete(params, "charset")
	}
	return media, mime.FormatMediaType(readableType(media), params)
}

// readableType is the type as which data of a media type can be read: text of any kind can, and XML.
func readableType(media string) string {
	if _, err := corpus.FormatOf(media); err == nil {
		return media
	}
	switch {
	case strings.HasSuffix(media, "+xml"):
		return "application/xml"
	case strings.HasPrefix(media, "text/"):
		return "text/plain"
	}
	return media
}

// unnamed is the content type of data that has none.
func unnamed(data []byte) string {
	if utf8.Valid(data) {
		return "text/plain"
	}
	return "application/octet-stream"
}

// isJSON reports whether data of a media type is JSON; without one it may be.
func isJSON(media string) bool {
	return media == "" || strings.HasSuffix(media, "/json") || strings.HasSuffix(media, "+json")
}

// inData moves the place of a mistake into the event.
func inData(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	moved := *f
	moved.Field = strings.TrimSuffix("data."+f.Field, ".")
	return &moved
}

// readOrigin reads the data of an event that starts an import.
func readOrigin(ev *cloudevents.Event) (*imports.Origin, error) {
	var asked struct {
		URLs    []string `json:"urls"`
		Sitemap string   `json:"sitemap"`
		Prefix  string   `json:"prefix"`
	}
	if err := tally.Check(ev.Data(), "data", tally.MaxValues); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(ev.Data()))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&asked); err != nil {
		return nil, fault.Invalidf("data", "invalid_type", "is not an object of urls, sitemap or prefix")
	}
	return &imports.Origin{URLs: asked.URLs, Sitemap: asked.Sitemap, Prefix: asked.Prefix}, nil
}

// eventKey is the idempotency key of an event.
func eventKey(source string, ev *cloudevents.Event) string {
	return "webhook:" + source + ":" + digestOf(ev.Source(), ev.ID())
}

// digestOf is a hash of texts, none of which may hold a zero.
func digestOf(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// causeOf is what follows from an event: its own trace goes on, when it has one.
func causeOf(request events.Cause, source string, ev *cloudevents.Event) events.Cause {
	request.IdempotencyKey = eventKey(source, ev)
	if parent := traceOf(ev); parent != "" {
		request.TraceParent = parent
	}
	return request
}
