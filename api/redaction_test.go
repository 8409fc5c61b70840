package api_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api/openai/openaitest"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/llm"
)

// keeping is a directory whose tenants have equal requests answered from a cache.
type keeping struct{ tenants.Directory }

func (k keeping) Config(ctx context.Context, id tenants.ID) (*tenants.Config, error) {
	c, err := k.Directory.Config(ctx, id)
	if err != nil {
		return nil, err
	}
	own := *c
	own.Chat.CacheTTLSeconds, own.Search.CacheTTLSeconds = 600, 600
	return &own, nil
}

// noted is a cache that remembers what was put into it, by tenant.
type noted struct {
	cache.Store
	put map[tenants.ID]string
}

func (n noted) Put(ctx context.Context, s tenants.Scope, key cache.Key, value []byte, ttl time.Duration) error {
	n.put[s.Tenant()] += string(value)
	return n.Store.Put(ctx, s, key, value, ttl)
}

// keepers is a world of policies in which answers are kept; what is kept is in put.
func keepers(t *testing.T) (w *world, all map[tenants.ID]tenants.Safety, put map[tenants.ID]string) {
	put = map[tenants.ID]string{}
	w = newWorld(t, func(w *world) {
		all = map[tenants.ID]tenants.Safety{"acme": {Input: tenants.ScreenOff}, "globex": {Input: tenants.ScreenOff, Answers: tenants.RedactOn}}
		w.deps.Directory = keeping{policed{w.deps.Directory, all}}
		w.keeps = func(s cache.Store) cache.Store { return noted{s, put} }
	})
	return w, all, put
}

// What is kept of an answer is what was told of it, and is told so again; a tenant that has begun to redact is given nothing that was kept before.
func TestKeptAnswersAreRedacted(t *testing.T) {
	w, all, put := keepers(t)
	for _, stream := range []string{"false", "true"} {
		for tenant, redacts := range map[string]bool{"acme": false, "globex": true} {
			for _, hit := range []string{"MISS", "HIT"} {
				rec := w.do(tenant, "POST", completions, asks(personal, `,"user":"`+stream+`","stream":`+stream+`,"seed":1`+map[string]string{"true": "1"}[stream]))
				require.Equal(t, 200, rec.Code, rec.Body)
				assert.Equal(t, hit, rec.Header().Get("X-Levada-Cache"))
				assert.Equal(t, redacts, !strings.Contains(rec.Body.String(), "99 04"), rec.Body)
				assert.Equal(t, redacts, strings.Contains(rec.Body.String(), `"safety":{"redacted":["EMAIL","PHONE"]}`), "also of one that was kept")
				if stream == "false" {
					openaitest.Valid(t, openaitest.Completion, rec.Body.Bytes())
				}
			}
		}
	}
	assert.Contains(t, put["acme"], "99 04")
	assert.Contains(t, put["globex"], "[EMAIL]")
	assert.NotContains(t, put["globex"], "99 04")
	all["acme"] = tenants.Safety{Input: tenants.ScreenOff, Answers: tenants.RedactOn}
	rec := w.do("acme", "POST", completions, asks(personal, `,"user":"false","stream":false,"seed":1`))
	assert.Equal(t, "MISS", rec.Header().Get("X-Levada-Cache"))
	assert.NotContains(t, rec.Body.String(), "99 04")
}

// Searches with an answer, whole and streamed, new and kept: of one tenant redacted, of the other not. The answer's own citations are, too.
func TestKeptSearchesAreRedacted(t *testing.T) {
	w, _, put := keepers(t)
	const said = `{"tokens":["Levadas carry water across Madeira [1]. Levadas carry water [1]. Write to ada@mail.exam","ple.com for more."]}`
	for tenant, redacts := range map[string]bool{"acme": false, "globex": true} {
		w.knows(tenant, said)
		for range 2 {
			for _, body := range []string{whereTo, whereToStream} {
				rec := w.do(tenant, "POST", "/search", body)
				require.Equal(t, 200, rec.Code, rec.Body)
				answer := rec.Body.String()
				if at := strings.Index(answer, `"sources"`); body == whereTo {
					answer = answer[:at] + answer[strings.Index(answer, `"citations"`):]
				} else {
					answer = answer[strings.Index(answer, "event: token"):]
				}
				assert.Equal(t, redacts, !strings.Contains(answer, "ada@mail.example.com"), answer)
				assert.Equal(t, redacts, strings.Contains(answer, `[EMAIL]`), answer)
				assert.Equal(t, redacts, strings.Contains(rec.Body.String(), `"redacted":["EMAIL"]`), rec.Body)
			}
		}
	}
	assert.NotContains(t, put["globex"], "ada@mail")
	assert.Contains(t, put["globex"], "[EMAIL]")
}

