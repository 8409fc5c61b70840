//go:build unix

package isolate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

// models are stand-ins with the signatures of Workers AI and Vectorize, just enough to
// see what crosses.
const models = `import { WorkerEntrypoint } from "cloudflare:workers";
export class AI extends WorkerEntrypoint {
  async run(model, input, options) {
    if (model === "@cf/throws") throw new Error("5007: no such model");
    if (model === "@cf/busy") return new Response("busy", { status: 429 });
    if (model === "@cf/stream") {
      const { readable, writable } = new TransformStream(), w = writable.getWriter();
      (async () => { for (let i = 0; i < 3; i++) { await w.write(new TextEncoder().encode("data: " + i + "\n\n")); await new Promise((r) => setTimeout(r, 30)); } await w.close(); })().catch(() => {});
      return new Response(readable);
    }
    return new Response(JSON.stringify({ model, input, options }), { headers: { "cf-aig-log-id": "log-1" } });
  }
}
const store = new Map();
let n = 0;
export class Vectorize extends WorkerEntrypoint {
  async upsert(vectors) {
    for (const v of vectors) { if (!(v.values instanceof Float32Array)) throw new Error("values: " + v.values); store.set(v.id, v); }
    return { mutationId: "m" + ++n };
  }
  async insert(vectors) { return this.upsert(vectors.filter((v) => !store.has(v.id))); }
  async query(vector, { namespace, filter, returnValues, returnMetadata } = {}) {
    const all = [...store.values()].filter((v) => (!namespace || v.namespace === namespace) && (!filter || v.metadata?.k === filter.k));
    return { count: all.length, matches: all.map((v) => ({ id: v.id, score: 0.5, namespace: v.namespace, ...(returnValues && { values: [...v.values] }), ...(returnMetadata && { metadata: v.metadata }) })) };
  }
  async queryById(id, options) { return this.query(store.get(id).values, options); }
  async getByIds(ids) { return ids.map((id) => store.get(id)).filter(Boolean); }
  async deleteByIds(ids) { for (const id of ids) store.delete(id); return { mutationId: "m" + ++n }; }
  async describe() { return { vectorCount: store.size, dimensions: 4, processedUpToMutation: "m" + n, processedUpToDatetime: new Date() }; }
}
export default {};
`

func startMiniflare(t *testing.T) *workerdtest.Server {
	t.Helper()
	s := workerdtest.StartMiniflare(t, workerdtest.Worker{
		Main: testworker, Entry: entry, Env: map[string]string{"DEBUG": "1"},
		Services: map[string]string{"backend": backend, "models": models},
	}, map[string]any{
		"serviceBindings": map[string]any{
			"BACKEND": "backend", "AI": map[string]string{"name": "models", "entrypoint": "AI"}, "VECTORIZE": map[string]string{"name": "models", "entrypoint": "Vectorize"},
		},
		"durableObjects":          map[string]any{"COUNTER": map[string]any{"className": "Counter", "useSQLite": true}},
		"kvNamespaces":            map[string]string{"KV": "kv"},
		"r2Buckets":               map[string]string{"R2": "r2"},
		"queueProducers":          map[string]any{"JOBS": map[string]string{"queueName": "jobs"}},
		"queueConsumers":          map[string]any{"jobs": map[string]any{"maxBatchSize": 10, "maxBatchTimeout": 1, "maxRetries": 2, "deadLetterQueue": "dead"}, "dead": map[string]any{"maxBatchTimeout": 1}},
		"workflows":               map[string]any{"PIPELINE": map[string]string{"name": "pipeline", "className": "Pipeline"}},
		"analyticsEngineDatasets": map[string]any{"ANALYTICS": map[string]string{"dataset": "d"}},
	})
	t.Cleanup(func() { assert.Empty(t, tables(t, s).Mismatches, "turns in a wrong I/O context") })
	return s
}

func TestBindings(t *testing.T) {
	t.Parallel()
	s := startMiniflare(t)
	for _, name := range []string{"kv", "r2", "ai", "vectorize", "analytics", "missing"} {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, decode[[]string](t, s.Get("/check/"+name)))
		})
	}
	t.Run("queues", func(t *testing.T) { queues(t, s) })
	t.Run("cron", func(t *testing.T) {
		r := s.Get("/cdn-cgi/local/scheduled?cron=*+*+*+*+*")
		assert.Equal(t, http.StatusOK, r.Status, r.Body)
		logged(t, s, "cron", "* * * * * true")
	})
	t.Run("workflows", func(t *testing.T) { workflows(t, s) })
	assert.LessOrEqual(t, quiet(t, s).Stats.Host.Streams, 0)
}

