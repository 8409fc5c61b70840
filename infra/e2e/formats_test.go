package e2e

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/local"
)

const wordType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

// pdfOf is a PDF file with a page for each text, whose lines are short.
func pdfOf(pages ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>endobj\n2 0 obj<</Type/Pages/Resources<</Font<</F 3 0 R>>>>/Kids[")
	for i := range pages {
		fmt.Fprintf(&b, "%d 0 R ", 10+2*i)
	}
	fmt.Fprintf(&b, "]>>endobj\n")
	for i, text := range pages {
		content := "BT /F 12 Tf 14 TL 72 720 Td (" + strings.ReplaceAll(text, ". ", ".) Tj T* (") + ") Tj ET"
		fmt.Fprintf(&b, "%d 0 obj<</Type/Page/Contents %d 0 R>>endobj\n%d 0 obj<</Length %d>>stream\n%s\nendstream endobj\n", 10+2*i, 11+2*i, 11+2*i, len(content), content)
	}
	b.WriteString("trailer<</Root 1 0 R>>\n%%EOF\n")
	return b.Bytes()
}

func wordOf(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("word/document.xml")
	require.NoError(t, err)
	_, err = fmt.Fprintf(w, `<w:document xmlns:w="x"><w:body><w:p><w:pPr><w:outlineLvl w:val="0"/></w:pPr><w:r><w:t>Orchard</w:t></w:r></w:p><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body></w:document>`, text)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

type bytesDocument struct {
	DocID       string `json:"docId,omitempty"`
	Base64      string `json:"base64,omitempty"`
	URL         string `json:"url,omitempty"`
	ContentType string `json:"contentType,omitempty"`
}

// submit sends a document of any format or from any place, and waits for its end.
func (u user) submit(d bytesDocument) jobView {
	u.t.Helper()
	a := u.do(http.MethodPost, "/ingest", d)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	return u.finished(acc.JobID)
}

// One document of each format is found by a sentence in it, and its source is where its text says.
func TestFormats(t *testing.T) {
	u := as(t, "orchard")
	for _, d := range []struct {
		name, contentType string
		data              []byte
		sentence          string
	}{
		{"page", "text/html", []byte("<title>Quinces</title><nav>Menu</nav><h1>Quinces</h1><p>Quinces ripen late in October."), "Quinces ripen late in October."},
		{"latin", "text/plain; charset=iso-8859-1", []byte("P\xeassegos s\xe3o colhidos em Julho."), "Pêssegos são colhidos em Julho."},
		{"sniffed", "", []byte("\xff\xfeM\x00e\x00d\x00l\x00a\x00r\x00s\x00 \x00n\x00e\x00e\x00d\x00 \x00f\x00r\x00o\x00s\x00t\x00.\x00"), "Medlars need frost."},
		{"json", "application/json", []byte(`{"trees": [{"kind": "cherry", "note": "Cherries attract starlings in June."}]}`), "trees[0].note: Cherries attract starlings in June."},
		{"csv", "text/csv", []byte("kind;note\nplum;\"Plums are dried\non wooden trays.\"\n"), "kind: plum\nnote: Plums are dried\non wooden trays."},
		{"pdf", "application/pdf", pdfOf("Walnuts fall in September. They are gathered at dawn."), "Walnuts fall in September."},
		{"word", wordType, wordOf(t, "Chestnuts are roasted in November."), "Chestnuts are roasted in November."},
	} {
		t.Run(d.name, func(t *testing.T) {
			u.t = t
			j := u.submit(bytesDocument{DocID: d.name, Base64: base64.StdEncoding.EncodeToString(d.data), ContentType: d.contentType})
			require.Equal(t, "succeeded", j.State, "%+v", j)
			f := u.search(d.sentence, map[string]any{"topK": 1})
			require.NotEmpty(t, f.Sources)
			s := f.Sources[0]
			assert.Equal(t, d.name, s.DocID)
			assert.Contains(t, s.Text, d.sentence)
			part := u.do(http.MethodGet, "/documents/"+d.name+"/content", nil, "range", fmt.Sprintf("bytes=%d-%d", s.Start, s.End-1))
			require.Equal(t, http.StatusPartialContent, part.Status, "%s", part.Body)
			assert.Equal(t, s.Text, string(part.Body), "offsets are of the text that is shown")
			original := u.do(http.MethodGet, "/documents/"+d.name+"/content?original=true", nil)
			assert.Equal(t, d.data, original.Body)
			assert.True(t, strings.HasPrefix(original.Header.Get("Content-Disposition"), "attachment"))
		})
	}
	assert.Equal(t, http.StatusNotFound, as(t, "quince").do(http.MethodGet, "/documents/pdf/content", nil).Status, "another tenant has none of it")
}

func TestDocumentsThatCannotBeRead(t *testing.T) {
	u := as(t, "orchard")
	encrypted, err := os.ReadFile(filepath.Join("..", "..", "workflows", "corpus", "extract", "pdf", "testdata", "aes-256-secret.pdf"))
	require.NoError(t, err)
	for code, d := range map[string]struct {
		contentType string
		data        []byte
	}{
		"document_encrypted":       {"application/pdf", encrypted},
		"document_has_no_text":     {"application/pdf", pdfOf("")},
		"document_broken":          {wordType, []byte("not a word document")},
		"content_type_unsupported": {"", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00")},
		"document_expands":         {wordType, wordOf(t, strings.Repeat(" ", 40<<20))},
	} {
		j := u.submit(bytesDocument{DocID: "bad/" + code, Base64: base64.StdEncoding.EncodeToString(d.data), ContentType: d.contentType})
		require.Equal(t, "failed", j.State, code)
		assert.Equal(t, code, j.Errors[0].Code)
		assert.Equal(t, "chunk", j.Errors[0].Stage)
	}
}

// web is a site on this machine.
func web(t *testing.T) (*httptest.Server, *atomic.Int32) {
	var asked atomic.Int32
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := asked.Add(1)
		switch r.URL.Path {
		case "/figs":
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Content-Type", "text/html; charset=windows-1252")
			w.Header().Set("ETag", `"1"`)
			fmt.Fprint(w, "<title>Figs</title><p>Figs are sold by the caf\xe9 in Santana.")
		case "/moved":
			http.Redirect(w, r, "/figs", http.StatusMovedPermanently)
		case "/lured":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
		case "/moody":
			if n == 1 {
				http.Error(w, "later", http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "text/plain")
			fmt.Fprint(w, "Mulberries stain the path below the wall.")
		case "/large":
			w.Header().Set("Content-Type", "text/plain")
			for range 12 {
				_, _ = w.Write(bytes.Repeat([]byte("water "), 1_000_000/6))
			}
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	return site, &asked
}

func TestDocumentsFromTheWeb(t *testing.T) {
	u := as(t, "orchard")
	site, asked := web(t)

	j := u.submit(bytesDocument{DocID: "moody", URL: site.URL + "/moody"})
	assert.Equal(t, "succeeded", j.State, "500, then 200: %+v", j)

	j = u.submit(bytesDocument{DocID: "figs", URL: site.URL + "/moved"})
	require.Equal(t, "succeeded", j.State, "%+v", j)
	f := u.search("Figs are sold by the café in Santana.", map[string]any{"topK": 1})
	require.NotEmpty(t, f.Sources)
	assert.Equal(t, "figs", f.Sources[0].DocID)
	assert.Equal(t, "Figs", f.Sources[0].Title)
	assert.Contains(t, f.Sources[0].Text, "Figs are sold by the café in Santana.")

	before := u.document("figs")
	j = u.submit(bytesDocument{DocID: "figs", URL: site.URL + "/moved"})
	require.Equal(t, "succeeded", j.State, "%+v", j)
	after := u.document("figs")
	assert.Equal(t, before.Searchable, after.Searchable, "it is what it was")
	assert.Equal(t, before.Generation, after.Generation)

	for path, code := range map[string]string{"/missing": "fetch_refused", "/lured": "address_denied", "/large": "fetch_too_large"} {
		j := u.submit(bytesDocument{DocID: "bad" + path, URL: site.URL + path})
		require.Equal(t, "failed", j.State, path)
		assert.Equal(t, code, j.Errors[0].Code)
		assert.Equal(t, "fetch", j.Errors[0].Stage)
	}
	n := asked.Load()
	for tenant, address := range map[string]string{"acme": site.URL + "/figs", "quince": site.URL + "/figs", "orchard": "http://0xa9fea9fe/latest/meta-data/"} {
		a := as(t, tenant).do(http.MethodPost, "/ingest", bytesDocument{DocID: "denied", URL: address})
		require.Equal(t, http.StatusBadRequest, a.Status, tenant)
		assert.Contains(t, string(a.Body), `"address_denied"`, tenant)
	}
	assert.Equal(t, n, asked.Load(), "nobody was asked")
	_, err := url.Parse(site.URL)
	require.NoError(t, err)
}

// TestLargeDocumentsOfOtherFormats takes the text out of a PDF and a page of 10 MB and of a table that becomes as long, and reads pages on which memory could run out.
func TestLargeDocumentsOfOtherFormats(t *testing.T) {
	state := newState(t)
	p, err := startWith(state, local.Options{Lexical: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Kill()) })
	u := asOn(t, p, "orchard")
	prose := "The channel follows the contour of the hill. At each terrace a gate lets the water in. "
	var paper []string
	for i := range 2_000 {
		paper = append(paper, fmt.Sprintf("Page %d begins here. ", i)+strings.Repeat(prose, 50)+"It ends.")
	}
	paper[1_000] += " Rutabagas grow on the seventh terrace."
	pages := pdfOf(paper...)
	require.Greater(t, len(pages), 9_000_000)
	require.Less(t, len(pages), 11_000_000)
	table := "gate;hours;note\n" + strings.Repeat("the upper gate;17;"+prose+"\n", 60_000)
	for _, d := range []struct {
		name, contentType string
		data              []byte
	}{
		{"nested", "text/html", []byte(strings.Repeat("<font><p>x", 100_000))},
		{"lists", "text/html", []byte(strings.Repeat("<ul><li>a", 100_000))},
		{"pdf", "application/pdf", pages},
		{"csv", "text/csv", []byte(table)},
		{"page", "text/html", []byte("<title>x</title>" + strings.Repeat("<p>"+prose, 100_000))},
	} {
		j := u.submit(bytesDocument{DocID: d.name, Base64: base64.StdEncoding.EncodeToString(d.data), ContentType: d.contentType})
		assert.Equal(t, "succeeded", j.State, "%s: %+v", d.name, j)
		log, err := os.ReadFile(filepath.Join(state, "workers.log"))
		require.NoError(t, err)
		for _, death := range []string{"out of memory", " died:"} {
			assert.Zero(t, bytes.Count(log, []byte(death)), "%s: %s", d.name, death)
		}
	}
	f := u.search("rutabagas on the seventh terrace", map[string]any{"filter": map[string]any{"docId": "pdf"}})
	require.NotEmpty(t, f.Sources)
	assert.Contains(t, f.Sources[0].Text, "Rutabagas")
}
