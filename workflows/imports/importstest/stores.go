package importstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/imports"
)

// TestParts checks the promises of imports.Parts.
func TestParts(t *testing.T, make func(t *testing.T) imports.Parts) {
	ctx := t.Context()
	acme, globex := tenantstest.Two(t)
	put := func(p imports.Parts, s tenants.Scope, id string, part int, body string) error {
		return p.Put(ctx, s, id, part, strings.NewReader(body), int64(len(body)))
	}
	get := func(t *testing.T, p imports.Parts, s tenants.Scope, id string, part int) string {
		t.Helper()
		b, err := p.Get(ctx, s, id, part, imports.MaxPartBytes)
		require.NoError(t, err)
		return string(b)
	}
	missing := func(t *testing.T, p imports.Parts, s tenants.Scope, id string, part int) {
		t.Helper()
		_, err := p.Get(ctx, s, id, part, imports.MaxPartBytes)
		require.Error(t, err)
		assert.Equal(t, []any{fault.NotFound, "part_not_found"}, []any{fault.KindOf(err), fault.As(err).Code})
	}
	t.Run("each part of each import of each tenant is its own", func(t *testing.T) {
		p, id, other := make(t), tenantstest.Fresh(t, "a"), tenantstest.Fresh(t, "b")
		for n, of := range []struct {
			s    tenants.Scope
			id   string
			part int
		}{{acme, id, 0}, {acme, id, 1}, {acme, id, 10}, {acme, other, 0}, {globex, id, 0}} {
			missing(t, p, of.s, of.id, of.part)
			require.NoError(t, put(p, of.s, of.id, of.part, fmt.Sprintf("%d\n", n)))
			assert.Equal(t, fmt.Sprintf("%d\n", n), get(t, p, of.s, of.id, of.part))
		}
		require.NoError(t, put(p, acme, id, 1, "again\n"))
		assert.Equal(t, "again\n", get(t, p, acme, id, 1))
		assert.Equal(t, "0\n", get(t, p, acme, id, 0))
	})
	t.Run("a whole part", func(t *testing.T) {
		p, id := make(t), tenantstest.Fresh(t, "large")
		body := strings.Repeat(strings.Repeat("x", imports.MaxPartBytes/2-1)+"\n", 2)
		require.NoError(t, put(p, acme, id, 0, body))
		_, err := p.Get(ctx, acme, id, 0, imports.MaxPartBytes-1)
		assert.Equal(t, []any{fault.Invalid, "part_too_large"}, []any{fault.KindOf(err), fault.As(err).Code})
		assert.True(t, body == get(t, p, acme, id, 0))
		require.NoError(t, p.Drop(ctx, acme, id))
	})
	t.Run("dropped", func(t *testing.T) {
		p, id, other := make(t), tenantstest.Fresh(t, "drop"), tenantstest.Fresh(t, "drop")
		for part := range 12 {
			require.NoError(t, put(p, acme, id, part, "x\n"))
		}
		require.NoError(t, put(p, acme, other, 0, "y\n"))
		require.NoError(t, put(p, globex, id, 0, "z\n"))
		for range 2 {
			require.NoError(t, p.Drop(ctx, acme, id))
			for part := range 12 {
				missing(t, p, acme, id, part)
			}
		}
		assert.Equal(t, "y\n", get(t, p, acme, other, 0))
		assert.Equal(t, "z\n", get(t, p, globex, id, 0))
	})
	t.Run("nobody has none", func(t *testing.T) {
		p := make(t)
		assert.Error(t, put(p, tenants.Scope{}, "a", 0, ""))
		_, err := p.Get(ctx, tenants.Scope{}, "a", 0, 1)
		assert.Error(t, err)
		assert.Error(t, p.Drop(ctx, tenants.Scope{}, "a"))
	})
}

// Store is files that a test may put.
type Store interface {
	imports.Files
	Put(s tenants.Scope, name, contentType string, data []byte)
}

// TestFiles checks the promises of imports.Files.
func TestFiles(t *testing.T, make func(t *testing.T) Store) {
	ctx := t.Context()
	acme, globex := tenantstest.Two(t)
	all := func(t *testing.T, f imports.Files, s tenants.Scope, prefix string, limit int) (names []string, pages int) {
		t.Helper()
		for cursor := ""; pages == 0 || cursor != ""; pages++ {
			files, next, err := f.List(ctx, s, prefix, cursor, limit)
			require.NoError(t, err)
			require.LessOrEqual(t, len(files), limit)
			for _, file := range files {
				names = append(names, file.Name)
			}
			cursor = next
		}
		return names, pages
	}
	t.Run("below a prefix, in order, page by page", func(t *testing.T) {
		f, dir := make(t), tenantstest.Fresh(t, "d")
		for _, name := range []string{"/b.md", "/a/1.txt", "/a/2 é%.txt", "-other/x"} {
			f.Put(acme, dir+name, "text/plain", []byte(name))
		}
		f.Put(globex, dir+"/a/1.txt", "text/markdown", []byte("of globex"))
		for _, limit := range []int{1, 2, 100} {
			names, _ := all(t, f, acme, dir+"/", limit)
			assert.Equal(t, []string{dir + "/a/1.txt", dir + "/a/2 é%.txt", dir + "/b.md"}, names, "%d a page", limit)
		}
		names, _ := all(t, f, acme, dir+"/a/2", 10)
		assert.Equal(t, []string{dir + "/a/2 é%.txt"}, names)
		names, _ = all(t, f, acme, dir, 10)
		assert.Len(t, names, 4, "a prefix is no folder")
		names, pages := all(t, f, acme, dir+"/none", 10)
		assert.Empty(t, names)
		assert.Equal(t, 1, pages)
	})
	t.Run("what they are", func(t *testing.T) {
		f, name := make(t), tenantstest.Fresh(t, "f")+"/x.md"
		f.Put(acme, name, "text/markdown", []byte("# Água"))
		files, next, err := f.List(ctx, acme, name, "", 10)
		require.NoError(t, err)
		assert.Empty(t, next)
		require.Len(t, files, 1)
		assert.Equal(t, []any{name, int64(7), "text/markdown"}, []any{files[0].Name, files[0].Bytes, files[0].ContentType})
		got, err := f.Get(ctx, acme, name, 7)
		require.NoError(t, err)
		assert.Equal(t, "# Água", string(got))
		_, err = f.Get(ctx, acme, name, 6)
		assert.Equal(t, []any{fault.Invalid, "document_too_large"}, []any{fault.KindOf(err), fault.As(err).Code})
	})
	t.Run("nobody else's", func(t *testing.T) {
		f, name := make(t), tenantstest.Fresh(t, "f")
		f.Put(acme, name, "text/plain", []byte("x"))
		for _, of := range []string{name, "../acme/files/" + name, "../../t/acme/files/" + name, "/t/acme/files/" + name} {
			_, err := f.Get(ctx, globex, of, 10)
			require.Error(t, err, of)
			assert.Equal(t, []any{fault.NotFound, "file_not_found"}, []any{fault.KindOf(err), fault.As(err).Code})
			names, _ := all(t, f, globex, of, 10)
			assert.Empty(t, names)
		}
		_, _, err := f.List(ctx, tenants.Scope{}, "", "", 10)
		assert.Error(t, err)
		_, err = f.Get(ctx, tenants.Scope{}, name, 10)
		assert.Error(t, err)
	})
}
