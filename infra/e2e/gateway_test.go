package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/trace"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
)

// Every call of a model passes the gateway, and says there for whom and what for, on whose request it was made, and in which trace: that of the request also where queues
// and a Workflow lie between them.
func TestEveryModelCallPassesTheGateway(t *testing.T) {
	for _, name := range []string{"weir", "flume"} {
		u := newcomer(t, name)
		u.key = u.publish(func(c *tenants.Config) {
			c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1", KeepDays: 1}
		})
		requests, traces := map[any]string{}, map[any]string{} // what was asked, by the ids of its request and of its trace
		ask := func(what, path string, status int, body any) (a accepted) {
			place, err := trace.New(rand.Reader)
			require.NoError(t, err)
			id := uuid.NewString()
			requests[id], traces[place.TraceID()] = what, what
			answer := u.do(http.MethodPost, path, body, "x-request-id", id, "traceparent", place.String())
			require.Equal(t, status, answer.Status, "%s", answer.Body)
			answer.into(t, &a)
			return a
		}
		said := "Sluices let the water of " + name + " pass, and count it. "
		job := ask("document", "/ingest", http.StatusAccepted, document{DocID: "gated", Text: said})
		require.Equal(t, "succeeded", u.finished(job.JobID).State)
		ask("search", "/search", http.StatusOK, map[string]any{"query": "What counts the water of " + name + "?", "answer": false, "rerank": true})
		message, _ := tokens(name, 2, 0)
		ask("chat", "/chat", http.StatusOK, map[string]any{"message": message, "stream": false})
		short := ask("speech", "/tts", http.StatusAccepted, map[string]any{"text": said})
		long := ask("narration", "/tts", http.StatusAccepted, map[string]any{"text": strings.Repeat(said, speech.MaxStreamed/len(said)+1)})
		var narrated speechJob
		for _, id := range []string{short.JobID, long.JobID} {
			eventually(t, "job "+id+" ends", func() bool {
				var err error
				narrated, err = u.speech(id)
				return err == nil && narrated.State.Final()
			})
			require.Equal(t, "succeeded", string(narrated.State), "%+v", narrated.Error)
		}

		calls := map[string]int{}
		for _, call := range gatewayLog(t, u.tenant) {
			assert.Equal(t, u.tenant, call.Metadata["tenant_id"])
			what, route := traces[call.Metadata["trace_id"]], call.Metadata["route"]
			calls[fmt.Sprintf("%s: %s", what, route)]++
			if route == "embed.document" {
				assert.NotEmpty(t, call.Metadata["request_id"], "it is the event's")
				continue
			}
			assert.Equal(t, what, requests[call.Metadata["request_id"]], "%+v", call.Metadata)
		}
		assert.Equal(t, map[string]int{
			"document: embed.document": 1, "search: embed.query": 1, "search: rerank": 1, "chat: chat": 1, "speech: speech": 1, "narration: speech": len(narrated.Timestamps),
		}, calls, "each in its trace, and no other")
	}
	var past struct {
		Info struct {
			Total *int `json:"total_count"`
		} `json:"result_info"`
	}
	getJSON(t, platform.GatewayURL()+"/ungated", &past)
	require.NotNil(t, past.Info.Total)
	assert.Zero(t, *past.Info.Total, "calls past the gateway, of all tests so far")
}
