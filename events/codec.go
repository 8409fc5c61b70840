package events

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/tenants"
)

// contentType is that of every fact.
const contentType = "application/json"

// maxID bounds the id of an event of ours, which is part of names.
const maxID = 128

// MarshalJSON is the event in the JSON format of CloudEvents, byte for byte what the SDK writes. An event that
// breaks a rule is fault.Invalid, code event_invalid.
func (e Event) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil) }

// AppendJSON appends what MarshalJSON returns to dst.
func (e Event) AppendJSON(dst []byte) ([]byte, error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	if dst == nil {
		dst = make([]byte, 0, 512+len(e.Data))
	}
	dst = append(dst, `{"specversion":"1.0","id":`...)
	dst = appendText(dst, e.ID)
	dst = appendMember(dst, `,"source":`, e.Source)
	dst = appendMember(dst, `,"type":`, e.Type)
	dst = appendMember(dst, `,"subject":`, e.Subject)
	dst = append(dst, `,"datacontenttype":"application/json","time":"`...)
	dst = e.Time.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, '"')
	if e.DataRef == "" {
		dst = append(dst, `,"data":`...)
		dst = append(dst, e.Data...)
	}
	dst = appendMember(dst, `,"causationid":`, e.CausationID)
	dst = appendMember(dst, `,"dataref":`, e.DataRef)
	dst = appendMember(dst, `,"idempotencykey":`, e.IdempotencyKey)
	dst = appendMember(dst, `,"tenantid":`, string(e.Tenant))
	dst = appendMember(dst, `,"traceparent":`, e.TraceParent)
	return append(dst, '}'), nil
}

// appendMember appends a member unless its value is empty.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return appendText(append(dst, name...), value)
}

