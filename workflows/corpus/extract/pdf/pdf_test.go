package pdf_test

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/corpus/extract/pdf"
)

// writer writes files as the tests need them: object n is the n-th, from 1. It writes no cross-reference table.
type writer struct{ bytes.Buffer }

func (w *writer) object(n int, body string) {
	if w.Len() == 0 {
		w.WriteString("%PDF-1.7\n")
	}
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", n, body)
}

func (w *writer) stream(n int, head, data string) {
	w.object(n, fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", head, len(data), data))
}

func (w *writer) end() []byte {
	w.WriteString("trailer <</Root 1 0 R/Info 9 0 R>>\n%%EOF\n")
	return w.Bytes()
}

func deflate(s string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

// onePage is a file of one page with a content and a font F.
func onePage(content, font string) []byte {
	w := &writer{}
	w.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	w.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 5 0 R>>/XObject<</X 6 0 R>>>>>>")
	w.object(3, "<</Type/Page/Parent 2 0 R/Contents 4 0 R>>")
	w.stream(4, "", content)
	w.object(5, font)
	w.object(9, "<</Title(Le caf\\351)>>")
	return w.end()
}

const helvetica = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"

func read(t *testing.T, data []byte) string {
	t.Helper()
	d, err := pdf.Read(data, 1<<20)
	require.NoError(t, err)
	return string(d.Text)
}

func TestLines(t *testing.T) {
	for name, c := range map[string]struct{ content, want string }{
		"strings":           {"BT /F 12 Tf 72 700 Td (Hello \\(world\\)\\041) Tj ET", "Hello (world)!"},
		"lines":             {"BT /F 12 Tf 14 TL 72 700 Td (one) Tj T* (two) Tj (three) ' ET", "one\ntwothree"[:4] + "two\nthree"},
		"paragraphs":        {"BT /F 12 Tf 72 700 Td (one) Tj 0 -14 Td (two) Tj 0 -40 Td (three) Tj ET", "one\ntwo\n\nthree"},
		"kerned":            {"BT /F 12 Tf 72 700 Td [(W) 80 (ater) -300 (flows) -30 (!)] TJ ET", "Water flows!"},
		"word by word":      {"BT /F 12 Tf 1 0 0 1 72 700 Tm (one) Tj 1 0 0 1 97 700 Tm (two) Tj ET", "one two"},
		"a word in parts":   {"BT /F 12 Tf 1 0 0 1 72 700 Tm (on) Tj 1 0 0 1 85.4 700 Tm (ce) Tj ET", "once"},
		"divided":           {"BT /F 12 Tf 14 TL 72 700 Td (irri-) Tj T* (gation of Cabo-) Tj T* (Verde) Tj ET", "irrigation of Cabo-\nVerde"},
		"drawn twice":       {"BT /F 12 Tf 72 700 Td (b) Tj ET BT /F 12 Tf 72.2 700 Td (b) Tj ET", "b"},
		"turned":            {"BT /F 12 Tf 0 1 -1 0 72 100 Tm (up) Tj ET", "up"},
		"scaled":            {"q 0.1 0 0 0.1 0 0 cm BT /F 120 Tf 720 7000 Td (far) Tj 600 0 Td (off) Tj ET Q", "far off"},
		"hexadecimal":       {"BT /F 12 Tf 72 700 Td <48 69 2> Tj ET", "Hi"},
		"a picture between": {"BI /W 1 /H 1 ID \x00\xff EI BT /F 12 Tf 72 700 Td (after) Tj ET", "after"},
		"nothing":           {"0 0 m 10 10 l S", ""},
		"operators alone":   {"Tj TJ ' \" Tf Tm cm Q Q q Do BT (x) Tj ET", ""},
		"ligatures":         {"BT /F 12 Tf 72 700 Td (caf\\351 \\223x\\224) Tj ET", "café “x”"},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, read(t, onePage(c.content, helvetica))) })
	}
	d, err := pdf.Read(onePage("", helvetica), 100)
	require.NoError(t, err)
	assert.Equal(t, "Le café", d.Title)
	assert.Empty(t, d.Text)
}

