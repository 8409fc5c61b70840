package extract

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/markup"
)

// maxPart is how large a part of an office document may be once it is unpacked: markup is several times its text.
const maxPart = 4 * MaxText

// readOffice reads the parts of a Word document or a presentation that have text, in order.
func readOffice(reserve []byte, format corpus.Format, data []byte) (Text, error) {
	if bytes.HasPrefix(data, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) { // an OLE container: an old format, or an encrypted one
		return Text{}, fault.Invalidf("text", "document_encrypted", "the document is protected with a password, or in the format of before 2007").
			WithHint("save it without a password, as " + string(format))
	}
	z, err := openZip(data)
	if err != nil {
		return Text{}, broken(format, err)
	}
	p := &parts{format: format, files: map[string]*zip.File{}, left: maxPart}
	for _, f := range z.File {
		p.files[f.Name] = f
	}
	w := &writer{}
	if format == corpus.DOCX {
		err = p.document(w)
	} else {
		err = p.slides(w)
	}
	if err != nil {
		return Text{}, err
	}
	return Text{Body: w.out.join(reserve), ContentType: markdown, Title: p.title()}, nil
}

// parts is the container of an office document.
type parts struct {
	format corpus.Format
	files  map[string]*zip.File
	left   int64 // how much may still be unpacked
}

// read hands the markup of a part to f, if there is such a part.
func (p *parts) read(name string, f func(*markup.Decoder) error) error {
	file := p.files[name]
	if file == nil {
		return nil
	}
	r, err := file.Open()
	if err != nil {
		return broken(p.format, err)
	}
	defer r.Close()
	return p.wrong(f(markup.NewDecoder(r, &p.left)))
}

// wrong is a fault as it is, and anything else a broken document.
func (p *parts) wrong(err error) error {
	f := new(fault.Error)
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, markup.ErrExpands):
		return expands()
	}
	return broken(p.format, err)
}

// document writes a Word document: its body, then its notes.
func (p *parts) document(w *writer) error {
	if p.files["word/document.xml"] == nil {
		return broken(p.format, errors.New("no word/document.xml"))
	}
	styles, err := p.styles()
	if err != nil {
		return err
	}
	w.headings = styles
	for _, name := range []string{"word/document.xml", "word/footnotes.xml", "word/endnotes.xml"} {
		if err := p.body(w, name); err != nil {
			return err
		}
	}
	return nil
}

// slides writes a presentation, each slide under a heading; the speaker's notes are left out.
func (p *parts) slides(w *writer) error {
	const prefix = "ppt/slides/slide"
	var numbers []int
	for name := range p.files {
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, prefix), ".xml")); err == nil && strings.HasPrefix(name, prefix) {
			numbers = append(numbers, n)
		}
	}
	if len(numbers) == 0 {
		return broken(p.format, errors.New("no slides"))
	}
	slices.Sort(numbers)
	for i, n := range numbers {
		w.paragraph("## Slide " + strconv.Itoa(i+1))
		if err := p.body(w, fmt.Sprintf("%s%d.xml", prefix, n)); err != nil {
			return err
		}
	}
	return nil
}

// body writes the paragraphs and tables of a part.
func (p *parts) body(w *writer, name string) error { return p.read(name, w.read) }

// styles is the rank of the paragraph styles that are headings: by their outline level, or by their names.
func (p *parts) styles() (map[string]int, error) {
	ranks, id := map[string]int{}, ""
	return ranks, p.read("word/styles.xml", func(dec *markup.Decoder) error {
		for len(ranks) <= maxStyles {
			tok, err := dec.Token()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			e, ok := tok.(xml.StartElement)
			if !ok {
				continue
			}
			switch e.Name.Local {
			case "style":
				id = attr(e, "styleId")
			case "name":
				if n, ok := strings.CutPrefix(strings.ToLower(attr(e, "val")), "heading "); ok {
					setRank(ranks, id, n, 0)
				} else if n == "title" {
					ranks[id] = 1
				}
			case "outlineLvl":
				setRank(ranks, id, attr(e, "val"), 1)
			}
		}
		return expands()
	})
}

// maxStyles is how many styles of headings are kept.
const maxStyles = 10_000

func setRank(ranks map[string]int, id, n string, add int) {
	if rank, err := strconv.Atoi(n); err == nil && rank+add >= 1 && rank+add <= 9 {
		ranks[id] = min(rank+add, 6)
	}
}

// title is what the document's properties say; without them it has none.
func (p *parts) title() (title string) {
	_ = p.read("docProps/core.xml", func(dec *markup.Decoder) error {
		for in := false; ; {
			tok, err := dec.Token()
			if err != nil {
				return err
			}
			switch t := tok.(type) {
			case xml.StartElement:
				in = t.Name.Local == "title"
			case xml.CharData:
				if in && len(title) < 4*maxTitle {
					title += string(t[:min(len(t), 4*maxTitle)])
				}
			case xml.EndElement:
				if in {
					return nil
				}
			}
		}
	})
	return title
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
