package imports

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

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
	l, err := newLine(e)
	if err != nil {
		return err
	}
	if w.in == MaxPartEntries || w.in > 0 && w.part.Len()+l.size() > w.Limit {
		if err := w.Flush(ctx); err != nil {
			return err
		}
	}
	w.in++
	w.Entries++
	if l.size() > w.Limit {
		return w.put(ctx, l.reader(), l.size())
	}
	w.part.Grow(l.size())
	_, err = w.part.ReadFrom(l.reader())
	return err
}

// Flush writes what was added and is not written yet.
func (w *Writer) Flush(ctx context.Context) error {
	if w.in == 0 {
		return nil
	}
	if err := w.put(ctx, bytes.NewReader(w.part.Bytes()), w.part.Len()); err != nil {
		return err
	}
	w.part.Reset()
	return nil
}

// put writes a part.
func (w *Writer) put(ctx context.Context, ndjson io.Reader, size int) error {
	if err := w.parts.Put(ctx, w.scope, w.id, w.Parts, ndjson, int64(size)); err != nil {
		return err
	}
	w.Parts++
	w.in = 0
	return nil
}

// line is an entry as it stands in a part. Its text is encoded as it is read: by the encoder of JSON a large one would be in memory three times
// more, which there is no room for.
type line struct {
	head, tail string // of the entry as JSON, before and after its text
	text       []byte
}

func newLine(e Entry) (line, error) {
	var text []byte
	if e.Draft != nil {
		draft := *e.Draft
		text, draft.Text, e.Draft = draft.Text, nil, &draft
	}
	entry, err := json.Marshal(e)
	if err != nil {
		return line{}, fault.New(fault.Invalid, "metadata_invalid", "the entry cannot be written as JSON", err)
	}
	if text == nil {
		return line{head: string(entry) + "\n"}, nil
	}
	head, tail, _ := strings.Cut(string(entry), `"Text":null`) // the first: what stands before it are strings, whose quotes are escaped
	return line{head + `"Text":"`, `"` + tail + "\n", text}, nil
}

func (l line) size() int {
	return len(l.head) + base64.StdEncoding.EncodedLen(len(l.text)) + len(l.tail)
}

func (l line) reader() io.Reader {
	return io.MultiReader(strings.NewReader(l.head), &encoded{text: l.text}, strings.NewReader(l.tail))
}

// encoded reads as the base64 of a text.
type encoded struct {
	text []byte // that is not encoded yet
	some []byte // that nobody has read yet
	room [16 << 10]byte
}

// Read implements io.Reader.
func (e *encoded) Read(p []byte) (int, error) {
	if len(e.some) == 0 {
		if len(e.text) == 0 {
			return 0, io.EOF
		}
		n := min(len(e.text), base64.StdEncoding.DecodedLen(len(e.room)))
		e.some, e.text = base64.StdEncoding.AppendEncode(e.room[:0], e.text[:n]), e.text[n:]
	}
	n := copy(p, e.some)
	e.some = e.some[n:]
	return n, nil
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
