package e2e

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/stack"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/job"
)

// objects is the names of what the bucket has of the tenant.
func (u user) objects() []string {
	u.t.Helper()
	keys, err := platform.R2(stack.Consumers, "CORPUS").Keys(u.t.Context(), "t/"+u.tenant+"/")
	require.NoError(u.t, err)
	return keys
}

// Of two tenants with documents, a session and cached answers one is erased: it has nothing in the bucket, in KV, in the index and in its
// objects any more, but for the receipt, the audit trail and the account; the other has all that it had. Then it begins anew.
func TestATenantIsErasedFromEveryStore(t *testing.T) {
	before := vectors(t, platform, "bge-m3")
	gone, stays := newcomer(t, "gone"), newcomer(t, "stays")
	const n = 20
	var jobs []accepted
	for _, u := range []user{gone, stays} {
		for i := range n {
			jobs = append(jobs, u.ingest(document{DocID: fmt.Sprint("doc-", i), Text: fmt.Sprintf("The %d. channel of %s brings water to the terraces.", i, u.tenant)}))
		}
	}
	for i, a := range jobs {
		require.Equal(t, "succeeded", []user{gone, stays}[i/n].finished(a.JobID).State)
	}
	message, _ := tokens("erase", 3, 0)
	for _, u := range []user{gone, stays} {
		runs[struct{ Summary string }](u, "summarize", map[string]any{"text": "What is to be erased."}, "Idempotency-Key", "summary")
		u.tool("calculator", `{"operation":"divide","a":1,"b":0}`, "Idempotency-Key", "nothing") // did nothing
		assert.Contains(t, fmt.Sprint(objectRows(t, sharedState, "Calls", u.tenant)), "What is to be erased.")
		u.tells(message, map[string]any{"sessionId": "talk"})
		u.asked(message, false)
		require.Len(t, u.history("talk").Messages, 2)
		eventually(t, "the answer is cached", func() bool { return len(u.kept()) == 1 })
		require.Len(t, u.objects(), n)
	}
	require.Equal(t, before+2*n, vectors(t, platform, "bge-m3"))
	require.NotNil(t, objectRows(t, sharedState, "Ledger", gone.tenant))

	assert.Equal(t, "confirmation_required", gone.do(http.MethodDelete, "/tenant", nil).Error.Code)
	assert.Equal(t, "confirmation_required", gone.do(http.MethodDelete, "/tenant?confirm="+stays.tenant, nil).Error.Code)
	running := gone.writes()
	a := gone.do(http.MethodDelete, "/tenant?confirm="+gone.tenant, nil, "Idempotency-Key", "once")
	require.Equal(t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc, again accepted
	a.into(t, &acc)
	gone.do(http.MethodDelete, "/tenant?confirm="+gone.tenant, nil, "Idempotency-Key", "once").into(t, &again)
	assert.Equal(t, acc.JobID, again.JobID)
	refused := gone.do(http.MethodPost, "/ingest", document{DocID: "late", Text: "Comes too late."})
	assert.Equal(t, []any{http.StatusConflict, "tenant_erasing"}, []any{refused.Status, refused.Error.Code})
	running()
	for _, path := range []string{"/chat", "/search", "/v1/embeddings"} {
		eventually(t, "nothing writes any more", func() bool { // once what was leased before is used up
			refused := gone.do(http.MethodPost, path, map[string]any{"message": message, "query": "channel", "model": "bge-m3", "input": "a", "sessionId": "talk"})
			return refused.Status == http.StatusConflict && refused.Error.Code == "tenant_erasing"
		})
	}
	var j job.Job
	require.Eventually(t, func() bool {
		gone.do(http.MethodGet, "/jobs/"+acc.JobID, nil).into(t, &j)
		return j.State.Final()
	}, 8*time.Minute, 250*time.Millisecond, "the erasure ends")
	require.Equal(t, job.Succeeded, j.State, "%+v", j)
	removed := map[string]int{}
	for _, st := range j.Erasure.Stores {
		removed[st.Name] = st.Removed
		assert.Zero(t, st.Remaining, st.Name)
	}
	assert.Equal(t, []int{n, 2, 2, 1}, []int{removed["documents"], removed["sessions"], removed["cache"], removed["calls"]}, "with what came of the turn and the completion that were running")

	for _, key := range gone.objects() { // the entry that says so is all that its trail has, and may be exported
		assert.Contains(t, key, "/audit/")
		segment, _, err := platform.R2(stack.Consumers, "CORPUS").Get(t.Context(), key)
		require.NoError(t, err)
		assert.Equal(t, 1, strings.Count(string(segment), "\n"), key)
		assert.Contains(t, string(segment), "tenant.erased")
	}
	names, err := platform.KV(stack.API, "CACHE").Keys(t.Context(), "t/"+gone.tenant+"/")
	require.NoError(t, err)
	assert.Empty(t, names)
	assert.Equal(t, before+n, vectors(t, platform, "bge-m3"))
	for key := range objectRows(t, sharedState, "Ledger", gone.tenant) {
		assert.True(t, key == "j/"+acc.JobID || key == "erasure" || key == "tenant" || strings.HasPrefix(key, "o/"), "%s is left", key)
	}
	for _, class := range []string{"Session", "Shelf", "Letters"} {
		for key, value := range objectRows(t, sharedState, class, gone.tenant) {
			assert.NotContains(t, value, "erase", "%s of %s", key, class)
		}
	}
	assert.Contains(t, fmt.Sprint(objectRows(t, sharedState, "Session", stays.tenant)), "erase", "there it would be")
	assert.Equal(t, []string{"tenant"}, slices.Collect(maps.Keys(objectRows(t, sharedState, "Calls", gone.tenant))), "whose it is, and nothing else")
	assert.Empty(t, gone.search("channel", nil).Sources)
	var page corpus.DocumentPage
	gone.do(http.MethodGet, "/documents", nil).into(t, &page)
	assert.Empty(t, page.Documents)
	var list chat.Listing
	gone.do(http.MethodGet, "/sessions", nil).into(t, &list)
	assert.Empty(t, list.Sessions)
	assert.Equal(t, http.StatusNotFound, gone.do(http.MethodGet, "/sessions/talk/history", nil).Status)
	assert.Positive(t, gone.account().Totals.Calls, "what was used is owed")
	eventually(t, "the trail tells of the erasure, and of nothing before it", func() bool {
		left := trail(t, sharedState, gone.tenant)
		return len(left) > 0 && left[0].Type == events.TypeTenantErased && len(left) < n
	})
	assert.Greater(t, len(trail(t, sharedState, stays.tenant)), n)

	kept := stays.tool("summarize", `{"text":"What is to be erased."}`, "Idempotency-Key", "summary")
	assert.Equal(t, "true", kept.Header.Get("Idempotent-Replayed"))
	anew := gone.tool("summarize", `{"text":"What is new."}`, "Idempotency-Key", "summary")
	assert.True(t, anew.OK, "the key is free: %s", anew.Body)
	assert.Len(t, stays.objects(), n)
	assert.Len(t, stays.kept(), 1)
	assert.Len(t, stays.search("channel", map[string]any{"topK": n}).Sources, n)
	assert.Len(t, stays.history("talk").Messages, 2)

	gone.index(document{DocID: "doc-0", Text: "The first channel of a new life."})
	assert.Greater(t, gone.document("doc-0").Generation, 1, "above those of before")
	assert.Len(t, gone.search("channel", nil).Sources, 1)
}

// writes has a turn, a completion and an upload under way when it returns, each of which writes in the end; what it returns ends the upload, which
// finds the ledger closed.
func (u user) writes() (upload func()) {
	u.t.Helper()
	message, _ := tokens("erase", 40, 250)
	s, err := u.say(message, map[string]any{"sessionId": "running"})
	require.NoError(u.t, err)
	u.t.Cleanup(s.close)
	completed, taken := make(chan error, 1), make(chan answer, 1)
	go func() {
		a, err := u.try(http.MethodPost, "/v1/chat/completions", map[string]any{
			"model": "default", "messages": []map[string]string{{"role": "user", "content": message}},
		}, "x-tenant-id", u.tenant)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("%d: %s", a.Status, a.Body)
		}
		completed <- err
	}()
	u.t.Cleanup(func() { assert.NoError(u.t, <-completed) })
	lines, send := io.Pipe()
	go func() {
		a, err := u.try(http.MethodPost, "/ingest/batch", lines, "Content-Type", "application/x-ndjson")
		assert.NoError(u.t, err)
		taken <- a
	}()
	before := len(u.objects())
	for i := range 3 { // more than a part
		_, err := fmt.Fprintf(send, "{\"docId\":\"upload-%d\",\"text\":%q}\n", i, strings.Repeat("The water of the upload. ", 25_000))
		require.NoError(u.t, err)
	}
	eventually(u.t, "the upload has a part", func() bool { return len(u.objects()) > before })
	eventually(u.t, "the turn is on its way", func() bool { return len(u.history("running").Messages) > 0 })
	return func() {
		_, err := io.WriteString(send, "{\"docId\":\"upload-last\",\"text\":\"The end.\"}\n")
		require.NoError(u.t, err)
		require.NoError(u.t, send.Close())
		a := <-taken
		assert.Equal(u.t, []any{http.StatusConflict, "tenant_erasing"}, []any{a.Status, a.Error.Code})
	}
}
