package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/local"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/transfer"
)

// cards are all documents of a tenant, as another pool takes them.
func (u user) cards() (all []transfer.Card) {
	u.t.Helper()
	far := u.client().Far()
	for cursor := ""; ; {
		cards, next, err := far.Cards(u.t.Context(), cursor)
		require.NoError(u.t, err)
		if all = append(all, cards...); next == "" {
			return all
		}
		cursor = next
	}
}

// brings asks for a run that brings the tenant here from another platform.
func (u user) brings(from user, last bool) accepted {
	u.t.Helper()
	a := u.do(http.MethodPost, "/tenant/transfer/runs", map[string]any{"from": from.url, "key": from.key, "last": last})
	require.Equal(u.t, http.StatusAccepted, a.Status, "%s", a.Body)
	var acc accepted
	a.into(u.t, &acc)
	return acc
}

// conversations are what a tenant's list and its sessions say.
func (u user) conversations() (all []string) {
	u.t.Helper()
	a := u.do(http.MethodGet, "/sessions", nil)
	require.Equal(u.t, http.StatusOK, a.Status, "%s", a.Body)
	var list chat.Listing
	a.into(u.t, &list)
	all = append(all, string(a.Data))
	for _, l := range list.Sessions {
		a := u.do(http.MethodGet, "/sessions/"+l.SessionID, nil)
		require.Equal(u.t, http.StatusOK, a.Status, "%s", a.Body)
		all = append(all, string(a.Data))
	}
	return all
}

// A tenant moves from one platform to another, whose workerd is killed in the middle; then the source stands still, and what has changed is brought.
// Nothing of the other tenant comes along.
func TestATenantMovesToAnotherPool(t *testing.T) {
	const n = 120
	state := newState(t)
	begin := func() *local.Local {
		p, err := startWith(state, local.Options{Lexical: true})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, p.Stop()) })
		return p
	}
	p := begin()
	there, here := as(t, "rowan"), asOn(t, p, "rowan")
	var jobs []accepted
	for i := range n {
		jobs = append(jobs, there.ingest(document{
			DocID: fmt.Sprintf("shelf/%03d", i), Title: fmt.Sprint("Channel ", i), Source: "shelf", Metadata: map[string]any{"year": 1900 + i},
			Text: fmt.Sprintf("The %d. channel brings water to the gardens below the wall.", i),
		}))
	}
	jobs = append(jobs, there.ingest(document{DocID: "long", Text: strings.Repeat("Somebody owns some hours of the channel.\n\n", 10_000), Chunking: map[string]int{"maxTokens": 400}}))
	tells := func(u user, session, text string) {
		t.Helper()
		inOrder(t, u.tells(text+" "+script(map[string]any{"tokens": []string{"Well ", "met."}}), map[string]any{"sessionId": session, "userId": "ada"}))
	}
	tells(there, "garden", "Call me the gardener.")
	tells(there, "garden", "I water at dawn.")
	tells(there, "mill", "Who grinds?")
	tells(as(t, "maple"), "garden", "What maple says is nobody else's business.")
	as(t, "maple").index(document{DocID: "foreign", Text: "What maple has is nobody else's business."})
	for _, a := range jobs {
		require.Equal(t, "succeeded", there.finished(a.JobID).State)
	}

	first := here.brings(there, false)
	eventually(t, "the run is in the middle", func() bool {
		var j jobView
		here.do(http.MethodGet, "/jobs/"+first.JobID, nil).into(t, &j)
		require.NotEqual(t, "failed", j.State, "%+v", j)
		return len(here.cards()) > 0
	})
	require.NoError(t, p.Kill())
	p = begin()
	here = asOn(t, p, "rowan")
	others := asOn(t, p, "maple")
	j := here.finished(first.JobID)
	require.Equal(t, "succeeded", j.State, "%+v", j)
	assert.Equal(t, n+1, j.Counts.Done)
	d := transfer.Compare(there.cards(), here.cards())
	assert.Equal(t, n+1, d.Same)

	tells(there, "garden", "And at dusk.")
	tells(there, "wall", "How high is it?")
	require.True(t, there.do(http.MethodDelete, "/sessions/mill", nil).OK)
	slow, answer := tokens("slow", 40, 200)
	running, err := there.say(slow, map[string]any{"sessionId": "dam"})
	require.NoError(t, err)
	there.index(document{DocID: "shelf/000", Text: "It is dry now.", Source: "shelf"})
	there.index(document{DocID: "new", Text: "A new channel was dug through the rock."})
	require.Equal(t, http.StatusAccepted, there.do(http.MethodDelete, "/documents/shelf%2F001", nil).Status)
	require.Equal(t, http.StatusOK, there.do(http.MethodPost, "/tenant/transfer", map[string]any{"state": "readonly"}).Status)
	a := there.do(http.MethodPost, "/ingest", document{DocID: "late", Text: "It comes too late."})
	assert.Equal(t, http.StatusServiceUnavailable, a.Status)
	assert.Equal(t, "tenant_readonly", a.Error.Code)
	assert.NotEmpty(t, there.search("dry", nil).Sources, "searches go on")
	eventually(t, "no conversation goes on", func() bool {
		a := there.do(http.MethodPost, "/chat", map[string]any{"sessionId": "late", "message": "Hello"})
		return a.Status == http.StatusServiceUnavailable && a.Error.Code == "tenant_readonly"
	})
	assert.Equal(t, "tenant_readonly", there.do(http.MethodDelete, "/sessions/wall", nil).Error.Code)
	assert.Len(t, there.history("garden").Messages, 6, "reading goes on")

	j = here.finished(here.brings(there, true).JobID)
	require.Equal(t, "succeeded", j.State, "%+v", j)
	d = transfer.Compare(there.cards(), here.cards())
	assert.Equal(t, n+1, d.Same)
	assert.Empty(t, append(append(d.Bring, d.Gone...), d.Unsearchable...))
	eventually(t, "it is found here", func() bool {
		found := here.search("a channel through the rock", nil).Sources
		return len(found) > 0 && found[0].DocID == "new"
	})
	assert.Empty(t, others.cards(), "nothing of another tenant")
	heard, err := running.rest()
	require.NoError(t, err)
	assert.Equal(t, answer, said(heard), "a turn that was running goes on to its end")
	assert.Equal(t, answer, here.history("dam").Messages[1].Content, "and is moved whole")
	assert.Equal(t, there.conversations(), here.conversations())
	assert.Len(t, others.conversations(), 1, "nobody's but its own list, which is empty")
	assert.Equal(t, "session_not_found", here.do(http.MethodGet, "/sessions/mill", nil).Error.Code)
	prompt := said(here.tells(script(map[string]any{"echo": true}), map[string]any{"sessionId": "garden"}))
	for _, text := range []string{"Call me the gardener.", "Well met.", "And at dusk."} {
		assert.Contains(t, prompt, text)
	}
	assert.NotContains(t, prompt, "maple")
	assert.Len(t, here.history("garden").Messages, 8)
	assert.Equal(t, "transfer_done", here.do(http.MethodPost, "/tenant/transfer/runs", map[string]any{"from": there.url, "key": there.key}).Error.Code)
	assert.Equal(t, "invalid_value", others.do(http.MethodPost, "/tenant/transfer/runs", map[string]any{"from": there.url, "key": there.key}).Error.Code)
	require.Equal(t, http.StatusOK, there.do(http.MethodPost, "/tenant/transfer", map[string]any{"state": "live"}).Status)
	there.index(document{DocID: "late", Text: "The move was called off here."})
	tells(there, "wall", "Conversations go on here.")
}
