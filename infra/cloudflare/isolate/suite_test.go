//go:build unix

package isolate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

const testworker = "levada.dev/infra/cloudflare/isolate/testworker"

// entry is the Worker's entry module, with two routes that only JavaScript can answer.
const entry = `import { worker, object, workflow, tables } from "./glue/index.mjs";
export const Counter = object("Counter");
export const Pipeline = workflow("Pipeline");
const go = worker();
globalThis.thrower = { get x() { throw new Error("a getter threw"); } };
export default {
  ...go,
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === "/js/tables") return Response.json(tables());
    if (pathname === "/js/gc") { globalThis.gc(); return new Response("collected"); }
    return go.fetch(request, env, ctx);
  },
};
`

// backend answers after ?ms= with ?tag=, streams ?stream= chunks, digests what it is sent, or with ?echo= sends it back as it comes.
const backend = `export default { async fetch(request) {
  const q = new URL(request.url).searchParams, ms = +q.get("ms") || 0, n = +q.get("stream") || 0;
  if (q.get("echo")) return new Response(request.body);
  const sleep = () => new Promise((r) => setTimeout(r, ms));
  if (request.body) {
    const b = new Uint8Array(await request.arrayBuffer()), d = await crypto.subtle.digest("SHA-256", b);
    return Response.json({ bytes: b.length, length: request.headers.get("content-length"), sum: new Uint8Array(d).toHex() });
  }
  if (n) {
    const { readable, writable } = new TransformStream(), w = writable.getWriter();
    (async () => { for (let i = 0; i < n; i++) { await sleep(); await w.write(new TextEncoder().encode("chunk " + i + "\n")); } await w.close(); })().catch(() => {});
    return new Response(readable);
  }
  if (ms) await sleep();
  return new Response("backend " + ms + " " + (q.get("tag") ?? ""));
} };
`

// start runs the test Worker with the check of the I/O context on every turn, and
// requires at the end that it never failed.
func start(t *testing.T, env map[string]string) *workerdtest.Server {
	t.Helper()
	all := map[string]string{"DEBUG": "1", "GREETING": "hello"}
	for k, v := range env {
		all[k] = v
	}
	s := workerdtest.Start(t, workerdtest.Worker{
		Main: testworker, Entry: entry, MemoryMiB: 96, Env: all,
		Services: map[string]string{"BACKEND": backend}, Objects: map[string]string{"COUNTER": "Counter"},
	})
	t.Cleanup(func() { assert.Empty(t, tables(t, s).Mismatches, "turns in a wrong I/O context") })
	return s
}

// jsTables is the glue's view.
type jsTables struct {
	Instances, Tasks, Handles, Timers, Values, Streams, LostTasks int
	Deaths                                                        []string
	Mismatches                                                    map[string]int
}

func tables(t *testing.T, s *workerdtest.Server) jsTables {
	t.Helper()
	return decode[jsTables](t, s.Get("/js/tables"))
}

// goStats is Go's view, which includes the glue's.
type goStats struct {
	Stats struct {
		Begun, Hops, Ops, Late, Canceled, Panics, Tasks, Pending, Goroutines, Idle int
		Host                                                                       jsTables
	}
	Heap, Objects int
}

func stats(t *testing.T, s *workerdtest.Server) goStats {
	t.Helper()
	return decode[goStats](t, s.Get("/stats"))
}

func decode[T any](t *testing.T, r workerdtest.Reply) (v T) {
	t.Helper()
	require.NoError(t, r.Err)
	require.Equal(t, http.StatusOK, r.Status, r.Body)
	require.NoError(t, json.Unmarshal([]byte(r.Body), &v), r.Body)
	return v
}

// many sends n requests, so many at a time, and returns the answers in order.
func many(n, atATime int, f func(i int) workerdtest.Reply) []workerdtest.Reply {
	replies := make([]workerdtest.Reply, n)
	var wg sync.WaitGroup
	slots := make(chan struct{}, atATime)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			replies[i] = f(i)
			<-slots
		})
	}
	wg.Wait()
	return replies
}

// allOK requires that each answer is 200 with the wanted body (a JSON string if quoted).
func allOK(t *testing.T, replies []workerdtest.Reply, want func(i int) string) {
	t.Helper()
	bad := 0
	for i, r := range replies {
		if r.Err == nil && r.Status == http.StatusOK && (want == nil || r.Body == want(i)) {
			continue
		}
		if bad++; bad <= 5 {
			t.Errorf("request %d: %d %q %v", i, r.Status, r.Body, r.Err)
		}
	}
	require.Zero(t, bad, "of %d", len(replies))
}

func quoted(format string, args ...any) string {
	return fmt.Sprintf("%q\n", fmt.Sprintf(format, args...))
}

// eventually polls until ok; the limit is for failures, no test waits for it.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	require.Fail(t, "not in time: "+what)
}

// logged waits for an entry of the Worker's log.
func logged(t *testing.T, s *workerdtest.Server, id, entry string) {
	t.Helper()
	var last []string
	eventually(t, id+" to log "+entry, func() bool {
		last = decode[[]string](t, s.Get("/log?id="+id))
		for _, e := range last {
			if e == entry {
				return true
			}
		}
		return false
	})
}

// leave sends a request and breaks the connection once the first bytes are there.
func leave(s *workerdtest.Server, path string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	resp, err := s.Open(ctx, path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = resp.Body.Read(make([]byte, 1))
	return err
}

// quiet waits until only the asking request is left, and returns the counts.
func quiet(t *testing.T, s *workerdtest.Server) goStats {
	t.Helper()
	var st goStats
	eventually(t, "the Worker to be idle", func() bool {
		st = stats(t, s)
		return st.Stats.Tasks == 1 && st.Stats.Pending == 0
	})
	return st
}
