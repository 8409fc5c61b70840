package imports

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Writer writes the entries of an import as parts, one part in memory at a time.
type Writer struct {
	parts   Parts
	scope   tenants.Scope
	id      string
	part    bytes.Buffer
	in      int // the part
	Limit   int // bytes of a part; MaxPartBytes, or fewer
	Parts   int // written, and so the number of the next
	Entries int // added
}

// NewWriter writes parts of an import, from the part of the given number on.
func NewWriter(parts Parts, s tenants.Scope, id string, next int) *Writer {
	return &Writer{parts: parts, scope: s, id: id, Limit: MaxPartBytes, Parts: next}
}

// Add adds an entry. A part that is full is written; an entry that is larger than a part is one alone, and is written at once.
func (w *Writer) Add(ctx context.Context, e Entry) error {
	var text []byte
	if e.Draft != nil {
		draft := *e.Draft
		text, draft.Text, e.Draft = draft.Text, nil, &draft
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fault.New(fault.Invalid, "metadata_invalid", "the entry cannot be written as JSON", err)
	}
	size := len(line) + base64.StdEncoding.EncodedLen(len(text)) + 1
	if w.in == MaxPartEntries || w.in > 0 && w.part.Len()+size > w.Limit {
		if err := w.Flush(ctx); err != nil {
			return err
		}
	}
	w.part.Grow(size)
	w.write(line, text)
	w.in++
	w.Entries++
	if w.part.Len() > w.Limit {
		return w.Flush(ctx)
	}
	return nil
}

// write writes an entry that was encoded without its text. The text is encoded where it goes: by the encoder of JSON it would be in memory
// three times more, which a large one has no room for.
func (w *Writer) write(line, text []byte) {
	if text != nil {
		head, rest, _ := bytes.Cut(line, noText) // the first: what stands before it are strings, whose quotes are escaped
		w.part.Write(head)
		w.part.WriteString(`"Text":"`)
		w.part.Write(base64.StdEncoding.AppendEncode(w.part.AvailableBuffer(), text))
		w.part.WriteByte('"')
		line = rest
	}
	w.part.Write(line)
	w.part.WriteByte('\n')
}

var noText = []byte(`"Text":null`)

// Flush writes what was added and is not written yet.
func (w *Writer) Flush(ctx context.Context) error {
	if w.in == 0 {
		return nil
	}
	if err := w.parts.Put(ctx, w.scope, w.id, w.Parts, w.part.Bytes()); err != nil {
		return err
	}
	w.Parts++
	w.in = 0
	if w.part.Cap() > 2*w.Limit {
		w.part = bytes.Buffer{} // an entry of many megabytes does not hold its room for ever
	}
	w.part.Reset()
	return nil
}

// readPart takes the entries of a part apart.
func readPart(ndjson []byte) (entries []Entry, err error) {
	for line := range bytes.Lines(ndjson) {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fault.New(fault.Internal, "part_corrupt", "a part of the import is not what was written", err)
		}
		entries = append(entries, e)
	}
	return entries, nil
}
