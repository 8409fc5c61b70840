package extract_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html/charset"
	"golang.org/x/tools/txtar"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/extract"
)

const (
	docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	pptx = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
)

// TestGoldens reads the documents of testdata: each archive has the document, its text, and what was found out of it. With
// UPDATE=1 it writes the latter two.
func TestGoldens(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			require.NoError(t, err)
			contentType := strings.TrimSpace(strings.SplitN(string(a.Comment), "\n", 2)[0])
			data := a.Files[0].Data
			if a.Files[0].Name == "parts" {
				data = pack(t, a.Files[1:len(a.Files)-1])
			}
			got, err := extract.Extract(contentType, data)
			require.NoError(t, err)
			want := &a.Files[len(a.Files)-1]
			says := fmt.Appendf(nil, "%s %q %s %s\n\n%s\n", got.ContentType, got.Title, got.Format, got.Charset, bytes.TrimRight(got.Body, "\n"))
			if os.Getenv("UPDATE") != "" {
				want.Data = says
				require.NoError(t, os.WriteFile(file, txtar.Format(a), 0o644))
			}
			assert.Equal(t, string(want.Data), string(says))
			again, err := extract.Extract(contentType, data)
			require.NoError(t, err)
			assert.Equal(t, got, again, "the same bytes, the same text")
		})
	}
}

// pack makes a container of parts.
func pack(t testing.TB, parts []txtar.File) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.Create(p.Name)
		require.NoError(t, err)
		_, err = w.Write(p.Data)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

// word is a Word document of a body.
func word(t testing.TB, document string) []byte {
	return pack(t, []txtar.File{{Name: "word/document.xml", Data: []byte(document)}})
}

// samples are texts of many languages, by the encoding that they are often in.
var samples = []struct{ encoding, text string }{
	{"windows-1252", "Das Wasser fließt über die Felder; die Bauern öffnen jeden Morgen die Schleusen. Preis: 5 €"},
	{"windows-1252", "Le café est fermé – l’été, les élèves sont à la plage près de l’église."},
	{"windows-1250", "Voda teče kanálem k polím a každé ráno sedláci otevírají stavidla. Příliš žluťoučký kůň."},
	{"windows-1251", "Вода течёт по каналу к полям, и каждое утро крестьяне открывают шлюзы."},
	{"koi8-r", "Вода течёт по каналу к полям, и каждое утро крестьяне открывают шлюзы."},
	{"windows-1253", "Το νερό τρέχει στο κανάλι προς τα χωράφια και κάθε πρωί οι αγρότες ανοίγουν τις θύρες."},
	{"windows-1254", "Su kanaldan tarlalara akar ve çiftçiler her sabah kapakları açar. Şöyle güzel bir gün."},
	{"windows-1255", "המים זורמים בתעלה אל השדות, ובכל בוקר פותחים האיכרים את השערים."},
	{"windows-1256", "تجري المياه في القناة إلى الحقول ويفتح الفلاحون البوابات كل صباح."},
	{"shift_jis", "水は用水路を通って畑に流れます。毎朝、農家の人が水門を開けます。"},
	{"euc-jp", "水は用水路を通って畑に流れます。毎朝、農家の人が水門を開けます。"},
	{"iso-2022-jp", "水は用水路を通って畑に流れます。毎朝、農家の人が水門を開けます。"},
	{"gb18030", "水沿着水渠流向田野，农民每天早晨打开水闸。"},
	{"big5", "水沿著水渠流向田野，農民每天早晨打開水閘。這是一個用於測試編碼檢測的中文文本。"},
	{"euc-kr", "물은 수로를 따라 밭으로 흐르고, 농부들은 매일 아침 수문을 엽니다."},
	{"utf-8", "Vatnið rennur, 水は流れる, вода течёт."},
}

