package rag

import (
	"io"
	"strconv"
	"strings"

	"levada.dev/events/fault"
)

// Delimiter is a word that nobody can have guessed, for the delimiters of one prompt. What strangers wrote stands between them,
// in the user's message, so that no text ends its own quotation or begins another.
type Delimiter string

// NewDelimiter makes one.
func NewDelimiter(random io.Reader) (Delimiter, error) {
	var b [4]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fault.New(fault.Internal, "id_unavailable", "no randomness", err)
	}
	word := make([]byte, 0, 2*len(b)) // of letters alone, so that every one takes as many tokens
	for _, x := range b {
		word = append(word, 'a'+x>>4, 'a'+x&15)
	}
	return Delimiter(word), nil
}

// Tag is the name of delimiters: a source stands between <tag> and </tag>.
func (d Delimiter) Tag(name string) string { return name + "-" + string(d) }

// Fence puts a text between delimiters.
func (d Delimiter) Fence(name, text string) string {
	return "<" + d.Tag(name) + ">\n" + text + "\n</" + d.Tag(name) + ">"
}

// Quote is the sources, each numbered and between delimiters.
func (d Delimiter) Quote(sources []Source) string {
	if len(sources) == 0 {
		return "(The search found no sources.)\n"
	}
	tag := d.Tag("source")
	var b strings.Builder
	for i, src := range sources {
		b.WriteString("<" + tag + " number=\"" + strconv.Itoa(i+1) + "\">\n")
		if title := strings.Join(strings.Fields(src.Title), " "); title != "" {
			b.WriteString("Title: " + title + "\n")
		}
		text, _ := src.Shown()
		b.WriteString(text)
		b.WriteString("\n</" + tag + ">\n")
	}
	return b.String()
}
