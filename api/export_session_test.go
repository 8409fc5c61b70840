package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A session is longer than a page, and an export is not.
func TestAnExportIsWhole(t *testing.T) {
	const turns = 101
	w := newWorld(t)
	for i := range turns {
		rec := httptest.NewRecorder()
		w.ServeHTTP(rec, w.request("globex", "POST", "/chat", fmt.Sprintf(`{"sessionId":"long","message":"<%d>","stream":false}`, i)))
		require.Equal(t, 200, rec.Code)
	}
	type message struct {
		Role, Content string
		Turn          int
	}
	check := func(messages []message) {
		require.Len(t, messages, 2*turns)
		for i, m := range messages {
			assert.Equal(t, message{[]string{"user", "assistant"}[i%2], fmt.Sprintf("<%d>", i/2), i/2 + 1}, m)
		}
	}
	var paged []message
	for cursor := ""; ; {
		page := data[struct {
			Messages []message
			Cursor   string
		}](t, w.do("globex", "GET", "/sessions/long/history?limit=70&cursor="+cursor, ""))
		paged = append(paged, page.Messages...)
		if cursor = page.Cursor; cursor == "" {
			break
		}
	}
	check(paged)

	var file struct{ Messages []message }
	require.NoError(t, json.Unmarshal(w.do("globex", "GET", "/sessions/long/export", "").Body.Bytes(), &file))
	check(file.Messages)

	var listed []message
	rows := strings.Split(strings.TrimSpace(w.do("globex", "GET", "/sessions/long/export?format=ndjson", "").Body.String()), "\n")
	for _, row := range rows[1:] {
		var m message
		require.NoError(t, json.Unmarshal([]byte(row), &m))
		listed = append(listed, m)
	}
	check(listed)

	head := w.do("globex", "HEAD", "/sessions/long/export", "")
	assert.Equal(t, 200, head.Code)
	assert.Empty(t, head.Body.String())

	pages := 0
	w.talk.sessions.Before = func(string) error {
		if pages++; pages > 1 {
			return errors.New("restarting")
		}
		return nil
	}
	c := &client{header: http.Header{}}
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { w.ServeHTTP(c, w.request("globex", "GET", "/sessions/long/export", "")) },
		"what breaks off does not look whole")
	assert.False(t, json.Valid([]byte(c.body())))
}
