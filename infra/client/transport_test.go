package client_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
)

// rude is a server that reads the head of each request, says something, and closes: what was sent meanwhile is answered by the kernel, with a reset.
// It returns how many connections it had.
func rude(t *testing.T, says string) (url string, had func() int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n++
			if _, err := http.ReadRequest(bufio.NewReader(c)); assert.NoError(t, err) {
				fmt.Fprint(c, says)
			}
			c.Close()
		}
	}()
	had = func() int { l.Close(); <-done; return n }
	t.Cleanup(func() { had() })
	return "http://" + l.Addr().String(), had
}

const (
	wrongKey = `{"ok":false,"error":{"code":"invalid_key","message":"the key is not known"}}`
	busy     = `{"ok":false,"error":{"code":"bodies_busy","message":"later"}}`
)

func said(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

// What refuses an upload may close the connection behind its answer: the answer counts, not that nobody reads on.
func TestAnEarlyAnswerIsHeard(t *testing.T) {
	for range 30 { // which of the two is seen first is a matter of luck
		url, _ := rude(t, said("401 Unauthorized", wrongKey))
		asked := 0
		_, err := client.New(url, "k", nil).IngestBatch(t.Context(), client.Batch{Documents: many(1_000, 100_000, &asked)})
		var e *client.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, []any{http.StatusUnauthorized, "invalid_key"}, []any{e.Status, e.Fault.Code})
		assert.Less(t, asked, 1_000, "the rest was not made for nothing")
	}
}

// What is told to come again does so.
func TestAnEarlyRefusalIsTriedAgain(t *testing.T) {
	url, had := rude(t, said("503 Service Unavailable", busy))
	asked := 0
	c := client.New(url, "k", &client.Options{Patience: time.Second})
	_, err := c.IngestBatch(t.Context(), client.Batch{IdempotencyKey: "k", Documents: many(1_000, 100_000, &asked)})
	assert.ErrorContains(t, err, "bodies_busy")
	assert.Greater(t, had(), 1)
}

// Who closes without a word has not answered, and that is known at once.
func TestNoAnswerIsNone(t *testing.T) {
	for _, says := range []string{"", "HTTP/1.1 401 Unauth"} {
		for range 30 {
			url, had := rude(t, says)
			asked := 0
			_, err := client.New(url, "k", nil).IngestBatch(t.Context(), client.Batch{Documents: many(1_000, 100_000, &asked)})
			var gone *client.Unreachable
			require.ErrorAs(t, err, &gone)
			assert.Equal(t, url, gone.URL)
			assert.Equal(t, 1, had())
			assert.Less(t, asked, 1_000)
		}
	}
}