func TestEncodings(t *testing.T) {
	for _, s := range samples {
		e, name := charset.Lookup(s.encoding)
		data, err := e.NewEncoder().Bytes([]byte(s.text))
		require.NoError(t, err)
		got, err := extract.Extract("text/plain", data)
		require.NoError(t, err)
		assert.Equal(t, s.text, string(got.Body), "%s was found to be %s", name, got.Charset)

		late := append(bytes.Repeat([]byte("ASCII for long. "), 10_000), data...)
		got, err = extract.Extract("text/plain", late)
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(string(got.Body), s.text), "%s far into the text was found to be %s", name, got.Charset)

		for _, said := range []struct{ contentType, data string }{
			{"text/plain; charset=" + s.encoding, string(data)},
			{"text/html", "<meta charset=" + s.encoding + "><p>" + string(data)},
			{"text/html; charset=" + s.encoding, "<meta charset=utf-16><p>" + string(data)},
		} {
			got, err := extract.Extract(said.contentType, []byte(said.data))
			require.NoError(t, err)
			assert.Contains(t, string(got.Body), s.text, said.contentType)
			assert.Equal(t, name, got.Charset)
		}
	}
	text := "Voda – 水 – вода: the water flows."
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []string{"", "\ufeff"} {
			var data []byte
			for _, u := range utf16.Encode([]rune(mark + text)) {
				data = order.AppendUint16(data, u)
			}
			got, err := extract.Extract("text/plain", data)
			require.NoError(t, err)
			assert.Equal(t, text, string(got.Body), "%v %q was found to be %s", order, mark, got.Charset)
		}
	}
	got, err := extract.Extract("text/plain; charset=utf-8", []byte("Le caf\xe9 est ferm\xe9, et les \xe9l\xe8ves sont \xe0 la plage pr\xe8s de l'\xe9glise."))
	require.NoError(t, err)
	assert.Equal(t, "Le café est fermé, et les élèves sont à la plage près de l'église.", string(got.Body), "it says UTF-8, and is not")
	got, err = extract.Extract("text/markdown", []byte("\ufeff# Title"))
	require.NoError(t, err)
	assert.Equal(t, "# Title", string(got.Body))
	assert.Equal(t, "Title", got.Title)
}

