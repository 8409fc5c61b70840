package load

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/workflows/corpus"
)

// tree writes files; a name that ends in a slash is a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(at, 0o755))
			continue
		}
		require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
	}
	return dir
}

// found is what a walk finds, a line for each file.
func found(t *testing.T, o Options, roots ...string) (lines []string) {
	t.Helper()
	require.NoError(t, CheckGlobs(append(o.Include, o.Exclude...)))
	files, err := o.Walk(roots)
	require.NoError(t, err)
	for f := range files {
		line := f.DocID + " " + f.ContentType
		if f.Skipped != "" {
			line = filepath.Base(f.Path) + ": " + f.Skipped
		}
		if f.Err != nil {
			line = filepath.Base(f.Path) + "! " + f.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

func TestWalkTakesWhatIsADocument(t *testing.T) {
	dir := tree(t, map[string]string{
		"README.md": "# Hi", "guide/a.txt": "a", "guide/b.HTML": "<p>b", "guide/deep/c.go": "package c", "paper.pdf": "%PDF-1.7",
		"LICENSE": "MIT", "page": "<!DOCTYPE html><p>x", "scan": "%PDF-1.4 ...", "logo.png": "\x89PNG\r\n\x1a\n\x00\x00", "app.exe": "MZ\x00\x01\x02",
		"nothing.md": "", "drawing.svg": "<svg></svg>", "wide": "\xff\xfeh\x00i\x00",
		".env": "SECRET=1", ".git/config": "x", "node_modules/x/index.js": "x", "guide/node_modules/y.js": "y",
	})
	require.NoError(t, os.Symlink("/etc/hostname", filepath.Join(dir, "link.md")))
	assert.Equal(t, []string{
		"LICENSE text/plain", "README.md text/markdown", "app.exe: is of no type that is read", "drawing.svg: is of no type that is read",
		"guide/a.txt text/plain", "guide/b.HTML text/html", "guide/deep/c.go text/x-go",
		"link.md: is no regular file", "logo.png: is of no type that is read", "nothing.md: is empty", "page text/html",
		"paper.pdf application/pdf", "scan application/pdf", "wide text/plain",
	}, found(t, Options{}, dir))

	link := filepath.Join(t.TempDir(), "docs")
	require.NoError(t, os.Symlink(filepath.Join(dir, "guide"), link))
	assert.Equal(t, []string{"kb/a.txt text/plain", "kb/b.HTML text/html", "kb/deep/c.go text/x-go"}, found(t, Options{Prefix: "kb/"}, link), "a folder may be named by a link")
	assert.Equal(t, []string{"a.txt text/plain"}, found(t, Options{}, filepath.Join(dir, "guide", "a.txt")))
	hidden := found(t, Options{}, filepath.Join(dir, ".env"))
	assert.Regexp(t, `^env~[0-9a-f]{10} text/plain$`, strings.Join(hidden, "\n"), "who names a hidden file means it")
}

func TestWalkByGlobs(t *testing.T) {
	dir := tree(t, map[string]string{"a.md": "a", "b.txt": "b", "docs/c.md": "c", "docs/old/d.md": "d", "docs/old/e.txt": "e", "src/f.md": "f"})
	for _, test := range []struct {
		include, exclude []string
		want             string
	}{
		{nil, nil, "a.md b.txt docs/c.md docs/old/d.md docs/old/e.txt src/f.md"},
		{[]string{"*.md"}, nil, "a.md docs/c.md docs/old/d.md src/f.md"},
		{[]string{"docs/**"}, nil, "docs/c.md docs/old/d.md docs/old/e.txt"},
		{[]string{"docs/*.md", "*.txt"}, nil, "b.txt docs/c.md docs/old/e.txt"},
		{nil, []string{"old"}, "a.md b.txt docs/c.md src/f.md"},
		{[]string{"*.{md,txt}"}, []string{"docs/**/*.txt", "src"}, "a.md b.txt docs/c.md docs/old/d.md"},
		{[]string{"/a.md", "/docs/c.md"}, nil, "a.md docs/c.md"},
	} {
		var ids []string
		files, err := Options{Include: test.include, Exclude: test.exclude}.Walk([]string{dir})
		require.NoError(t, err)
		for f := range files {
			ids = append(ids, f.DocID)
		}
		assert.Equal(t, test.want, strings.Join(ids, " "), "%v %v", test.include, test.exclude)
	}
	assert.Error(t, CheckGlobs([]string{"*.md", "["}))
	assert.Error(t, CheckGlobs([]string{""}))
}

func TestWhatCannotBeReadIsNamed(t *testing.T) {
	_, err := Options{}.Walk([]string{filepath.Join(t.TempDir(), "nothing")})
	assert.ErrorIs(t, err, os.ErrNotExist)

	dir := tree(t, map[string]string{"big.txt": "12345", "x.bin": "\x00\x01", "a/same.md": "a", "b/same.md": "b"})
	assert.Equal(t, []string{"x.bin! nobody can tell what it is: name its type"}, found(t, Options{}, filepath.Join(dir, "x.bin")))
	assert.Equal(t, []string{"x.bin application/pdf"}, found(t, Options{Type: "application/pdf"}, filepath.Join(dir, "x.bin")))
	assert.Equal(t, []string{"big.txt! 5 bytes; at most 4 are sent"}, found(t, Options{MaxBytes: 4}, filepath.Join(dir, "big.txt")))

	twice := found(t, Options{}, filepath.Join(dir, "a"), filepath.Join(dir, "b"))
	require.Len(t, twice, 2)
	assert.Equal(t, "same.md text/markdown", twice[0])
	assert.Contains(t, twice[1], "same.md! "+filepath.Join(dir, "a", "same.md")+" has the same document id, same.md")

	file := File{Path: filepath.Join(dir, "gone.md"), ContentType: "text/markdown"}
	_, err = Options{}.Read(file)
	assert.EqualError(t, err, "no such file or directory")
}

func TestWalkStops(t *testing.T) {
	dir := tree(t, map[string]string{"a.md": "a", "b.md": "b", "c.md": "c"})
	files, err := Options{}.Walk([]string{dir, dir})
	require.NoError(t, err)
	n := 0
	for range files {
		if n++; n == 2 {
			break
		}
	}
	assert.Equal(t, 2, n)
}

func TestDocID(t *testing.T) {
	for path, want := range map[string]string{
		"guide/a.md":   "guide/a.md",
		"a b.md":       "a-b.md~",
		"a-b.md":       "a-b.md",
		"água.md":      "gua.md~",
		"_index.md":    "index.md~",
		"日本語":          "file~",
		"docs/água.md": "docs/-gua.md~",
	} {
		id := DocID(path)
		if strings.HasSuffix(want, "~") {
			assert.Equal(t, want, id[:len(id)-10], path)
		} else {
			assert.Equal(t, want, id)
		}
		assert.Equal(t, id, DocID(path))
	}
	long := strings.Repeat("folder/", 60) + "file.md"
	assert.Len(t, DocID(long), maxDocID)
	assert.Contains(t, DocID(long), "/file.md~")
	assert.NotEqual(t, DocID(long), DocID("x"+long))
	assert.NotEqual(t, DocID("a b"), DocID("a\tb"))
}

func FuzzDocID(f *testing.F) {
	f.Add("")
	f.Add("a/b c.md")
	f.Add(strings.Repeat("ä", 300))
	f.Fuzz(func(t *testing.T, path string) {
		assert.Regexp(t, `^[A-Za-z0-9][A-Za-z0-9._~:/@+=,-]{0,199}$`, DocID(path), "what the intake takes")
	})
}

func TestReadMakesTheDocument(t *testing.T) {
	dir := tree(t, map[string]string{
		"a.md": "\ufeff---\nlayout: x\n---\n```\n# no\n```\nText\n\n## The *first* heading ##\n# Second", "front.md": "---\ntitle: \"From the front\"\n---\n# no",
		"under.md": "Underlined\n===\n", "plain.md": "no heading #here\n#neither", "page.html": "<html><head><title> A &amp;\n B </title></head><h1>no</h1>",
		"h1.html": "<h1>Hello <b>you</b></h1><h1>no</h1>", "latin.txt": "caf\xe9", "paper.pdf": "%PDF-1.7\n", "d.json": `{"a":1}`,
	})
	o := Options{Source: "wiki", Metadata: map[string]any{"year": 2026.0}}
	titles := map[string]string{}
	files, err := o.Walk([]string{dir})
	require.NoError(t, err)
	for f := range files {
		d, err := o.Read(f)
		require.NoError(t, err)
		titles[f.DocID] = d.Title
		assert.Equal(t, "wiki", d.Source)
		assert.Equal(t, o.Metadata, d.Metadata)
		assert.Equal(t, f.ContentType, d.ContentType)
		assert.NotEqual(t, d.Text == "", d.Base64 == nil, f.DocID)
		assert.Equal(t, slices.Contains([]string{"latin.txt", "paper.pdf"}, f.DocID), d.Base64 != nil, f.DocID)
	}
	assert.Equal(t, map[string]string{
		"a.md": "The *first* heading", "front.md": "From the front", "under.md": "Underlined", "plain.md": "plain.md", "page.html": "A & B",
		"h1.html": "Hello you", "latin.txt": "latin.txt", "paper.pdf": "paper.pdf", "d.json": "d.json",
	}, titles)

	d, err := o.Read(File{Path: filepath.Join(dir, "a.md"), DocID: "x", ContentType: "text/markdown"})
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(d.Text, "---\n"), "no byte order mark")
	d, err = Options{}.Read(File{Path: filepath.Join(dir, "latin.txt"), ContentType: "text/plain"})
	require.NoError(t, err)
	assert.Equal(t, client.Document{Title: "latin.txt", ContentType: "text/plain", Base64: []byte("caf\xe9")}, d)
}

// What is found is what the platform takes.
func TestTypesAreSupported(t *testing.T) {
	for _, types := range []map[string]string{byExtension, source} {
		for ext, contentType := range types {
			if contentType == "" {
				continue // is left out
			}
			_, err := corpus.FormatOf(contentType)
			assert.NoError(t, err, ext)
		}
	}
}
