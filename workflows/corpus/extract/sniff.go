package extract

import (
	"bytes"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"levada.dev/workflows/corpus"
)

// sniffed is how far into a document Sniff looks.
const sniffed = 1024

// Sniff finds out what a document is from its bytes alone. What might be several things is the simplest of them: of texts
// it knows HTML and JSON.
func Sniff(data []byte) corpus.Format {
	head := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), sniffed)], []byte("\xef\xbb\xbf")), " \t\r\n\f")
	switch {
	case bytes.Contains(data[:min(len(data), sniffed)], []byte("%PDF-")):
		return corpus.PDF
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return sniffZip(data)
	case isHTML(head):
		return corpus.HTML
	case len(head) > 0 && (head[0] == '{' || head[0] == '[') && json.Valid(data):
		return corpus.JSON
	case textual(data):
		return corpus.Plain
	}
	return corpus.Unknown
}

// sniffZip tells the office formats apart by the part that each must have.
func sniffZip(data []byte) corpus.Format {
	z, err := openZip(data)
	if err != nil {
		return corpus.Unknown
	}
	for _, f := range z.File {
		switch f.Name {
		case "word/document.xml":
			return corpus.DOCX
		case "ppt/presentation.xml":
			return corpus.PPTX
		}
	}
	return corpus.Unknown
}

// isHTML reports whether a text begins as HTML must: with its declaration, or with an element that pages begin with.
func isHTML(head []byte) bool {
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<body"} {
		if len(head) > len(tag) && bytes.EqualFold(head[:len(tag)], []byte(tag)) && !letter(head[len(tag)]) {
			return true
		}
	}
	return false
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// textual reports whether bytes can be text of some encoding: UTF-16, or without the control characters that no text has.
func textual(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) || wide(data) != "" {
		return true
	}
	sample := data[:min(len(data), 64<<10)]
	if utf8.Valid(data) {
		sample = data
	}
	return !slices.ContainsFunc(sample, func(c byte) bool { return control(c) && c != 0x1b })
}

// control reports whether a character is one that texts do not have.
func control(c byte) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' || c == 0x7f
}