// appendText appends a JSON string. Attributes hold no control characters, so two characters need an escape.
func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for {
		i := strings.IndexAny(s, `"\`)
		if i < 0 {
			break
		}
		dst = append(dst, s[:i]...)
		dst = append(dst, '\\', s[i])
		s = s[i+1:]
	}
	return append(append(dst, s...), '"')
}

// Decode reads an event of ours. It accepts what MarshalJSON writes, whatever the order of members, and ignores
// extensions it does not know. Errors are fault.Invalid, code event_invalid, with the attribute in Field.
// The event's Data aliases b.
func Decode(b []byte) (Event, error) {
	env, err := parseEnvelope(b)
	if err != nil {
		return Event{}, err
	}
	if env.binarySeen {
		return Event{}, invalid("data_base64", "an event of ours carries JSON in data")
	}
	if !isJSON(env.dataContentType) {
		return Event{}, invalid("datacontenttype", "must be "+contentType)
	}
	e := Event{ID: env.id, Type: env.typ, Source: env.source, Subject: env.subject, Time: env.time, Data: env.data}
	for _, x := range env.extensions {
		if err := e.extend(x); err != nil {
			return Event{}, err
		}
	}
	return e, e.check(false)
}

func (e *Event) extend(x extension) error {
	var to *string
	switch x.name {
	case "tenantid":
		to = (*string)(&e.Tenant)
	case "traceparent":
		to = &e.TraceParent
	case "causationid":
		to = &e.CausationID
	case "idempotencykey":
		to = &e.IdempotencyKey
	case "dataref":
		to = &e.DataRef
	default:
		return nil
	}
	text, ok := x.value.(string)
	if !ok || text == "" {
		return invalid(x.name, "must be a string and not empty")
	}
	*to = text
	return nil
}

// Check reports the first rule of CloudEvents or of ours that the event breaks.
func (e Event) Check() error { return e.check(true) }

// check leaves the data out when a scanner has just passed it.
func (e Event) check(withData bool) error {
	if err := e.checkAttributes(); err != nil {
		return err
	}
	if err := e.checkOrigin(); err != nil {
		return err
	}
	if e.DataRef != "" {
		if len(e.Data) > 0 {
			return invalid("dataref", "data and dataref exclude each other")
		}
		_, _, err := parseClaim(e.DataRef)
		return err
	}
	if len(e.Data) == 0 {
		return invalid("data", "is required")
	}
	if !withData {
		return nil
	}
	s := &scanner{b: e.Data}
	if !utf8.Valid(e.Data) {
		return invalid("data", "is not UTF-8")
	}
	if _, err := s.value(1); err != nil {
		return invalid("data", "%v", err)
	}
	if err := s.end(); err != nil {
		return invalid("data", "%v", err)
	}
	return nil
}

// checkAttributes checks the text of each attribute, ours first and then the SDK's opinion.
func (e Event) checkAttributes() error {
	required := [...]struct{ name, value string }{
		{"id", e.ID}, {"type", e.Type}, {"source", e.Source}, {"subject", e.Subject},
	}
	for _, a := range required {
		if err := checkFilled(a.name, a.value); err != nil {
			return err
		}
	}
	if len(e.ID) > maxID || !isPlain(e.ID) {
		return invalid("id", "is not a plain name of at most %d characters", maxID)
	}
	if err := checkText("causationid", e.CausationID); err != nil {
		return err
	}
	if err := checkText("idempotencykey", e.IdempotencyKey); err != nil {
		return err
	}
	if e.Time.IsZero() {
		return invalid("time", "is required")
	}
	if year := e.Time.UTC().Year(); year < 0 || year > 9999 {
		return invalid("time", "is not a time of RFC 3339")
	}
	if e.TraceParent != "" {
		if _, err := trace.Parse(e.TraceParent); err != nil {
			return invalid("traceparent", "%v", err)
		}
	}
	return validate(&cloudevents.EventContextV1{
		ID: e.ID, Type: e.Type, Subject: &e.Subject,
		Source: types.URIRef{URL: url.URL{Path: e.Source}},
		Time:   &types.Timestamp{Time: e.Time},
	})
}

// checkOrigin checks that tenantid is a tenant and the one in the source.
func (e Event) checkOrigin() error {
	if e.Tenant == "" {
		return invalid("tenantid", "is required")
	}
	if _, err := tenants.ParseID(string(e.Tenant)); err != nil {
		return invalid("tenantid", "%.40q is not a tenant id", e.Tenant)
	}
	rest, ok := strings.CutPrefix(e.Source, "/tenants/")
	tenant, worker, hasWorker := strings.Cut(rest, "/")
	if !ok || !hasWorker || !isPath(worker) {
		return invalid("source", "is not of the form /tenants/<id>/<worker>")
	}
	if tenant != string(e.Tenant) {
		return invalid("tenantid", "is not the tenant of the source")
	}
	return nil
}

// isPath reports whether s is a non-empty path of plain segments.
func isPath(s string) bool {
	for segment := range strings.SplitSeq(s, "/") {
		if !isPlain(segment) {
			return false
		}
	}
	return true
}

// isPlain reports whether s can stand in a URI and in a name as it is: unreserved characters, and no "." or "..".
func isPlain(s string) bool {
	if s == "" || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// As reads the data into f, a pointer to the struct of the event's type, and checks the fact. Members that the
// struct does not have are ignored: facts grow, and a consumer may be older than its producer. An event whose
// data is still claimed is refused: see Resolve.
func (e Event) As(f any) error {
	if e.DataRef != "" {
		return fault.New(fault.Internal, "event_unresolved", "the data of "+e.ID+" is in "+e.DataRef, nil)
	}
	fact, ok := f.(Fact)
	if !ok {
		return fault.New(fault.Internal, "event_type", fmt.Sprintf("%T is not a fact", f), nil)
	}
	if fact.Type() != e.Type {
		return fault.New(fault.Internal, "event_type", fmt.Sprintf("%T does not hold %s", f, e.Type), nil)
	}
	if err := json.Unmarshal(e.Data, f); err != nil {
		return fault.New(fault.Invalid, "event_invalid", "the data is not a "+e.Type, err)
	}
	if err := fact.Check(); err != nil {
		return fmt.Errorf("%s: %w", e.Type, err)
	}
	return nil
}