func TestWhatIsRefused(t *testing.T) {
	word := func(document string) []byte { return word(t, document) }
	spaces := strings.Repeat(" ", 80<<20)
	for _, c := range []struct {
		name, contentType string
		data              []byte
		code              string
	}{
		{"another type", "image/png", nil, "content_type_unsupported"},
		{"another charset", "text/plain; charset=klingon", []byte("x"), "content_type_unsupported"},
		{"bytes of nothing", corpus.OctetStream, []byte("\x89PNG\r\n\x1a\n\x00\x00"), "content_type_unsupported"},
		{"an archive", corpus.OctetStream, pack(t, []txtar.File{{Name: "a.txt"}}), "content_type_unsupported"},
		{"no PDF", "application/pdf", []byte("hello"), "document_broken"},
		{"half a PDF", "application/pdf", []byte("%PDF-1.7\n1 0 obj"), "document_broken"},
		{"a PDF without pages", "application/pdf", []byte("%PDF-1.7\n1 0 obj <</Type/Page>> endobj\nstartxref\n0\n%%EOF"), "document_has_no_text"},
		{"a picture that is named a text", "text/plain", picture(), "document_broken"},
		{"of an even length", "text/markdown", append(picture(), 0), "document_broken"},
		{"no document", docx, []byte("hello"), "document_broken"},
		{"half a document", docx, word("<w:document><w:p><w:t>x")[:40], "document_broken"},
		{"another container", docx, pack(t, []txtar.File{{Name: "a.txt"}}), "document_broken"},
		{"no XML", docx, word("<a<<<"), "document_broken"},
		{"an encrypted document", docx, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), "document_encrypted"},
		{"no slides", pptx, pack(t, []txtar.File{{Name: "ppt/presentation.xml"}}), "document_broken"},
		{"empty paragraphs", docx, word("<w:document><w:p/></w:document>"), "document_has_no_text"},
		{"scripts", "text/html", []byte("<script>x</script> <style>y</style>&nbsp;"), "document_has_no_text"},
		{"blanks", "application/json", []byte("{}"), "document_has_no_text"},
		{"a bomb of spaces", docx, word("<w:t>" + spaces + "</w:t>"), "document_expands"},
		{"a bomb of tags", docx, word(strings.Repeat("<w:p><w:t>water</w:t></w:p>", 6<<20/2)), "document_expands"},
		{"a bomb in a tag", docx, word("<w:t a=\"" + spaces + "\">x</w:t>"), "document_expands"},
		{"many files", docx, []byte("PK\x03\x04" + strings.Repeat("PK\x01\x02", 20_000)), "document_broken"},
		{"entities", docx, word(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:p><w:t>&b;</w:t></w:p>`), "document_broken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := extract.Extract(c.contentType, c.data)
			f := fault.As(err)
			assert.Equal(t, c.code, f.Code, "%v", err)
			assert.Equal(t, fault.Invalid, f.Kind)
			assert.False(t, fault.Retryable(err))
			if c.code != "document_has_no_text" {
				assert.NotEmpty(t, f.Hint)
			}
		})
	}
}

func TestSniff(t *testing.T) {
	for data, want := range map[string]corpus.Format{
		"%PDF-1.7 x": corpus.PDF, "\n\n%PDF-1.7": corpus.PDF, "  <!DOCTYPE html><p>x": corpus.HTML, "\ufeff<HTML lang=en>": corpus.HTML, "<htmlx>": corpus.Plain,
		`{"a": 1}`: corpus.JSON, "[1, 2]": corpus.JSON, "[1, 2": corpus.Plain, "# Title\n": corpus.Plain, "caf\xe9": corpus.Plain, "\xff\xfea\x00": corpus.Plain, "a\x00b\x00c\x00": corpus.Plain,
		"\x89PNG\r\n\x1a\n\x00": corpus.Unknown, "\x1f\x8b\x08\x00": corpus.Unknown, "GIF89a\x01\x00": corpus.Unknown, "": corpus.Plain,
		string(pack(t, []txtar.File{{Name: "[Content_Types].xml"}, {Name: "word/document.xml"}})): corpus.DOCX,
		string(pack(t, []txtar.File{{Name: "ppt/presentation.xml"}})):                             corpus.PPTX,
		string(pack(t, []txtar.File{{Name: "xl/workbook.xml"}})):                                  corpus.Unknown,
	} {
		assert.Equal(t, want, extract.Sniff([]byte(data)), "%.30q", data)
	}
}

// TestHostilePages reads pages on which a careless reader would be quadratic, recursive or greedy.
func TestHostilePages(t *testing.T) {
	const n = 2 << 20
	for _, unit := range []string{"<div>", "<ul><li>a", "<nav>", "<!--", "<", "<a b='", "b=c ", "&amp;", "&", "<script>", "<svg>", "<b>x", "<table><tr><td>", "<pre>", "<h1>", "</p>", "<main>x", "<p hidden>x", "<select><option>", "<font><p>x", "<b><p></i>", "<p>x<div>y</div>", "<li>x", "<td>x</td>"} {
		for _, size := range []int{n, 1 << 18, 2000} {
			page := "<html>words " + strings.Repeat(unit, size/len(unit)) + " and words"
			got, err := extract.Extract("text/html", []byte(page))
			if err != nil {
				assert.Equal(t, "document_has_no_text", fault.As(err).Code, "%s %d: %v", unit, size, err)
				continue
			}
			assert.LessOrEqual(t, len(got.Body), extract.MaxText)
		}
	}
}

func TestALongTableStaysWhatItIs(t *testing.T) {
	table := "a;" + strings.Repeat("name of the column;", 3) + "z\n" + strings.Repeat("1;2;3;4;5\n", 400_000)
	got, err := extract.Extract("text/csv", []byte(table))
	require.NoError(t, err)
	assert.Equal(t, table, string(got.Body), "with names it would be too long")
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	got, err = extract.Extract("application/json", []byte(deep))
	require.NoError(t, err)
	assert.Equal(t, deep, string(got.Body))
}

// What is written out is as long as a text may be, or nothing is; that of a table has just the room it needs.
func TestALongTextHasItsRoomOnce(t *testing.T) {
	for contentType, doc := range map[string]func(n int) string{
		"text/csv":         func(n int) string { return "number;remarks\n" + strings.Repeat("12345;opened at night\n", n) },
		"application/json": func(n int) string { return strings.Repeat(`{"keeper of the gate":{"a":1,"b":2,"c":3}}`+"\n", n) },
	} {
		one, err := extract.Extract(contentType, []byte(doc(1000)))
		require.NoError(t, err)
		doc := doc(extract.MaxText / len(one.Body) * 1000)
		got, err := extract.Extract(contentType, []byte(doc))
		require.NoError(t, err)
		require.Greater(t, len(got.Body), extract.MaxText*9/10, contentType)
		assert.NotEqual(t, doc, string(got.Body), "it is written out")
		if contentType == "text/csv" {
			assert.Less(t, cap(got.Body)-len(got.Body), len(got.Body)/50, "nothing was grown by doubling")
		}

		long := doc + `"` + strings.Repeat("x", extract.MaxText-len(got.Body)) + `"`
		require.Less(t, len(long), extract.MaxText)
		got, err = extract.Extract(contentType, []byte(long))
		require.NoError(t, err)
		assert.Equal(t, long, string(got.Body), "%s: with names it would be too long", contentType)
	}
}

func FuzzExtract(f *testing.F) {
	types := []string{"text/plain", "text/html", "application/json", "text/csv", docx, pptx, corpus.OctetStream, "text/markdown; charset=utf-16", "text/html; charset=shift_jis"}
	seeds := []string{
		"# a\n", "<h1>T<p>x<table><tr><td>a|b<pre>c</pre><ul><li>d<ol><li>e", `{"a":[1,{"b":null}],"c":"d\n\ne"}`, "a;b\n1;\"x\n;y\"\n", "caf\xe9", "\xff\xfea\x00", "\x1b$B",
		string(pack(f, []txtar.File{{Name: "word/document.xml", Data: []byte(`<w:p><w:pPr><w:pStyle w:val="H"/><w:numPr/></w:pPr><w:t>x</w:t><w:tbl><w:tr><w:tc><w:p><w:t>c`)}})),
		string(pack(f, []txtar.File{{Name: "ppt/slides/slide1.xml", Data: []byte(`<p:sp><p:ph type="title"/><a:p><a:t>x</a:t></a:p></p:sp>`)}})),
	}
	for i := range types {
		for _, s := range seeds {
			f.Add(uint8(i), []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		got, err := extract.Extract(types[int(kind)%len(types)], data)
		if err != nil {
			require.Equal(t, fault.Invalid, fault.KindOf(err), "%v", err)
			require.NotContains(t, err.Error(), "panic", "a library's panic, which costs its document only: note the input")
			return
		}
		require.True(t, utf8.Valid(got.Body), "%q", got.Body)
		require.LessOrEqual(t, len(got.Body), extract.MaxText)
		require.NotEmpty(t, bytes.TrimSpace(got.Body))
	})
}

// picture is bytes that begin as a PNG file and have each value.
func picture() []byte {
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00\x00\x00\x01\x00\x08\x06\x00\x00\x00\x5c\x72\xa8")
	for c := range 256 {
		b = append(b, byte(c*167))
	}
	return b
}

// Zeros and a few control characters do not keep a text from being one, nor make another script of it.
func TestTextsWithControlCharacters(t *testing.T) {
	for in, want := range map[string]string{
		"abc\x00def\x00 some text":                              "abc\ufffddef\ufffd some text",
		"a bell\a, a tab\t":                                     "a bell\a, a tab\t",
		"l\x00e\x00v\x00a\x00d\x00a\x00":                        "levada",
		"\x04\x1f\x04@\x048\x042\x045\x04B\x00 \x04<\x048\x04@": "Привет мир",
	} {
		got, err := extract.Extract("text/plain", []byte(in))
		require.NoError(t, err, "%q", in)
		assert.Equal(t, want, string(got.Body))
	}
}