// A turn that is told again, from any event on, by its key or by its stream, and the conversation that keeps it, are as they were told.
func TestRepliesAreRedacted(t *testing.T) {
	w, _, _ := keepers(t)
	for tenant, redacts := range map[string]bool{"acme": false, "globex": true} {
		body := `{"sessionId":"s","message":` + scripted("hello", personal) + `}`
		first := w.do(tenant, "POST", "/chat", body, "Idempotency-Key", "k")
		require.Equal(t, 200, first.Code, first.Body)
		again := w.do(tenant, "POST", "/chat", body, "Idempotency-Key", "k")
		assert.Equal(t, parse(t, first.Body.String()), parse(t, again.Body.String()))
		told := parse(t, first.Body.String())
		for after := range told {
			rec := w.do(tenant, "GET", "/chat/streams/s.1", "", "Last-Event-ID", strconv.Itoa(after))
			require.Equal(t, http.StatusOK, rec.Code)
			assert.Equal(t, told[after:], parse(t, rec.Body.String()))
			assert.False(t, redacts && (strings.Contains(rec.Body.String(), "99 04") || strings.Contains(rec.Body.String(), "@mail")), rec.Body)
			assert.Equal(t, !redacts && after == 0, strings.Contains(rec.Body.String(), "99 04"), rec.Body)
		}
		for _, path := range []string{"/sessions/s", "/sessions/s/history", "/chat/s/history"} {
			shown := data[chat.Transcript](t, w.do(tenant, "GET", path, ""))
			assert.Equal(t, map[bool]string{true: redacted, false: plainly}[redacts], shown.Messages[1].Content, path)
		}
		for _, format := range []string{"json", "ndjson"} {
			export := w.do(tenant, "GET", "/sessions/s/export?format="+format, "").Body.String()
			assert.Equal(t, redacts, strings.Contains(export, "[PHONE]"), export)
		}
	}
}

// What a session kept before its tenant wanted answers redacted is redacted as it is shown: the summary, answers and what was checked of them; not what
// the user said.
func TestOldConversationsAreRedacted(t *testing.T) {
	w, all, _ := keepers(t)
	for _, tenant := range []string{"acme", "globex"} {
		s := tenantstest.Scope(t, tenant)
		all[tenants.ID(tenant)] = tenants.Safety{Input: tenants.ScreenOff}
		require.Equal(t, 200, w.do(tenant, "POST", "/chat", `{"sessionId":"old","stream":false,"message":`+scripted("I am bob@mail.example.com", personal)+`}`).Code)
		require.NoError(t, w.talk.sessions.Summarise(t.Context(), s, "old", 1, "Ada is at ada@mail.example.com."))
	}
	all["globex"] = tenants.Safety{Input: tenants.ScreenOff, Answers: tenants.RedactOn}
	for tenant, redacts := range map[string]bool{"acme": false, "globex": true} {
		shown := data[chat.Transcript](t, w.do(tenant, "GET", "/sessions/old/history", ""))
		require.Len(t, shown.Messages, 2)
		assert.Contains(t, shown.Messages[0].Content, "bob@mail.example.com", "it is the user's own")
		assert.Equal(t, llm.Assistant, shown.Messages[1].Role)
		assert.Equal(t, map[bool]string{true: redacted, false: plainly}[redacts], shown.Messages[1].Content)
		assert.Equal(t, redacts, shown.Summary == "Ada is at [EMAIL].", shown.Summary)
	}
}
