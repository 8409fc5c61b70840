package client_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/workflows/job"
)

// many are n documents of a size. They are made when they are asked for, and counted.
func many(n, size int, asked *int) iter.Seq[client.Document] {
	return func(yield func(client.Document) bool) {
		for i := range n {
			*asked++
			if !yield(client.Document{DocID: fmt.Sprintf("d%d", i), Text: strings.Repeat("é", size/2)}) {
				return
			}
		}
	}
}

func TestABatchIsLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts, asked, keys := 0, 0, map[string]bool{}
		c := client.New("http://levada.test", "k", &client.Options{HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			keys[r.Header.Get("Idempotency-Key")] = true
			assert.Equal(t, "application/x-ndjson", r.Header.Get("Content-Type"))
			lines := bufio.NewScanner(r.Body)
			if attempts++; attempts < 3 {
				lines.Scan() // busy, and says so in the middle
				refuse(w, 503, "bodies_busy", "", "1")
				return
			}
			n := 0
			for ; lines.Scan(); n++ {
				var d client.Document
				assert.NoError(t, json.Unmarshal(lines.Bytes(), &d))
				assert.Equal(t, client.Document{DocID: fmt.Sprintf("d%d", n), Text: "éé"}, d)
			}
			fmt.Fprintf(w, `{"ok":true,"data":{"jobId":"j1","statusUrl":"/jobs/j1","entries":%d,"refused":1,"errors":[{"line":2,"code":"document_empty","message":"no text","field":"text"}]}}`, n-1)
		})}})
		in, err := c.IngestBatch(t.Context(), client.Batch{IdempotencyKey: "once", Documents: many(100, 4, &asked)})
		require.NoError(t, err)
		assert.Equal(t, client.Imported{JobID: "j1", Entries: 99, Refused: 1, Errors: []job.Problem{{Line: 2, Code: "document_empty", Message: "no text", Field: "text"}}}, in)
		assert.Equal(t, map[string]bool{"once": true}, keys, "a retry is the same import")
		assert.Equal(t, 3, attempts)
	})
}

// A batch that is refused early is not read to its end, and what reads it is done when the call returns.
func TestABatchIsReadAsItIsSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.CopyN(io.Discard, r.Body, 1000)
		assert.NoError(t, err)
		refuse(w, 403, "scope_denied", "", "")
	}))
	defer server.Close()
	asked := 0
	_, err := client.New(server.URL, "", nil).IngestBatch(t.Context(), client.Batch{Documents: many(10_000, 100_000, &asked)})
	assert.ErrorContains(t, err, "scope_denied")
	assert.Less(t, asked, 1000, "a gigabyte was not made for nothing")
}

func TestABatchWithoutADocument(t *testing.T) {
	c := client.New("http://levada.test", "", &client.Options{HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		fmt.Fprint(w, `{"ok":false,"error":{"code":"batch_refused","message":"no","details":{"refused":2,"errors":[{"line":1,"code":"a","message":"b"},{"line":2,"code":"a","message":"b"}]}}}`)
	})}})
	asked := 0
	_, err := c.IngestBatch(t.Context(), client.Batch{Documents: many(2, 0, &asked)})
	var e *client.Error
	require.ErrorAs(t, err, &e)
	assert.Len(t, e.Refused, 2)
}

func TestListsArePaged(t *testing.T) {
	c := client.New("http://levada.test", "", &client.Options{HTTP: clienttest.Inside{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("kind") == "x" {
			refuse(w, 400, "invalid_query", "", "")
			return
		}
		assert.Equal(t, "failed", r.URL.Query().Get("state"))
		assert.NotContains(t, r.URL.RawQuery, "kind")
		switch r.URL.Query().Get("cursor") {
		case "":
			fmt.Fprint(w, `{"ok":true,"data":{"jobs":[{"jobId":"1"},{"jobId":"2"}],"next":"x"}}`)
		case "x":
			fmt.Fprint(w, `{"ok":true,"data":{"jobs":[],"next":"y"}}`) // a page may be empty
		case "y":
			fmt.Fprint(w, `{"ok":true,"data":{"jobs":[{"jobId":"3"}]}}`)
		}
	})}})
	jobs := c.Jobs(t.Context(), client.JobQuery{State: "failed"})
	for range 2 { // it can be read again
		var ids []string
		for j, err := range jobs {
			require.NoError(t, err)
			ids = append(ids, j.ID)
		}
		assert.Equal(t, []string{"1", "2", "3"}, ids)
	}
	for range jobs {
		break
	}
	for _, err := range c.Jobs(t.Context(), client.JobQuery{Kind: "x"}) {
		assert.Error(t, err)
	}
}
