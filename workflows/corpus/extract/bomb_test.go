package extract_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"golang.org/x/tools/txtar"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus/extract"
)

// allocates is how many megabytes f takes in all, those that were given back as well.
func allocates(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) >> 20)
}

// What a few kilobytes unpack to, or a few megabytes would become, does not get into memory: a Worker has 128 MB for all that it does.
func TestBombsStaySmall(t *testing.T) {
	var styles strings.Builder
	for i := range 1 << 19 {
		fmt.Fprintf(&styles, `<style styleId="%d"><outlineLvl val="1"/></style>`, i)
	}
	var columns strings.Builder
	for i := range 1 << 20 {
		fmt.Fprintf(&columns, "a%d,", i)
	}
	for _, c := range []struct {
		name, contentType string
		data              []byte
		code              string
		most              int // megabytes
	}{
		{"rows", docx, word(t, "<w:tbl>"+strings.Repeat("<w:tr/>", 6<<20)), "document_expands", 450},
		{"cells", docx, word(t, "<w:tbl><w:tr>"+strings.Repeat("<w:tc/>", 6<<20)), "document_expands", 450},
		{"paragraphs", docx, word(t, strings.Repeat("<w:p><w:t>"+strings.Repeat("x", 1000)+"</w:t></w:p>", 50_000)), "document_expands", 150},
		{"a comment", docx, word(t, "<!--"+strings.Repeat("<>", 25<<20)+"-->"), "document_expands", 20},
		{"styles", docx, pack(t, []txtar.File{{Name: "word/document.xml"}, {Name: "word/styles.xml", Data: []byte(styles.String())}}), "document_expands", 20},
		{"columns", "text/csv", []byte(columns.String()), "", 30},
		{"columns behind line feeds", "text/csv", []byte("a,b\n" + strings.Repeat("\"\n\",", 1<<20)), "", 30},
	} {
		var err error
		got := allocates(func() { _, err = extract.Extract(c.contentType, c.data) })
		if c.code != "" {
			assert.Equal(t, c.code, fault.As(err).Code, c.name)
		}
		assert.LessOrEqual(t, got, c.most, "%s: megabytes", c.name)
	}
}
