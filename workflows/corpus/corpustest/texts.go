package corpustest

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// TestTexts checks the promises of corpus.Texts.
func TestTexts(t *testing.T, newTexts func(t *testing.T) corpus.Texts) {
	acme, globex := tenantstest.Two(t)
	missing := func(t *testing.T, err error) {
		t.Helper()
		assert.Equal(t, fault.NotFound, fault.KindOf(err), "%v", err)
		assert.Equal(t, "text_not_found", fault.As(err).Code)
	}
	t.Run("what was put is what is got, byte for byte", func(t *testing.T) {
		x, key := newTexts(t), tenantstest.Fresh(t, "doc/é ?#%/../")
		for _, text := range [][]byte{[]byte("água\x00\r\n"), bytes.Repeat([]byte("levada "), 300_000), {}} {
			require.NoError(t, x.Put(t.Context(), acme, key, text, "text/plain"))
			got, err := x.Get(t.Context(), acme, key)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(text, got), "%d bytes instead of %d", len(got), len(text))
		}
	})
	t.Run("a text belongs to its tenant", func(t *testing.T) {
		x, key := newTexts(t), tenantstest.Fresh(t, "")
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("of acme"), "text/plain"))
		_, err := x.Get(t.Context(), globex, key)
		missing(t, err)
		require.NoError(t, x.Put(t.Context(), globex, key, []byte("of globex"), "text/plain"))
		require.NoError(t, x.Delete(t.Context(), globex, key))
		got, err := x.Get(t.Context(), acme, key)
		require.NoError(t, err)
		assert.Equal(t, "of acme", string(got))
	})
	t.Run("what is deleted is gone, and may be deleted again", func(t *testing.T) {
		x, key := newTexts(t), tenantstest.Fresh(t, "")
		require.NoError(t, x.Put(t.Context(), acme, key, []byte("x"), "text/plain"))
		require.NoError(t, x.Delete(t.Context(), acme, key))
		require.NoError(t, x.Delete(t.Context(), acme, key))
		_, err := x.Get(t.Context(), acme, key)
		missing(t, err)
	})
	t.Run("a document's texts are listed, and nobody else's", func(t *testing.T) {
		x, doc := newTexts(t), tenantstest.Fresh(t, "doc/é")
		var keys []string
		for _, name := range []string{"1/sum", "1/sum.txt", "2/sum", "3/~ ."} {
			keys = append(keys, corpus.TextPrefix(doc)+name)
			require.NoError(t, x.Put(t.Context(), acme, keys[len(keys)-1], []byte(name), "text/plain"))
		}
		require.NoError(t, x.Put(t.Context(), acme, corpus.TextKey(doc+"/1", "4", "sum"), []byte("x"), "text/plain"))
		require.NoError(t, x.Put(t.Context(), globex, corpus.TextKey(doc, "5", "sum"), []byte("x"), "text/plain"))
		got, err := x.List(t.Context(), acme, corpus.TextPrefix(doc), 10)
		require.NoError(t, err)
		assert.Equal(t, keys, got)
		got, err = x.List(t.Context(), acme, corpus.TextPrefix(doc), 2)
		require.NoError(t, err)
		assert.Equal(t, keys[:2], got)
		require.NoError(t, x.Delete(t.Context(), acme, append(keys, corpus.TextKey(doc, "6", "never"))...))
		require.NoError(t, x.Delete(t.Context(), acme))
		got, err = x.List(t.Context(), acme, corpus.TextPrefix(doc), 10)
		require.NoError(t, err)
		assert.Empty(t, got)
	})
	t.Run("nobody's call is refused", func(t *testing.T) {
		x, key := newTexts(t), tenantstest.Fresh(t, "")
		assert.ErrorIs(t, x.Put(t.Context(), tenants.Scope{}, key, []byte("x"), "text/plain"), tenants.ErrNoScope)
		_, err := x.Get(t.Context(), tenants.Scope{}, key)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
		assert.ErrorIs(t, x.Delete(t.Context(), tenants.Scope{}, key), tenants.ErrNoScope)
		_, err = x.List(t.Context(), tenants.Scope{}, corpus.TextPrefix(key), 1)
		assert.ErrorIs(t, err, tenants.ErrNoScope)
	})
	t.Run("calls at once do not mix", func(t *testing.T) {
		x, key := newTexts(t), tenantstest.Fresh(t, "")
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				text := fmt.Sprintf("text %d", i)
				if !assert.NoError(t, x.Put(t.Context(), acme, fmt.Sprint(key, i), []byte(text), "text/plain")) {
					return
				}
				got, err := x.Get(t.Context(), acme, fmt.Sprint(key, i))
				assert.NoError(t, err)
				assert.Equal(t, text, string(got))
			})
		}
		wg.Wait()
	})
}
