package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/infra/cli"
	"levada.dev/workflows/letters"
)

// letters is the first page of a tenant's dead letters.
func (u user) letters(query string) []letters.Letter {
	u.t.Helper()
	var page letters.Page
	u.do(http.MethodGet, "/events?"+query, nil).into(u.t, &page)
	return page.Letters
}

func (u user) replay(body map[string]any, headers ...string) (out letters.Replayed) {
	u.t.Helper()
	u.do(http.MethodPost, "/events/replay", body, headers...).into(u.t, &out)
	return out
}

// A document whose text the model refuses becomes a letter, which says why. Once the cause is gone the letter is replayed, and the
// document is found; replaying again does nothing. Nobody else sees anything of it.
func TestALetterIsReplayedOnce(t *testing.T) {
	u, other := as(t, "alder"), as(t, "birch")
	word := "unspeakable" + uuid.NewString()[:4]
	platform.Models().Refuse(word)
	defer platform.Models().Refuse("")
	id := "letters/" + uuid.NewString()
	text := strings.Repeat("The channel runs along the rim of the valley.\n\n", 40) + "The " + word + " channel has no water."
	a := u.do(http.MethodPost, "/ingest", document{DocID: id, Text: text, Chunking: map[string]int{"maxTokens": 16}})
	var acc accepted
	a.into(t, &acc)
	good := u.ingest(document{DocID: id + "/beside", Text: "Stands beside the one that is refused."})
	theirs := other.ingest(document{DocID: id, Text: "The other tenant's document of the same name."})
	assert.Equal(t, "succeeded", u.finished(good.JobID).State)
	assert.Equal(t, "succeeded", other.finished(theirs.JobID).State)
	j := u.finished(acc.JobID)
	require.Equal(t, "failed", j.State)
	require.Len(t, j.Errors, 1)
	settled(t, platform)

	about := "docId=" + url.QueryEscape(id)
	kept := u.letters(about)
	require.NotEmpty(t, kept)
	l := kept[0]
	assert.Equal(t, []any{"embed", "embed", id, 1, j.Errors[0].Code}, []any{l.Queue, l.Stage, l.DocID, l.Generation, l.Code})
	assert.Equal(t, events.TypeDocumentChunked, l.Type)
	assert.Contains(t, l.Reason, word, "the cause, for operators")
	assert.Equal(t, a.Header.Get("traceparent")[:35], l.TraceParent[:35], "one trace from the request to the letter")
	assert.GreaterOrEqual(t, l.Attempts, 1)
	assert.Len(t, u.letters(about+"&reason="+l.Code+"&stage=embed&replayed=false"), len(kept))
	assert.Empty(t, u.letters(about+"&stage=index"))
	var whole letters.Letter
	u.do(http.MethodGet, "/events/"+l.ID, nil).into(t, &whole)
	ev, err := events.Decode(whole.Body)
	require.NoError(t, err)
	assert.Equal(t, l.EventID, ev.ID)

	ids := []string{}
	for _, l := range kept {
		ids = append(ids, l.ID)
	}
	assert.Empty(t, other.letters(about))
	assert.Equal(t, http.StatusNotFound, other.do(http.MethodGet, "/events/"+l.ID, nil).Status)
	refused := other.do(http.MethodPost, "/events/replay", map[string]any{"ids": ids})
	assert.Equal(t, []any{http.StatusNotFound, "letter_not_found"}, []any{refused.Status, refused.Error.Code}, "as of letters that nobody has")

	platform.Models().Refuse("")
	count := u.replay(map[string]any{"docId": id, "dryRun": true})
	assert.Equal(t, []int{len(kept), 0, len(kept)}, []int{count.Matched, count.Replayed, count.Remaining})
	assert.Equal(t, "failed", u.document(id).State, "counting does nothing")
	done := u.replay(map[string]any{"docId": id}, "idempotency-key", id)
	assert.Equal(t, []int{len(kept), len(kept), 0}, []int{done.Matched, done.Replayed, done.Remaining})
	eventually(t, "the document is searchable", func() bool { return u.document(id).Searchable == 2 })
	assert.NotEmpty(t, u.search("channel has no water", map[string]any{"filter": map[string]any{"docId": id}}).Sources)

	again := u.do(http.MethodPost, "/events/replay", map[string]any{"docId": id}, "idempotency-key", id)
	assert.Equal(t, "true", again.Header.Get("idempotent-replayed"))
	assert.Zero(t, u.replay(map[string]any{"docId": id}).Matched)
	settled(t, platform)
	assert.Equal(t, 2, u.document(id).Generation, "nothing was begun a second time")
	assert.Len(t, u.letters(about+"&replayed=true"), len(kept))
	assert.Equal(t, 1, other.document(id).Generation)
	for tenant, want := range map[string]int{"alder": 1, "birch": 0} {
		told := 0
		for _, e := range trail(t, sharedState, tenant) {
			if e.Type == events.TypeLettersReplayed {
				told++
			}
		}
		assert.Equal(t, want, told, tenant)
	}
}

// The same by the command line, while the platform is killed between the letter and its replay.
func TestLettersByTheCommandLine(t *testing.T) {
	state := newState(t)
	p := own(t, state)
	p.Models().Refuse("unspeakable")
	u := asOn(t, p, "alder")
	acc := u.ingest(document{DocID: "guide", Text: "The unspeakable channel has no water."})
	require.Equal(t, "failed", u.finished(acc.JobID).State)
	settled(t, p)
	require.NoError(t, p.Kill())
	p = own(t, state)
	u = asOn(t, p, "alder")

	levada := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "--url", p.URL, "--tenant", "alder", "--key", u.key)
		require.Equal(t, want, cli.Execute(t.Context(), args, &out, &errs), "%v: %s%s", args, &out, &errs)
		return out.String()
	}
	list := levada(0, "dlq", "--stage", "embed")
	assert.Contains(t, list, "guide")
	var page letters.Page
	require.NoError(t, json.Unmarshal([]byte(levada(0, "dlq", "--json")), &page))
	require.Len(t, page.Letters, 1)
	assert.Contains(t, levada(0, "dlq", "show", page.Letters[0].ID), `"specversion": "1.0"`)
	assert.Contains(t, levada(0, "replay", "--dry-run"), "1 letter")
	assert.Contains(t, levada(0, "replay", "--yes", "--since", "1h"), "1 letter sent again")
	eventually(t, "the document is searchable", func() bool { return u.document("guide").Searchable == 2 })
	assert.Equal(t, "nothing to replay\n", levada(0, "replay", "--yes"))
	assert.Equal(t, "no dead letters\n", levada(0, "dlq"))
	levada(1, "dlq", "show", "embed-none")
}
