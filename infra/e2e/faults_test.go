package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
)

// disturb makes queues of the shared platform faulty until the test ends.
func disturb(t *testing.T, f dev.Faults, queues ...string) {
	t.Helper()
	for _, q := range queues {
		require.NoError(t, platform.Queue(q).Disturb(t.Context(), f))
		t.Cleanup(func() { require.NoError(t, platform.Queue(q).Disturb(context.Background(), dev.Faults{})) })
	}
}

// Messages that come twice and in any order, and two generations of each document on their way at once, leave exactly
// the newest generation, and each fact in the audit trail once.
func TestDuplicatesShuffleAndTwoGenerations(t *testing.T) {
	settled(t, platform)
	before := vectors(t, platform, "bge-m3")
	disturb(t, dev.Faults{Duplicate: 2, Shuffle: true}, "ingest", "embed", "index", "audit")

	const n = 40
	u := as(t, "acme")
	shelf := "leaflet/" + uuid.NewString() + "/"
	text := func(generation, i int) string {
		return strings.Repeat(fmt.Sprintf("Edition %d of leaflet %d tells of the walk along the water.\n\n", generation, i), 3)
	}
	var mu sync.Mutex
	newest := map[string]string{} // document -> the text of its second generation
	jobs := map[string]accepted{}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := worker % 4 * n / 4; i < (worker%4+1)*n/4; i++ { // two workers for each document
				id := shelf + strconv.Itoa(i)
				sent := text(1+worker/4, i)
				a, err := u.try(http.MethodPost, "/ingest", document{DocID: id, Text: sent, Chunking: map[string]int{"maxTokens": 16}})
				var acc accepted
				if !assert.NoError(t, err) || !assert.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body) || !assert.NoError(t, a.decode(&acc)) {
					return
				}
				mu.Lock()
				jobs[acc.JobID] = acc
				if acc.Generation == 2 {
					newest[id] = sent
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	require.Len(t, newest, n)
	for id, acc := range jobs {
		j := u.finished(id)
		if acc.Generation == 2 {
			assert.Equal(t, "succeeded", j.State, "%+v", j)
		} else if j.State != "succeeded" {
			assert.Equal(t, "superseded", j.Errors[0].Code, "%+v", j)
		}
	}
	settled(t, platform)

	chunks := 0
	for id, sent := range newest {
		d := u.document(id)
		assert.Equal(t, []any{2, 2, "indexed"}, []any{d.Generation, d.Searchable, d.State}, id)
		chunks += d.Chunks
		f := u.search("a walk along the water", map[string]any{"topK": 50, "filter": map[string]any{"docId": id}})
		assert.Len(t, f.Sources, d.Chunks)
		for _, s := range f.Sources {
			assert.Equal(t, sent[s.Start:s.End], s.Text, "of the newest generation")
		}
	}
	assert.Equal(t, chunks, vectors(t, platform, "bge-m3")-before, "no vector of an old generation is left")

	told := map[string]map[string]int{} // type -> document -> how often
	for _, e := range trail(t, sharedState, "acme") {
		if id, ours := strings.CutPrefix(e.Subject, "documents/"); ours && newest[id] != "" {
			if told[e.Type] == nil {
				told[e.Type] = map[string]int{}
			}
			told[e.Type][id]++
		}
	}
	for id := range newest {
		assert.Equal(t, 2, told[events.TypeDocumentSubmitted][id], id)
		assert.Equal(t, 2, told[events.TypeDocumentChunked][id], id)
		assert.Equal(t, 2, told[events.TypeChunksEmbedded][id], id)
		assert.LessOrEqual(t, told[events.TypeDocumentIndexed][id], 2, id)
		assert.NotZero(t, told[events.TypeDocumentIndexed][id], id)
		assert.Zero(t, told[events.TypeDocumentFailed][id], id)
	}
}

// A document whose text is lost fails with the reason, and alone; a letter says what happened.
func TestADocumentThatCannotBeReadFailsAlone(t *testing.T) {
	disturb(t, dev.Faults{Pause: true}, "ingest")
	long := strings.Repeat("The text of this document is too long to travel with its event. ", 1000)
	bucket := platform.R2(stack.Consumers, "CORPUS")
	id := "lost-" + uuid.NewString()
	lost := as(t, "acme").ingest(document{DocID: id, Text: long})
	var others []accepted
	for _, tenant := range []string{"acme", "globex"} {
		for i := range 3 {
			others = append(others, as(t, tenant).ingest(document{DocID: fmt.Sprintf("beside/%d", i), Text: "Stands beside the lost one."}))
		}
	}
	keys, err := bucket.Keys(t.Context(), "t/acme/texts/"+strings.TrimSuffix(corpus.TextPrefix(id), "/"))
	require.NoError(t, err)
	require.Len(t, keys, 1)
	require.NoError(t, bucket.Delete(t.Context(), keys[0]))
	require.NoError(t, platform.Queue("ingest").Disturb(t.Context(), dev.Faults{}))

	u := as(t, "acme")
	j := u.finished(lost.JobID)
	assert.Equal(t, "failed", j.State)
	require.Len(t, j.Errors, 1)
	assert.Equal(t, "text_not_found", j.Errors[0].Code)
	assert.Equal(t, "chunk", j.Errors[0].Stage)
	d := u.document(id)
	assert.Equal(t, "failed", d.State)
	assert.Equal(t, "text_not_found", d.Why.Error)
	assert.Zero(t, d.Searchable)
	for i, acc := range others {
		tenant := []string{"acme", "globex"}[i/3]
		assert.Equal(t, "succeeded", as(t, tenant).finished(acc.JobID).State)
	}

	settled(t, platform)
	letter := letterOn(t, "acme", "documents/"+id)
	assert.Equal(t, []any{"ingest", "chunk", id, 1}, []any{letter.Queue, letter.Stage, letter.DocID, letter.Generation})
	assert.Equal(t, "chunk", letter.Handler)
	assert.Equal(t, "text_not_found", letter.Code)
	ev, err := events.Decode(letter.Body)
	require.NoError(t, err, "the letter can be sent again")
	assert.Equal(t, letter.Type, ev.Type)
	failed := 0
	for _, e := range trail(t, sharedState, "acme") {
		if e.Type == events.TypeDocumentFailed && e.Subject == "documents/"+id {
			failed++
		}
	}
	assert.Equal(t, 1, failed, "the failure is told once")
}

// letterOn is the one letter of a tenant on a subject, with its body.
func letterOn(t *testing.T, tenant, subject string) (on letters.Letter) {
	t.Helper()
	rows := objectRows(t, sharedState, "Letters", tenant)
	found := 0
	for key, row := range rows {
		var l letters.Letter
		if !strings.HasPrefix(key, "l/") || json.Unmarshal([]byte(row), &l) != nil || l.Subject != subject {
			continue
		}
		on = l
		on.Body = []byte(rows["b/"+l.ID])
		found++
	}
	require.Equal(t, 1, found, subject)
	return on
}

// Who waits is answered when searches find the document, which the index shows later than it takes it.
func TestWaitingGoesOnUntilTheIndexShowsTheDocument(t *testing.T) {
	platform.Vectors().SetDelay(1500 * time.Millisecond)
	defer platform.Vectors().SetDelay(0)
	u := as(t, "globex")
	filter := func(id string) map[string]any { return map[string]any{"filter": map[string]any{"docId": id}} }

	a := u.do(http.MethodPost, "/ingest?wait=30s", document{DocID: "later", Text: "Seen later than it was written."})
	require.Equal(t, http.StatusOK, a.Status, "%s", a.Body)
	assert.Len(t, u.search("written", filter("later")).Sources, 1)

	platform.Vectors().SetDelay(4 * time.Second)
	a = u.do(http.MethodPost, "/ingest?wait=1s", document{DocID: "later", Text: "The second edition is seen later, too."})
	require.Equal(t, http.StatusAccepted, a.Status, "who waits too short is told where to look: %s", a.Body)
	var acc accepted
	a.into(t, &acc)
	assert.Equal(t, "succeeded", u.finished(acc.JobID).State)
	eventually(t, "the second edition is found", func() bool {
		f := u.search("edition", filter("later"))
		return len(f.Sources) == 1 && strings.Contains(f.Sources[0].Text, "second")
	})
}
