package transfer

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// LinesType is the media type of a page: JSON lines. A document has a line, and its text, where that was asked for, the next one; the last line says that
// the page is whole.
const LinesType = "application/x-ndjson"

// End is the last line of a page.
type End struct {
	End bool `json:"end"`
	// Next is the cursor of the rest of a list, "" at its end.
	Next string `json:"next,omitempty"`
	// Taken is how many of the documents that were asked for by id the page speaks of, from the first on. Those that have no line are gone.
	Taken int `json:"taken,omitempty"`
}

// maxLine is how long a line may be that has no text in it.
const maxLine = 64 << 10

// textHead is what the line of a text begins with. The text is its base64, and the line's only field.
const textHead = `{"text":"`

// Writer writes a page.
type Writer struct{ to *bufio.Writer }

// NewWriter makes a writer; Close flushes.
func NewWriter(to io.Writer) *Writer { return &Writer{bufio.NewWriterSize(to, 32<<10)} }

// Document writes the line of a document. What is of use inside of its pool alone is left out.
func (w *Writer) Document(c Card) error {
	c.TextKey = ""
	return w.line(struct {
		Document Card `json:"document"`
	}{c})
}

// Text writes the text of the document before it.
func (w *Writer) Text(text []byte) error {
	if _, err := w.to.WriteString(textHead); err != nil {
		return err
	}
	enc := base64.NewEncoder(base64.StdEncoding, w.to)
	if _, err := enc.Write(text); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	_, err := w.to.WriteString("\"}\n")
	return err
}

// Close says that the page is whole.
func (w *Writer) Close(e End) error {
	e.End = true
	return errors.Join(w.line(e), w.to.Flush())
}

func (w *Writer) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.to.Write(append(b, '\n'))
	return err
}

// errTorn is of a page that is not what a pool writes, or ended early.
func errTorn(why string, err error) error {
	return fault.New(fault.Unavailable, "source_torn", "a page of the source was not whole: "+why, err)
}

// ReadPage reads a page and shows each document with its text, nil where none came. One text is in memory at a time, and its digest is the card's.
func ReadPage(from io.Reader, each func(c Card, text []byte) error) (End, error) {
	r := bufio.NewReaderSize(from, maxLine)
	var last *Card
	show := func(text []byte) error {
		if last == nil {
			return nil
		}
		c := *last
		last = nil
		return each(c, text)
	}
	for {
		if head, err := r.Peek(len(textHead)); err == nil && string(head) == textHead {
			if last == nil {
				return End{}, errTorn("a text without its document", nil)
			}
			text, err := readText(r, *last)
			if err == nil {
				err = show(text)
			}
			if err != nil {
				return End{}, err
			}
			continue
		}
		line, err := r.ReadSlice('\n')
		if err != nil {
			return End{}, errTorn("it ended early", err)
		}
		var l struct {
			Document *Card `json:"document"`
			End
		}
		if err := json.Unmarshal(bytes.TrimSpace(line), &l); err != nil {
			return End{}, errTorn("a line is no JSON", err)
		}
		if err := show(nil); err != nil {
			return End{}, err
		}
		switch {
		case l.End.End:
			return l.End, nil
		case l.Document == nil || l.Document.DocID == "" || l.Document.Bytes < 0:
			return End{}, errTorn("a line says nothing", nil)
		}
		last = l.Document
	}
}

// readText reads the line of a document's text, which is as long as its card says.
func readText(r *bufio.Reader, c Card) ([]byte, error) {
	if c.Bytes > tenants.MaxBodyBytes {
		return nil, errTorn("a text is longer than any document", nil)
	}
	if _, err := r.Discard(len(textHead)); err != nil {
		return nil, errTorn("it ended early", err)
	}
	text := make([]byte, c.Bytes)
	coded := io.LimitReader(r, int64(base64.StdEncoding.EncodedLen(c.Bytes)))
	if _, err := io.ReadFull(base64.NewDecoder(base64.StdEncoding, coded), text); err != nil {
		return nil, errTorn("a text ended early", err)
	}
	if _, err := io.Copy(io.Discard, coded); err != nil { // its padding
		return nil, errTorn("a text ended early", err)
	}
	if tail, err := r.ReadSlice('\n'); err != nil || string(tail) != "\"}\n" {
		return nil, errTorn("a text is longer than its document", err)
	}
	if corpus.Sum(text) != c.SHA256 {
		return nil, errTorn("a text is not what its document says", nil)
	}
	return text, nil
}
