package load

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"

	"levada.dev/infra/client"
)

// Read makes the document of a file. Text that is UTF-8 is sent as text, anything else as its bytes.
func (o Options) Read(f File) (client.Document, error) {
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return client.Document{}, bare(err)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	d := client.Document{DocID: f.DocID, ContentType: f.ContentType, Source: o.Source, Metadata: o.Metadata, Title: title(f, data)}
	if utf8.Valid(data) && bytes.IndexByte(data, 0) < 0 && isText(f.ContentType) {
		d.Text = string(data)
	} else {
		d.Base64 = data
	}
	return d, nil
}

func isText(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(media, "text/") || media == "application/json" || media == "application/x-ndjson" || media == "application/xhtml+xml"
}

// maxTitle is how many characters a title may have.
const maxTitle = 500

// title is a document's first heading, else the file's name.
func title(f File, data []byte) string {
	found := ""
	switch media, _, _ := strings.Cut(f.ContentType, ";"); media {
	case "text/markdown":
		found = markdownTitle(data)
	case "text/html", "application/xhtml+xml":
		found = htmlTitle(data)
	}
	found = strings.Join(strings.Fields(strings.ToValidUTF8(found, "")), " ")
	if found == "" {
		found = strings.ToValidUTF8(filepath.Base(f.Path), "")
	}
	if runes := []rune(found); len(runes) > maxTitle {
		return string(runes[:maxTitle])
	}
	return found
}

// markdownTitle is the title of the front matter, else the first heading.
func markdownTitle(data []byte) string {
	fence, front, before := "", false, ""
	n := 0
	for line := range strings.Lines(string(data[:min(len(data), 64<<10)])) {
		line = strings.TrimRight(line, "\r\n")
		n++
		text := strings.TrimSpace(line)
		switch {
		case n == 1 && text == "---":
			front = true
			continue
		case front:
			if value, is := strings.CutPrefix(line, "title:"); is {
				return strings.Trim(strings.TrimSpace(value), `"'`)
			}
			front = text != "---"
			continue
		case fence != "":
			if strings.HasPrefix(text, fence) {
				fence = ""
			}
			continue
		case strings.HasPrefix(text, "```"), strings.HasPrefix(text, "~~~"):
			fence = text[:3]
		case strings.HasPrefix(text, "#"):
			if heading := strings.TrimLeft(text, "#"); len(text)-len(heading) <= 6 && strings.HasPrefix(heading, " ") {
				return strings.TrimRight(heading, "# ")
			}
		case before != "" && text != "" && (strings.Trim(text, "=") == "" || strings.Trim(text, "-") == ""):
			return before
		}
		before = text
	}
	return ""
}

// htmlTitle is the page's title, else its first heading.
func htmlTitle(data []byte) string {
	z := html.NewTokenizer(bytes.NewReader(data[:min(len(data), 256<<10)]))
	heading, in, text := "", "", strings.Builder{}
	for {
		switch z.Next() {
		case html.ErrorToken:
			return heading
		case html.StartTagToken:
			if name, _ := z.TagName(); in == "" && (string(name) == "title" || string(name) == "h1") {
				in = string(name)
				text.Reset()
			}
		case html.TextToken:
			if in != "" {
				text.Write(z.Text())
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if in == "" || string(name) != in {
				continue
			}
			said := strings.TrimSpace(text.String())
			switch {
			case in == "title" && said != "":
				return said
			case heading == "":
				heading = said
			}
			in = ""
		}
	}
}
