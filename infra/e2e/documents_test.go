package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestADocumentBecomesSearchableForItsTenantAlone(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	text := "# Levadas\n\nA levada is an irrigation channel on Madeira. The oldest were cut in the fifteenth century.\n"
	acc := acme.index(document{DocID: "levadas", Text: text, ContentType: "text/markdown", Title: "Levadas", Source: "guide"})

	f := acme.search("How old are the irrigation channels?", nil)
	require.NotEmpty(t, f.Sources)
	top := f.Sources[0]
	assert.Equal(t, "levadas", top.DocID)
	assert.Equal(t, "Levadas", top.Title)
	assert.Contains(t, top.Text, "fifteenth century")
	assert.Equal(t, top.Text, text[top.Start:top.End], "the offsets show the chunk in its source")

	guide := map[string]any{"filter": map[string]any{"source": "guide"}}
	assert.NotEmpty(t, acme.search("How old are the irrigation channels?", guide).Sources)
	assert.Empty(t, globex.search("How old are the irrigation channels?", guide).Sources)
	assert.Empty(t, as(t, "demo").search("How old are the irrigation channels?", guide).Sources, "demo has its vectors in the same index")
	for _, path := range []string{"/documents/levadas", "/documents/levadas/content", "/jobs/" + acc.JobID} {
		assert.Equal(t, http.StatusOK, acme.do("GET", path, nil).Status, path)
		other := globex.do("GET", path, nil)
		none := globex.do("GET", strings.Replace(path, "levadas", "no-such", 1)+"", nil)
		assert.Equal(t, http.StatusNotFound, other.Status, path)
		assert.Equal(t, http.StatusNotFound, none.Status, path)
		assert.Equal(t, none.Error.Code, other.Error.Code, "another tenant's and none look the same")
	}
}

func TestBothTenantsMayUseTheSameNames(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		as(t, tenant).index(document{DocID: "same", Title: "Of " + tenant, Text: "The secret word of " + tenant + " is kept in this sentence about secrets."})
	}
	for _, tenant := range []string{"acme", "globex"} {
		f := as(t, tenant).search("What is the secret word?", map[string]any{"filter": map[string]any{"docId": "same"}})
		require.Len(t, f.Sources, 1)
		assert.Equal(t, "Of "+tenant, f.Sources[0].Title)
		assert.Contains(t, f.Sources[0].Text, tenant)
	}
}

func TestANewGenerationReplacesTheOld(t *testing.T) {
	u := as(t, "acme")
	var long strings.Builder
	for i := range 40 {
		fmt.Fprintf(&long, "Paragraph %d of the first edition speaks about the harvest of olives in year %d, at some length, so that it is a chunk.\n\n", i, 1900+i)
	}
	first := u.index(document{DocID: "edition", Text: long.String()})
	assert.Equal(t, 1, first.Generation)
	second := u.index(document{DocID: "edition", Text: "The second edition is short: it only speaks about lemons."})
	assert.Equal(t, 2, second.Generation)

	f := u.search("harvest of olives", map[string]any{"topK": 50, "filter": map[string]any{"docId": "edition"}})
	require.Len(t, f.Sources, 1)
	assert.Contains(t, f.Sources[0].Text, "lemons")
}

func TestAnEmptyDocumentFailsWithItsReason(t *testing.T) {
	u := as(t, "globex")
	a := u.do("POST", "/ingest", document{DocID: "blank", Text: " \n\t "})
	if a.Status == http.StatusAccepted { // refused at the door or by the chunker, but never silent
		var acc accepted
		a.into(t, &acc)
		j := u.finished(acc.JobID)
		assert.Equal(t, "failed", j.State)
		require.NotEmpty(t, j.Errors)
		assert.Equal(t, "document_empty", j.Errors[0].Code)
		return
	}
	assert.Equal(t, "document_empty", a.Error.Code)
}

func TestIdempotencyKeys(t *testing.T) {
	u := as(t, "acme")
	d := document{Text: "Sent twice because the first answer was lost."}
	first := u.ingest(d, "idempotency-key", "once")
	again := u.ingest(d, "idempotency-key", "once")
	assert.Equal(t, first, again)
	d.Text = "Something else."
	assert.Equal(t, http.StatusConflict, u.do("POST", "/ingest", d, "idempotency-key", "once").Status)
	other := as(t, "globex").ingest(d, "idempotency-key", "once")
	assert.NotEqual(t, first.DocID, other.DocID, "another tenant's key is another key")
}
