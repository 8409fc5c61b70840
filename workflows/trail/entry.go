package trail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Entry is one entry of the chain.
type Entry struct {
	Seq  int64  `json:"seq"`            // its place: 1, 2, 3
	Prev string `json:"prev"`           // hash of the entry before it; of the first, Genesis
	Hash string `json:"hash,omitempty"` // SHA-256 of the canonical JSON of all else
	events.AuditEntry
}

// KindEvent is the kind of an entry that tells no act.
const KindEvent = "event"

// Kind is what sort of entry it is: that of its act, or KindEvent.
func (e *Entry) Kind() string {
	if e.Act == nil {
		return KindEvent
	}
	return string(e.Act.Kind)
}

// Name is what was done; of an entry that tells no act, the type of its event.
func (e *Entry) Name() string {
	if e.Act == nil {
		return e.Type
	}
	return e.Act.Name
}

// Erases reports whether the entry says that all before it was erased, with everything of the tenant.
func (e *Entry) Erases() bool { return e.Type == events.TypeTenantErased }

// Head is the end of a chain.
type Head struct {
	Seq  int64  `json:"seq"` // 0 of an empty one
	Hash string `json:"hash"`
}

// Genesis is what the first entry of a tenant's chain has for the hash of the one before: the SHA-256 of the tenant's id.
func Genesis(tenant tenants.ID) string { return digest([]byte(tenant)) }

// Link is the entry that follows the head, and its line: canonical JSON without a line break, as it is kept, told and exported.
func Link(head Head, e events.AuditEntry) (entry Entry, line []byte, err error) {
	entry = Entry{Seq: head.Seq + 1, Prev: head.Hash, AuditEntry: e}
	b, err := canonical(entry)
	if err != nil {
		return entry, nil, err
	}
	entry.Hash = digest(b)
	line, err = canonical(entry)
	return entry, line, err
}

// Read reads a line. It does not look whether the line has its hash.
func Read(line []byte) (e Entry, err error) {
	if err := json.Unmarshal(line, &e); err != nil {
		return e, fault.New(fault.Internal, "audit_encoding", "an entry of the trail cannot be read", err)
	}
	return e, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// canonical is v as JSON in the form of RFC 8785: members by their names, nothing between them, no more escapes than are needed. An entry has texts,
// whole numbers and names in ASCII, of which encoding/json writes the same once its members are sorted, but for two characters. https://www.rfc-editor.org/rfc/rfc8785
func canonical(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fault.New(fault.Internal, "audit_encoding", "", err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var members map[string]any // which are written in the order of their names
	if err := dec.Decode(&members); err != nil {
		return nil, fault.New(fault.Internal, "audit_encoding", "", err)
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(members); err != nil {
		return nil, fault.New(fault.Internal, "audit_encoding", "", err)
	}
	return bare(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), nil
}

// bare writes the two separators as they are that encoding/json escapes for JavaScript's sake.
func bare(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u202`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
			i++
		case bytes.HasPrefix(b[i:], []byte(`\u2028`)) || bytes.HasPrefix(b[i:], []byte(`\u2029`)):
			out = append(out, 0xE2, 0x80, 0xA0|b[i+5]&0xF)
			i += len(`\u2028`)
		default:
			out = append(out, b[i:i+2]...)
			i += 2
		}
	}
	return out
}
