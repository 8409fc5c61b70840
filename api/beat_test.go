package api_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/api/openai/openaitest"
)

// A completion in which nothing is said, because a tool runs or the model is silent, has a heartbeat each quarter of a minute, and its events as ever.
func TestASilentCompletionBeats(t *testing.T) { synctest.Test(t, silentCompletionBeats) }

func silentCompletionBeats(t *testing.T) {
	w := newWorld(t)
	go func() {
		<-w.bench.Entered()
		<-time.After(25 * time.Second)
		w.bench.Let()
	}()
	for tenant, body := range map[string]string{
		"acme": asks(`[{"tokens":["Wait."],"toolCalls":[{"id":"c1","name":"held","arguments":{"text":"x"}}]},{"tokens":["It"," is."],"delayMs":1000}]`,
			`,"stream":true,"tools":[{"type":"platform","name":"held"}]`),
		"globex": asks(`{"tokens":["Wait.","\n\nIt"," is."],"delayMs":40000}`, `,"stream":true`),
	} {
		began := time.Now()
		rec := w.do(tenant, "POST", completions, body)
		require.Equal(t, 200, rec.Code, rec.Body)
		chunks, end := openaitest.Events(t, rec.Body.String())
		assert.Equal(t, "[DONE]", end)
		said := strings.Join(chunks, "\n")
		assert.Less(t, strings.Index(said, "Wait."), strings.Index(said, `It"`))
		beats := 0
		for block := range strings.SplitSeq(rec.Body.String(), "\n\n") {
			if block == openaitest.Beat {
				beats++
			}
		}
		assert.Equal(t, map[string]int{"acme": 1, "globex": 4}[tenant], beats, "%s in %v: %s", tenant, time.Since(began), rec.Body)
	}
}

// A client that is not there any more hears nothing, and nobody writes to it when its answer has ended.
func TestASilentCompletionIsLeft(t *testing.T) { synctest.Test(t, silentCompletionIsLeft) }

func silentCompletionIsLeft(t *testing.T) {
	w := newWorld(t)
	for _, tenant := range []string{"acme", "globex"} {
		ctx, leave := context.WithCancel(t.Context())
		c := &client{header: http.Header{}, leave: func(written string) bool { return written == ":\n\n" }}
		time.AfterFunc(50*time.Second, leave)
		w.ServeHTTP(c, w.request(tenant, "POST", completions, asks(`{"tokens":["Wait.","Never."],"delayMs":60000}`, `,"stream":true`)).WithContext(ctx))
		assert.Equal(t, 1, strings.Count(c.body(), ":\n\n"))
		assert.NotContains(t, c.body(), "Never.")
		writes := len(c.writes)
		time.Sleep(time.Minute)
		assert.Len(t, c.writes, writes)
	}
	w.gate.Check(t)
	assert.Zero(t, w.talk.model.Open())
}
