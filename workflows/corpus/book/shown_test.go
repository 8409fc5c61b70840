package book_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/workflows/corpus/book"
)

// oneLook counts how often anything but whose book it is is read.
type oneLook struct {
	*rows
	looks int
}

func (o *oneLook) Get(key string) ([]byte, error) {
	if key != "tenant" {
		o.looks++
	}
	return o.rows.Get(key)
}

func (o *oneLook) GetAll(keys []string) ([][]byte, error) {
	o.looks++
	values := make([][]byte, len(keys))
	for i, key := range keys {
		values[i] = o.m[key]
	}
	return values, o.err
}

// What looks reads once and writes nothing, so that nothing can come in between.
func TestALookIsOne(t *testing.T) {
	d := newDesk(t)
	require.NoError(t, d.Put("tenant", []byte("acme")))
	for i := range 5 {
		ref := d.submit(fmt.Sprint("doc-", i))
		d.advance(chunked(ref, 1, 1), indexed(ref, 0, 1, 1))
	}
	d.submit("doc-0") // which is also searchable as it was
	d.submit("waits")
	written := d.written
	looked := map[string]bool{}
	client := book.NewClient(func(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) ([]byte, error) {
		o := &oneLook{rows: d.rows}
		reply, commit := d.book.Call(o, method, body)
		assert.True(t, commit, method)
		assert.Equal(t, 1, o.looks, method)
		looked[method] = book.Looks(method)
		return reply, nil
	})
	docs, err := client.Shown(t.Context(), d.scope, []string{"doc-4", "nowhere", "doc-0", "waits"})
	require.NoError(t, err)
	require.Len(t, docs, 2)
	assert.Equal(t, []string{"doc-4", "doc-0"}, []string{docs[0].ID, docs[1].ID})
	_, err = client.Edition(t.Context(), d.scope)
	require.NoError(t, err)
	assert.Equal(t, map[string]bool{"shown": true, "edition": true}, looked)
	assert.Equal(t, written, d.written)
}

// A book that has served nobody has to note whose it is, which a look cannot.
func TestTheFirstCallIsNoLook(t *testing.T) {
	d := newDesk(t)
	d.err = fmt.Errorf("a look does not write")
	body, err := json.Marshal(map[string]any{"tenant": "acme", "args": map[string]any{}})
	require.NoError(t, err)
	_, commit := d.book.Call(d.rows, "edition", body)
	assert.False(t, commit)
}
