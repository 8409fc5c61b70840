package imports

import (
	"bytes"
	"context"
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

// Add adds an entry. A part that is full is written; an entry that is larger than a part is one alone.
func (w *Writer) Add(ctx context.Context, e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fault.New(fault.Invalid, "metadata_invalid", "the entry cannot be written as JSON", err)
	}
	if w.in == MaxPartEntries || w.in > 0 && w.part.Len()+len(line)+1 > w.Limit {
		if err := w.Flush(ctx); err != nil {
			return err
		}
	}
	w.part.Write(line)
	w.part.WriteByte('\n')
	w.in++
	w.Entries++
	return nil
}

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
