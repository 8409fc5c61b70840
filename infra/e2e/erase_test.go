package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// put makes a document what it is from now on, and waits until it is.
func (u user) put(id, text string) job.Job {
	u.t.Helper()
	var j job.Job
	u.do(http.MethodPut, "/documents/"+url.PathEscape(id)+"?wait=60s", map[string]string{"text": text}).into(u.t, &j)
	require.Equal(u.t, job.Succeeded, j.State)
	return j
}

// erase deletes a document and waits for the receipt.
func (u user) erase(id string) job.Job {
	u.t.Helper()
	a := u.do(http.MethodDelete, "/documents/"+url.PathEscape(id), nil)
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	require.Equal(u.t, "succeeded", u.finished(acc.JobID).State)
	var j job.Job
	u.do(http.MethodGet, "/jobs/"+acc.JobID, nil).into(u.t, &j)
	return j
}

// texts counts what the bucket has of a document.
func texts(t *testing.T, id string) int {
	t.Helper()
	keys, err := platform.R2(stack.Consumers, "CORPUS").Keys(t.Context(), "")
	require.NoError(t, err)
	n := 0
	for _, key := range keys {
		if strings.Contains(key, strings.TrimSuffix(corpus.TextPrefix(id), "/")) {
			n++
		}
	}
	return n
}

// A deleted document is counted in the stores before and after, while the index shows writes late.
func TestADeletedDocumentIsErasedFromTheStores(t *testing.T) {
	acme, globex := as(t, "acme"), as(t, "globex")
	settled(t, platform) // what earlier tests have left would be counted
	platform.Vectors().SetDelay(1500 * time.Millisecond)
	defer platform.Vectors().SetDelay(0)
	before := vectors(t, platform, "bge-m3")
	var long strings.Builder
	for i := range 60 {
		fmt.Fprintf(&long, "Paragraph %d of the diary tells what the gardener saw in the year %d, at some length, so that it is a chunk of its own.\n\n", i, 1900+i)
	}
	acme.put("diaries/gardener", "What the gardener saw before he had a diary.")
	acme.put("diaries/gardener", long.String())
	acme.put("diaries", "A list of all diaries, the gardener's among them.")
	var d, other corpus.Document
	acme.do(http.MethodGet, "/documents/diaries%2Fgardener", nil).into(t, &d)
	assert.Nil(t, d.Why)
	assert.Len(t, d.Versions, 2)
	assert.Positive(t, d.Cost.Tokens)
	assert.Positive(t, d.Cost.Nanos)
	eventually(t, "the text of the version that was replaced is gone", func() bool { return texts(t, "diaries/gardener") == 1 })
	acme.do(http.MethodGet, "/documents/diaries", nil).into(t, &other)

	j := acme.erase("diaries/gardener")
	assert.Equal(t, []int{1, d.Chunks, 1, 0}, []int{j.Erasure.Generations, j.Erasure.Vectors, j.Erasure.Texts, j.Erasure.Remaining})
	assert.Equal(t, before+other.Chunks, vectors(t, platform, "bge-m3"))
	assert.Zero(t, texts(t, "diaries/gardener"))
	assert.Equal(t, 1, texts(t, "diaries"))
	for _, s := range acme.search("what the gardener saw", map[string]any{"topK": 50}).Sources {
		assert.NotEqual(t, "diaries/gardener", s.DocID)
	}
	assert.Equal(t, http.StatusNotFound, acme.do(http.MethodGet, "/documents/diaries%2Fgardener/content", nil).Status)
	assert.Equal(t, http.StatusNotFound, globex.do(http.MethodDelete, "/documents/diaries", nil).Status)

	again := acme.put("diaries/gardener", long.String())
	assert.False(t, again.Unchanged, "it is a document again")
	assert.True(t, acme.put("diaries/gardener", long.String()).Unchanged)
	acme.do(http.MethodGet, "/documents/diaries%2Fgardener", nil).into(t, &d)
	assert.Equal(t, 3, d.Generation)
	assert.Equal(t, before+other.Chunks+d.Chunks, vectors(t, platform, "bge-m3"))
	assert.Equal(t, 1, texts(t, "diaries/gardener"), "what was unchanged left nothing")

	globex.put("diaries", "Another tenant's list of diaries.")
	for _, id := range []string{"diaries/gardener", "diaries"} {
		acme.erase(id)
	}
	assert.Equal(t, before, vectors(t, platform, "bge-m3"))
	assert.Equal(t, 1, texts(t, "diaries"), "another tenant's of the same id")
	assert.Len(t, globex.search("list of diaries", map[string]any{"filter": map[string]any{"docId": "diaries"}}).Sources, 1)
	var page corpus.DocumentPage
	acme.do(http.MethodGet, "/documents?prefix=diaries", nil).into(t, &page)
	assert.Empty(t, page.Documents)
	acme.do(http.MethodGet, "/documents?prefix=diaries&state=deleted", nil).into(t, &page)
	assert.Len(t, page.Documents, 2)
	var jobs corpus.JobPage
	acme.do(http.MethodGet, "/jobs?kind=erase&limit=3", nil).into(t, &jobs)
	require.Len(t, jobs.Jobs, 3)
	assert.Equal(t, "diaries", jobs.Jobs[0].DocID, "newest first")
	globex.erase("diaries")
}
