package load

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// byExtension is the content types of files that say what they are by their names. Source text that is not here is
// text/x-<extension>: see source.
var byExtension = map[string]string{
	".txt": "text/plain", ".text": "text/plain", ".log": "text/plain", ".rst": "text/plain", ".adoc": "text/plain", ".org": "text/plain", ".tex": "text/plain",
	".md": "text/markdown", ".markdown": "text/markdown", ".mdx": "text/markdown",
	".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml",
	".json": "application/json", ".ndjson": "application/x-ndjson", ".jsonl": "application/x-ndjson",
	".csv": "text/csv", ".tsv": "text/tab-separated-values",
	".pdf":  "application/pdf",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".svg":  "", // a picture, although it is text
}

// source is the extensions of source text.
var source = func() map[string]string {
	m := map[string]string{}
	for ext := range strings.FieldsSeq("go py js mjs cjs ts tsx jsx java kt scala c h cc cpp hpp cs rs rb php pl lua sh bash zsh fish ps1 sql r jl swift m mm dart ex exs erl hs ml clj el vim " +
		"yaml yml toml ini cfg conf properties xml xsd proto graphql css scss less tf hcl gradle cmake dockerfile makefile diff patch") {
		m["."+ext] = "text/x-" + ext
	}
	return m
}()

// contentType is what a file is, by its name, else by its beginning; empty when nobody can tell.
func contentType(name string) (string, error) {
	ext := strings.ToLower(filepath.Ext(name))
	if known, ok := byExtension[ext]; ok {
		return known, nil
	}
	if known, ok := source[ext]; ok {
		return known, nil
	}
	head, err := readHead(name)
	if err != nil {
		return "", err
	}
	return sniff(head), nil
}

// sniffed is how much of a file tells what it is.
const sniffed = 512

func readHead(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, sniffed)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return head[:n], nil
}

// sniff tells text, HTML and PDF by their beginning.
func sniff(head []byte) string {
	media, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch media {
	case "text/html", "application/pdf":
		return media
	case "text/plain", "text/xml":
		if readable(head) || bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
			return "text/plain"
		}
	}
	return ""
}

// readable reports whether bytes are the beginning of UTF-8 text.
func readable(head []byte) bool {
	for i := 0; i < utf8.UTFMax && len(head) > 0 && !utf8.Valid(head); i++ {
		head = head[:len(head)-1] // a character that was cut in the middle
	}
	return utf8.Valid(head) && !bytes.ContainsRune(head, 0)
}