func TestFonts(t *testing.T) {
	show := func(s string) string { return "BT /F 12 Tf 72 700 Td " + s + " Tj ET" }
	differences := "<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[1/eacute/f_i/uni6C34/Gamma 40/quotedblleft/zcaron/unknownglyph/a.sc]>>>>"
	assert.Equal(t, "éfi水Γ“ža", read(t, onePage(show("<01020304 28292a2b>"), differences)))

	w := bytes.NewBuffer(onePage(show("<00010002000300040041>"), "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 7 0 R/DescendantFonts[8 0 R]>>"))
	file := &writer{Buffer: *w}
	file.stream(7, "/Filter/FlateDecode", deflate("begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange\n"+
		"2 beginbfchar <0001> <6c34> <0002> <D83DDE00> endbfchar 2 beginbfrange <0003> <0004> <0041> <0041> <0041> [<00660066>] endbfrange endcmap"))
	file.object(8, "<</Type/Font/Subtype/CIDFontType2/DW 1000/W[1[500 600] 3 4 700]>>")
	assert.Equal(t, "水😀ABff", read(t, file.Bytes()))

	for encoding, s := range map[string]string{"90ms-RKSJ-H": "<90 85>", "GBK-EUC-H": "<cb ae>", "UniJIS-UTF16-H": "<6c 34>", "ETen-B5-H": "<a4 f4>"} {
		assert.Equal(t, "水", read(t, onePage(show(s), "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/"+encoding+">>")), encoding)
	}
	assert.Empty(t, read(t, onePage(show("<0001>"), "<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H>>")), "nobody knows what its glyphs mean")
}

func TestForms(t *testing.T) {
	file := &writer{Buffer: *bytes.NewBuffer(onePage("BT /F 12 Tf 72 700 Td (before) Tj ET /X Do BT /F 12 Tf 72 600 Td (after) Tj ET", helvetica))}
	file.stream(6, "/Type/XObject/Subtype/Form/Matrix[1 0 0 1 0 -50]", "BT /F 12 Tf 72 700 Td (within) Tj ET /X Do")
	got := read(t, file.Bytes())
	assert.True(t, strings.HasPrefix(got, "before\n\nwithin"), got)
	assert.True(t, strings.HasSuffix(got, "after"), got)
	assert.Less(t, strings.Count(got, "within"), 20, "a form within itself ends")
}

func TestContainersAndFilters(t *testing.T) {
	inner := "1 0 2 31 3 99 <</Type/Catalog/Pages 2 0 R>> " + "<</Type/Pages/Kids[3 0 R]/Count 1/Resources<</Font<</F 5 0 R>>>>>> <</Type/Page/Contents[4 0 R 4 0 R]>>"
	first := strings.Index(inner, "<<")
	inner = fmt.Sprintf("1 0 2 %d 3 %d ", strings.Index(inner, "<</Type/Pages/")-first, strings.Index(inner, "<</Type/Page/C")-first) + inner[first:]
	first = strings.Index(inner, "<<")
	content := "BT /F 12 Tf 72 700 Td (packed) Tj ET"
	rle := string([]byte{byte(len(content) - 1)}) + content + "\x80"
	for filters, data := range map[string]string{
		"/FlateDecode":                     deflate(content),
		"[/ASCIIHexDecode/FlateDecode]":    fmt.Sprintf("%x>", deflate(content)),
		"/RunLengthDecode":                 rle,
		"/ASCII85Decode":                   "6<=Qe+<VdL+>u/XF(KH7+?DP+$;b,TEarc*/M&(K+A~>",
		"[/FlateDecode]/DecodeParms[null]": deflate(content),
	} {
		w := &writer{}
		w.object(5, helvetica)
		w.stream(4, "/Filter"+filters, data)
		w.stream(7, fmt.Sprintf("/Type/ObjStm/N 3/First %d/Filter/FlateDecode", first), deflate(inner))
		w.stream(8, "/Type/XRef/Root 1 0 R/Size 9/W[1 1 1]", "\x01\x02\x03")
		got := read(t, w.Bytes())
		if filters == "/ASCII85Decode" {
			continue // what it holds is no content; it must be read without harm
		}
		assert.Equal(t, "packed\npacked", strings.ReplaceAll(got, "packedpacked", "packed\npacked"), filters)
	}
}

