package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/letters"
)

// TestLettersAreAskedFor holds what is sent against what the API takes, and has the first answer be that it is busy.
func TestLettersAreAskedFor(t *testing.T) {
	var asked []string
	answers := []string{
		`{"ok":false,"error":{"code":"object_unavailable","message":"later"}}`,
		`{"ok":true,"data":{"letters":[{"id":"a","code":"model_busy"}],"next":"n","count":{"total":9}}}`,
		`{"ok":true,"data":{"id":"a/b","body":"e30="}}`,
		`{"ok":true,"data":{"dryRun":true,"matched":9,"remaining":9}}`,
		`{"ok":true,"data":{"matched":9,"replayed":1,"skipped":[{"id":"x","code":"event_invalid"}],"remaining":8,"next":"n"}}`,
		`{"ok":false,"error":{"code":"scope_denied","message":"no"}}`,
	}
	statuses := []int{503, 200, 200, 200, 200, 403}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		n := len(asked)
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(statuses[n])
		_, _ = io.WriteString(w, answers[n])
	}))
	defer server.Close()
	c := client.New(server.URL, "key", &client.Options{Jitter: func(time.Duration) time.Duration { return 0 }})
	from, no := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), false
	q := letters.Query{Codes: []string{"model_busy", "x"}, DocID: "a b", From: from, Replayed: &no}

	page, err := c.Letters(t.Context(), q, "cur", 10, true)
	require.NoError(t, err)
	assert.Equal(t, []any{"a", "n", 9}, []any{page.Letters[0].ID, page.Next, page.Count.Total})
	l, err := c.Letter(t.Context(), "a/b")
	require.NoError(t, err)
	assert.Equal(t, "{}", string(l.Body))
	count, err := c.CountReplay(t.Context(), letters.Query{Stages: []string{"embed"}})
	require.NoError(t, err)
	assert.Equal(t, 9, count.Matched)
	done, err := c.Replay(t.Context(), letters.Query{IDs: []string{"a"}}, "n", 3)
	require.NoError(t, err)
	assert.Equal(t, "event_invalid", done.Skipped[0].Code)
	_, err = c.Replay(t.Context(), letters.Query{}, "", 0)
	assert.Equal(t, "scope_denied", fault.As(err).Code)

	const list = "GET /events?count=true&cursor=cur&docId=a+b&from=2026-11-22T08%3A00%3A00Z&limit=10&reason=model_busy&reason=x&replayed=false "
	assert.Equal(t, []string{
		list, list, "GET /events/a%2Fb ", `POST /events/replay {"stages":["embed"],"dryRun":true}`,
		`POST /events/replay {"ids":["a"],"cursor":"n","limit":3}`, "POST /events/replay {}",
	}, asked)
}
