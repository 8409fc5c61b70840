package extract

import (
	"bytes"
	"errors"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/extract/pdf"
)

// readPDF takes the pages of a PDF file one after the other, with a blank line between them.
func readPDF(data []byte) (Text, error) {
	d, err := pdf.Read(data, MaxText)
	switch {
	case errors.Is(err, pdf.ErrEncrypted):
		return Text{}, fault.New(fault.Invalid, "document_encrypted", "the document is protected with a password", err).
			WithHint("save it without a password")
	case errors.Is(err, pdf.ErrExpands):
		return Text{}, expands()
	case err != nil:
		return Text{}, broken(corpus.PDF, err)
	}
	if len(d.Text) == 0 && !ends(data) {
		return Text{}, broken(corpus.PDF, errors.New("it breaks off")) // and no scan, as far as anybody knows
	}
	return Text{Body: d.Text, ContentType: plain, Title: d.Title}, nil
}

// ends reports whether a file has what a PDF ends with. Readers forgive the lack of the one or the other.
func ends(data []byte) bool {
	tail := data[max(0, len(data)-2048):]
	return bytes.Contains(tail, []byte("startxref")) || bytes.Contains(tail, []byte("%%EOF"))
}