func TestDamagedFiles(t *testing.T) {
	good := onePage("BT /F 12 Tf 72 700 Td (still here) Tj ET", helvetica)
	assert.Equal(t, "still here", read(t, append([]byte("\x00\x00garbage\n"), good...)), "what stands before it")
	assert.Equal(t, "still here", read(t, bytes.ReplaceAll(good, []byte("/Length 38"), []byte("/Length 99"))), "a wrong length")
	assert.Equal(t, "still here", read(t, bytes.ReplaceAll(good, []byte("trailer <</Root 1 0 R"), []byte("trailer <<"))), "no root")
	assert.Equal(t, "still here", read(t, bytes.ReplaceAll(good, []byte("/Type/Catalog"), []byte("/Type/Catalogue"))), "a root that does not say so")
	newer := append(bytes.Clone(good), "4 0 obj\n<</Length 45>>stream\nBT /F 12 Tf 72 700 Td (a later version) Tj ET\nendstream endobj"...)
	assert.Equal(t, "a later version", read(t, newer))
	for _, b := range [][]byte{nil, []byte("%PDF-"), []byte("hello"), []byte("%PDF-1.4\n1 0 obj"), good[:20]} {
		_, err := pdf.Read(b, 100)
		if err != nil {
			assert.ErrorIs(t, err, pdf.ErrBroken, "%q", b)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, file := range map[string][]byte{
		"much text": onePage(strings.Repeat("BT /F 12 Tf 72 700 Td (water) Tj ET ", 2000), helvetica),
		"a bomb":    bytes.Replace(onePage("", helvetica), []byte("<</Length 0>>\nstream\n"), []byte("<</Filter/FlateDecode>>\nstream\n"+deflate(strings.Repeat(" ", 30<<20))), 1),
	} {
		_, err := pdf.Read(file, 1000)
		assert.ErrorIs(t, err, pdf.ErrExpands, name)
	}
	for name, file := range map[string]string{
		"nested arrays":  "%PDF-1.4\n1 0 obj " + strings.Repeat("[", 1<<20),
		"nested dicts":   "%PDF-1.4\n1 0 obj " + strings.Repeat("<</A", 1<<18),
		"many objects":   "%PDF-1.4\n" + strings.Repeat("1 0 obj<</A 1>>", 1<<16),
		"open strings":   "%PDF-1.4\n" + strings.Repeat("1 0 obj(", 1<<17),
		"open streams":   "%PDF-1.4\n" + strings.Repeat("1 0 obj<<>>stream ", 1<<16),
		"circles":        "%PDF-1.4\n1 0 obj 2 0 R endobj 2 0 obj 1 0 R endobj 3 0 obj<</Type/Catalog/Pages 1 0 R>>endobj trailer<</Root 3 0 R>>",
		"its own parent": "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Kids[2 0 R 2 0 R]>>endobj trailer<</Root 1 0 R>>",
		"large numbers":  "%PDF-1.4\n1 0 obj<</Type/ObjStm/N 99999999999/First 99999999/Length 3>>stream\nabc\nendstream endobj",
		"large columns":  "%PDF-1.4\n1 0 obj<</Type/ObjStm/N 1/First 1/Filter/FlateDecode/DecodeParms<</Predictor 12/Columns 999999999>>/Length 9>>stream\n" + deflate("abc") + "\nendstream endobj",
	} {
		t.Run(name, func(t *testing.T) { _, _ = pdf.Read([]byte(file), 1000) })
	}
}

// TestEncryptedFiles reads files that qpdf encrypted: without a password for reading they are open to everybody.
func TestEncryptedFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pdf")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		d, err := pdf.Read(b, 1000)
		if strings.Contains(file, "secret") {
			assert.ErrorIs(t, err, pdf.ErrEncrypted, file)
			continue
		}
		require.NoError(t, err, file)
		assert.Equal(t, "Nobody may print this.", string(d.Text), file)
		assert.Equal(t, "Le café", d.Title, file)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(onePage("BT /F 12 Tf 72 700 Td [(W) 80 (ater)] TJ ET /X Do", helvetica))
	f.Add(onePage("BT /F 12 Tf <0001> Tj ET", "<</Subtype/Type0/Encoding/Identity-H/ToUnicode 4 0 R>>"))
	f.Add([]byte("%PDF-1.4\n1 0 obj<</Type/ObjStm/N 2/First 8/Filter[/LZWDecode/ASCII85Decode/RunLengthDecode]>>stream\n\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01\nendstream endobj"))
	files, _ := filepath.Glob("testdata/*.pdf")
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := pdf.Read(b, 1<<16)
		if err != nil {
			require.True(t, errors.Is(err, pdf.ErrBroken) || errors.Is(err, pdf.ErrEncrypted) || errors.Is(err, pdf.ErrExpands), "%v", err)
			return
		}
		require.LessOrEqual(t, len(d.Text), 1<<16+2)
	})
}

// allocates is how many megabytes f takes in all, those that were given back as well.
func allocates(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int((after.TotalAlloc - before.TotalAlloc) >> 20)
}

// A file of a few kilobytes may say as much as its streams may unpack to. Little of that is in memory at a time, and nothing is read in a
// recursion as deep as it says.
func TestBombsStaySmall(t *testing.T) {
	packed := func(content string) []byte {
		return bytes.Replace(onePage("", helvetica), []byte("<</Length 0>>\nstream\n"), []byte("<</Filter/FlateDecode>>\nstream\n"+deflate(content)), 1)
	}
	const much = 20 << 20
	for name, content := range map[string]string{
		"nested arrays": strings.Repeat("[", much),
		"nested dicts":  strings.Repeat("<</A", much/4),
		"a long array":  "[" + strings.Repeat("0 ", much/2) + "]",
		"many arrays":   strings.Repeat("["+strings.Repeat("0 ", 1<<16)+"]", much>>17),
		"a long dict":   "<<" + strings.Repeat("/A 0", much/4) + ">>",
		"short lines":   "BT /F 1 Tf " + strings.Repeat("(a)' 0 9 TD ", 1<<20),
	} {
		file := packed(content)
		assert.Less(t, allocates(func() { _, _ = pdf.Read(file, 16<<20) }), 400, name)
	}
}