func queues(t *testing.T, s *workerdtest.Server) {
	var batch []map[string]string
	for i := range 25 {
		batch = append(batch, map[string]string{"ID": fmt.Sprintf("b%d", i), "Do": "ack"})
	}
	b, err := json.Marshal(batch)
	require.NoError(t, err)
	// This broker always reports an empty backlog: only that the answer has the form is checked here.
	decode[struct{ BacklogCount, BacklogBytes int }](t, s.Post("/queue/batch", string(b)))
	for i := range 25 {
		logged(t, s, fmt.Sprintf("b%d", i), "ack 1")
	}
	sizes := decode[[]string](t, s.Get("/log?id=batches"))
	assert.Contains(t, sizes, "10", "the batch size of the consumer")
	decode[struct{ BacklogCount int }](t, s.Get("/queue/metrics"))

	t.Run("verdicts", func(t *testing.T) {
		send := `[{"ID":"ok","Do":"ack"},{"ID":"again","Do":"retry"},{"ID":"dead","Do":"never"},{"ID":"open","Do":"open"}]`
		require.Equal(t, http.StatusOK, s.Post("/queue/batch", send).Status)
		logged(t, s, "again", "retry 2")
		logged(t, s, "open", "open 2")
		logged(t, s, "dead", "never 3")
		logged(t, s, "dead", `{"ID":"dead","Do":"never"}`)
		assert.Equal(t, []string{"ack 1"}, decode[[]string](t, s.Get("/log?id=ok")))
		assert.Equal(t, []string{"retry 1", "retry 2"}, decode[[]string](t, s.Get("/log?id=again")))
	})
	t.Run("a panic retries only what has no verdict", func(t *testing.T) {
		require.Equal(t, http.StatusOK, s.Post("/queue/batch", `[{"ID":"p1","Do":"ack"},{"ID":"p2","Do":"panic"},{"ID":"p3","Do":"ack"}]`).Status)
		logged(t, s, "p2", "panic 2")
		logged(t, s, "p3", "ack 2")
		assert.Equal(t, []string{"ack 1"}, decode[[]string](t, s.Get("/log?id=p1")))
	})
	t.Run("bodies", func(t *testing.T) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		require.Equal(t, http.StatusOK, s.Post("/queue/send?type=bytes", string(all)).Status)
		logged(t, s, "raw", fmt.Sprintf("%x", all))
		require.Equal(t, http.StatusOK, s.Post("/queue/send", "grüße, kein JSON").Status)
		logged(t, s, "raw", fmt.Sprintf("%x", "grüße, kein JSON"))
		require.Equal(t, http.StatusOK, s.Post("/queue/send?type=json&delay=1", `{"ID":"parsed","Do":"ack"}`).Status)
		logged(t, s, "parsed", "ack 1")
	})
}

type run struct {
	Status string
	Error  struct{ Name, Message string }
	Output json.RawMessage
}

func workflows(t *testing.T, s *workerdtest.Server) {
	create := func(id, plan string) {
		require.Equal(t, quoted("%s", id), s.Post("/workflow/"+id, plan).Body)
	}
	until := func(id string, states ...string) (r run) {
		eventually(t, id+" to be "+strings.Join(states, " or "), func() bool {
			r = decode[run](t, s.Get("/workflow/"+id))
			return slices.Contains(states, r.Status)
		})
		return r
	}
	log := func(id string) []string { return decode[[]string](t, s.Get("/log?id="+id)) }
	t.Run("retries and sleeps", func(t *testing.T) {
		create("w1", `{"Flaky":2,"Sleep":20}`)
		r := until("w1", "complete", "errored")
		assert.JSONEq(t, `{"first":"first of w1","attempts":3,"by":""}`, string(r.Output))
		assert.Equal(t, []string{"run", "first", "flaky 1", "flaky 2", "flaky 3", "last"}, log("w1"))
		assert.Equal(t, http.StatusInternalServerError, s.Post("/workflow/w1", "{}").Status, "an id is used once")
	})
	t.Run("a final error", func(t *testing.T) {
		create("w2", `{"Final":true}`)
		assert.Contains(t, until("w2", "complete", "errored").Error.Message, "final")
		assert.Equal(t, []string{"run", "first", "flaky 1"}, log("w2"))
	})
	t.Run("a timeout", func(t *testing.T) {
		create("w3", `{"TimesOut":true}`)
		assert.Equal(t, "errored", until("w3", "complete", "errored").Status)
	})
	t.Run("an event", func(t *testing.T) {
		create("w4", `{"Wait":true}`)
		logged(t, s, "w4", "flaky 1")
		require.Equal(t, quoted("ok"), s.Post("/workflow/w4/approve", "").Body)
		assert.JSONEq(t, `{"first":"first of w4","attempts":1,"by":"alice"}`, string(until("w4", "complete", "errored").Output))
	})
	t.Run("a step that never waits for anything outside lets requests through", func(t *testing.T) {
		create("w9", `{"Busy":true}`)
		logged(t, s, "w9", "busy")
		require.Equal(t, quoted("ok"), s.Post("/workflow/w9/stop", "").Body)
		r := until("w9", "complete", "errored")
		assert.Equal(t, "complete", r.Status, "%s", r.Error.Message)
	})
	t.Run("terminated", func(t *testing.T) {
		create("w5", `{"Wait":true}`)
		logged(t, s, "w5", "flaky 1")
		require.Equal(t, quoted("ok"), s.Post("/workflow/w5/terminate", "").Body)
		until("w5", "terminated")
	})
	t.Run("the instance dies in a step and under those that wait", func(t *testing.T) {
		before := tables(t, s).Instances
		create("w6", `{"Wait":true}`)
		create("w7", `{"Sleep":3000}`)
		logged(t, s, "w6", "flaky 1")
		logged(t, s, "w7", "flaky 1")
		create("w8", `{"Die":true}`)
		assert.JSONEq(t, `{"first":"first of w8","attempts":1,"by":""}`, string(until("w8", "complete", "errored").Output))
		require.Equal(t, quoted("ok"), s.Post("/workflow/w6/approve", "").Body)
		assert.Equal(t, "complete", until("w6", "complete", "errored").Status)
		assert.Equal(t, "complete", until("w7", "complete", "errored").Status)
		assert.Equal(t, before+1, tables(t, s).Instances)
		assert.NotContains(t, log("w6"), "first", "finished steps do not run again")
	})
}
