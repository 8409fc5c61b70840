package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
)

func TestAQuestionIsAnswered(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		asked = append(asked, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true,"data":{"answer":"Downhill [1].","sources":[{"docId":"a"}],"citations":[{"marker":1,"docId":"a","quote":"It runs downhill.","start":7,"end":24,"supported":true}],"confidence":0.9,"abstained":false,"followUps":["Why?"]}}`)
	}))
	defer server.Close()
	c := client.New(server.URL, "key", nil)
	a, err := c.Answer(t.Context(), client.Question{Query: "Where to?", TopK: 3})
	require.NoError(t, err)
	assert.Equal(t, "Downhill [1].", a.Answer)
	assert.Equal(t, "a", a.Sources[0].DocID)
	assert.Equal(t, []client.Citation{{Marker: 1, DocID: "a", Quote: "It runs downhill.", Start: 7, End: 24, Supported: true}}, a.Citations)
	_, err = c.Search(t.Context(), "Where to?", 3)
	require.NoError(t, err)
	assert.Equal(t, []string{`POST /search {"query":"Where to?","topK":3,"answer":true}`, `POST /search {"query":"Where to?","topK":3,"mode":"hybrid","answer":false}`}, asked)
}
