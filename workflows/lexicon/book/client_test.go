package book_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/lexicon/book"
)

// wire notes what is sent to which shard, and answers what it is told.
type wire struct {
	mu    sync.Mutex
	sent  []string // "0 put"
	bytes []int
	reply func(shard, method string, body []byte) []byte
	fail  string // a line of sent
}

func (w *wire) carry(_ context.Context, _ tenants.Scope, name []string, method string, body []byte) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	line := name[0] + " " + method
	w.sent, w.bytes = append(w.sent, line), append(w.bytes, len(body))
	if line == w.fail {
		return nil, fault.Unavailablef(nil, "object_unavailable", "no")
	}
	if w.reply != nil {
		return w.reply(name[0], method, body), nil
	}
	return []byte(`{"value":0}`), nil
}

func client(w *wire, shards int) *book.Client {
	return book.NewClient(w.carry, func(context.Context, tenants.Scope) (int, error) { return shards, nil })
}

func passage(doc string, size int) corpus.Passage {
	return corpus.Passage{Metadata: corpus.Metadata{DocID: doc, Generation: 1, Text: strings.Repeat("x", size)}, Body: []string{"x"}}
}

func TestPutSendsEachDocumentToItsShardInBoundedCalls(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	w := &wire{reply: func(string, string, []byte) []byte { return []byte(`{"value":{}}`) }}
	c := client(w, 4)
	var ps []corpus.Passage
	for i := range 1000 {
		p := passage(fmt.Sprint("doc", i%40), 9000)
		p.Chunk = i
		ps = append(ps, p)
	}
	require.NoError(t, c.Put(t.Context(), acme, ps))
	shards := map[string]bool{}
	for i, line := range w.sent {
		shards[line] = true
		assert.Less(t, w.bytes[i], 640<<10)
	}
	assert.Len(t, shards, 4)
	assert.Less(t, len(w.sent), 30)

	w.sent = nil
	require.NoError(t, c.Put(t.Context(), acme, []corpus.Passage{passage("doc1", 1), passage("doc1", 2)}))
	assert.Len(t, w.sent, 1, "a document is in one shard")
}

func TestRemoveAsksEveryShardUntilNothingIsLeft(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	left := 3
	w := &wire{reply: func(shard, _ string, _ []byte) []byte {
		if shard == "1" && left > 0 {
			left--
			return []byte(`{"value":true}`)
		}
		return []byte(`{}`)
	}}
	require.NoError(t, client(w, 3).Remove(t.Context(), acme, []corpus.Generation{{DocID: "d", Generation: 1}}))
	assert.Len(t, w.sent, 6)
}

func TestAShardThatFails(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	q := corpus.LexicalQuery{Terms: []corpus.Term{{Text: "x", Weight: 1}}, TopK: 1}
	ref := corpus.Generation{DocID: "d", Generation: 1}
	for method, ask := range map[string]func(c *book.Client) error{
		"put":    func(c *book.Client) error { return c.Put(t.Context(), acme, []corpus.Passage{passage("d", 1)}) },
		"remove": func(c *book.Client) error { return c.Remove(t.Context(), acme, []corpus.Generation{ref}) },
		"find":   func(c *book.Client) error { _, err := c.Find(t.Context(), acme, q); return err },
		"passages": func(c *book.Client) error {
			_, err := c.Passages(t.Context(), acme, []corpus.Place{{Generation: ref}})
			return err
		},
		"stored": func(c *book.Client) error { _, err := c.Stored(t.Context(), acme, ref); return err },
		"clear":  func(c *book.Client) error { _, err := c.Clear(t.Context(), acme, 1); return err },
		"count":  func(c *book.Client) error { _, err := c.Count(t.Context(), acme); return err },
	} {
		err := ask(client(&wire{fail: "0 " + method}, 1))
		assert.Equal(t, fault.Unavailable, fault.KindOf(err), "%s: %v", method, err)
		f, _ := json.Marshal(fault.New(fault.Denied, "tenant_mismatch", "no", nil))
		refuse := &wire{reply: func(string, string, []byte) []byte { return fmt.Appendf(nil, `{"fault":%s}`, f) }}
		assert.Equal(t, "tenant_mismatch", fault.As(ask(client(refuse, 2))).Code, method)
	}
	for _, reply := range []string{"", "\x00", "\x00short", "\x00" + strings.Repeat("\xff", 100), `{}`, "<html>"} {
		w := &wire{reply: func(string, string, []byte) []byte { return []byte(reply) }}
		_, err := client(w, 1).Find(t.Context(), acme, q)
		assert.Equal(t, fault.Internal, fault.KindOf(err), "%q: %v", reply, err)
	}
}
