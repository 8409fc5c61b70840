package extract

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
)

// Text is what a document says.
type Text struct {
	Body        []byte // UTF-8
	ContentType string // text/markdown, text/plain, or text/x-lines
	Title       string // that the document gives itself
	Format      corpus.Format
	Charset     string // that a text was in: "windows-1252"
}

// MaxText is how long the text of a document may be: more would not fit into a consumer's memory beside its chunks.
const MaxText = 16 << 20

// roomFor is where a text of n bytes is written to, at once: what grows by doubling is in memory three times. That is in the reserve if it can be. Else
// what the reading before it has left goes first if the text is long: with it there might be no piece of a Worker's memory that is large enough.
func roomFor(reserve []byte, n int) []byte {
	if n <= cap(reserve) {
		return reserve[:0]
	}
	if n > MaxText/16 {
		runtime.GC()
	}
	return make([]byte, 0, n)
}

// The content types of texts.
const (
	plain    = "text/plain"
	markdown = "text/markdown"
	lines    = "text/x-lines" // of which each says something: cut as code is, between lines
)

// Extract takes the text out of a document. Its faults are fault.Invalid: content_type_unsupported, document_encrypted,
// document_has_no_text, document_broken, document_expands.
func Extract(contentType string, data []byte) (t Text, err error) {
	return Into(nil, contentType, data)
}

// Into is Extract for a text that may be long: it is written to the room that reserve has, if that is enough. What was in there is lost, and
// nobody may use the text any more when the reserve is used again.
func Into(reserve []byte, contentType string, data []byte) (t Text, err error) {
	format, err := corpus.FormatOf(contentType)
	if err != nil {
		return Text{}, err
	}
	if format == corpus.Unknown {
		if format = Sniff(data); format == corpus.Unknown {
			return Text{}, fault.Invalidf("contentType", "content_type_unsupported", "the document's bytes are of no format that is known").
				WithHint("say its content type; " + corpus.SupportedTypes)
		}
	}
	defer func() {
		if p := recover(); p != nil {
			t, err = Text{}, broken(format, fmt.Errorf("panic: %v", p))
		}
	}()
	t, err = read(reserve, format, contentType, data)
	if err != nil {
		return Text{}, err
	}
	t.Format = format
	if t.Title == "" && t.ContentType == markdown {
		t.Title = firstHeading(t.Body)
	}
	t.Title = oneLine(t.Title, maxTitle)
	if len(t.Body) > MaxText {
		return Text{}, expands()
	}
	if len(bytes.TrimSpace(t.Body)) == 0 {
		return Text{}, fault.Invalidf("text", "document_has_no_text", "there is no text in the document").WithHint(noTextHints[format])
	}
	return t, nil
}

var noTextHints = map[corpus.Format]string{
	corpus.PDF: "a scan has pictures of its pages only: recognise the text (OCR) before you submit it",
}

func read(reserve []byte, format corpus.Format, contentType string, data []byte) (Text, error) {
	switch format {
	case corpus.PDF:
		return readPDF(data)
	case corpus.DOCX, corpus.PPTX:
		return readOffice(reserve, format, data)
	}
	text, charset, err := decode(data, corpus.Charset(contentType), format == corpus.HTML)
	if err != nil {
		return Text{}, err
	}
	t := Text{Body: text, ContentType: plain}
	switch format {
	case corpus.HTML:
		t, err = readHTML(reserve, text)
	case corpus.JSON:
		t = readJSON(reserve, text)
	case corpus.CSV:
		t = readCSV(reserve, text, contentType)
	case corpus.Markdown:
		t.ContentType = markdown
	case corpus.Code:
		t.ContentType = lines
	}
	t.Charset = charset
	return t, err
}

// broken is the fault of a document that is not what it says, or not all of it. Its cause is for operators.
func broken(format corpus.Format, cause error) error {
	return fault.New(fault.Invalid, "document_broken", fmt.Sprintf("the document cannot be read as %s", format), cause).
		WithHint("open it in a program of its kind and save it again, or check that it arrived whole")
}

func expands() error {
	return fault.Invalidf("text", "document_expands", "the document's text is longer than %d bytes", MaxText).
		WithHint("divide it into several documents")
}

// maxTitle is how many characters of a title are kept, as many as a client may give.
const maxTitle = 500

// firstHeading is the heading of the first rank that a text begins with.
func firstHeading(body []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimLeft(body, "\r\n"), []byte("\n"))
	title, ok := bytes.CutPrefix(line, []byte("# "))
	if !ok {
		return ""
	}
	return string(bytes.TrimSpace(title))
}

// oneLine is s with its white space collapsed, cut to n characters.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if utf8.RuneCountInString(s) > n {
		s = string([]rune(s)[:n])
	}
	return s
}
