package main

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/vectorize"
)

func modelRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/check/ai", checked(checkAI))
	mux.HandleFunc("/check/vectorize", checked(checkVectorize))
}

// The stand-in of AI answers with what it was called with.
func checkAI(ctx context.Context, c *check) {
	b, off := ai.Open("AI"), false
	resp, err := b.Run(ctx, "@cf/echo", map[string]string{"prompt": "grüße"}, &ai.Options{
		RejectIfBusy: true, Tags: []string{"t"}, ExtraHeaders: map[string]string{"x-session-affinity": "s"},
		Gateway: &ai.Gateway{ID: "g", CacheKey: "k", CacheTTL: time.Minute, SkipCache: true, Metadata: map[string]string{"tenant_id": "acme"},
			CollectLog: &off, EventID: "e", RequestTimeout: 2 * time.Second, Retries: &ai.Retries{MaxAttempts: 2, Delay: time.Second, Backoff: "constant"}},
	})
	if err != nil {
		c.that(false, "run: %v", err)
		return
	}
	body, err := io.ReadAll(resp.Body)
	const want = `{"model":"@cf/echo","input":{"prompt":"grüße"},"options":{"gateway":{"id":"g","cacheKey":"k","cacheTtl":60,"skipCache":true,"metadata":{"tenant_id":"acme"},"collectLog":false,"eventId":"e","requestTimeoutMs":2000,"retries":{"maxAttempts":2,"retryDelayMs":1000,"backoff":"constant"}},"rejectIfBusy":true,"tags":["t"],"extraHeaders":{"x-session-affinity":"s"},"returnRawResponse":true}}`
	c.that(err == nil && string(body) == want, "options: %s %v", body, err)
	c.that(resp.Status == 200 && resp.LogID() == "log-1", "response: %d %v", resp.Status, resp.Header)
	resp, err = b.Run(ctx, "@cf/busy", json.RawMessage(`{}`), nil)
	c.that(err == nil && resp.Status == 429, "a refused call is a status: %+v %v", resp, err)
	_, err = b.Run(ctx, "@cf/throws", json.RawMessage(`{}`), nil)
	c.that(err != nil && strings.Contains(err.Error(), "5007: no such model"), "a thrown error: %v", err)
	resp, err = b.Run(ctx, "@cf/stream", json.RawMessage(`{"stream":true}`), nil)
	if err != nil {
		c.that(false, "stream: %v", err)
		return
	}
	buf := make([]byte, 100)
	n, err := resp.Body.Read(buf)
	c.that(err == nil && string(buf[:n]) == "data: 0\n\n", "the first chunk comes alone: %q %v", buf[:n], err)
	rest, err := io.ReadAll(resp.Body)
	c.that(err == nil && string(rest) == "data: 1\n\ndata: 2\n\n", "the rest: %q %v", rest, err)
	resp, err = b.Run(ctx, "@cf/stream", json.RawMessage(`{"stream":true}`), nil)
	c.that(err == nil && resp.Body.Close() == nil, "closing a stream early: %v", err)
}

func checkVectorize(ctx context.Context, c *check) {
	x := vectorize.Open("VECTORIZE")
	v := []float32{1, -0.5, math.SmallestNonzeroFloat32, math.MaxFloat32}
	m, err := x.Upsert(ctx, []vectorize.Vector{{ID: "a", Values: v, Namespace: "n", Metadata: map[string]any{"k": "x"}}, {ID: "b", Values: []float32{0, 1, 0, 0}}})
	c.that(err == nil && m.ID != "", "upsert: %v %v", m, err)
	found, err := x.Query(ctx, v, &vectorize.QueryOptions{TopK: 2, Namespace: "n", Filter: map[string]string{"k": "x"}, ReturnValues: true, ReturnMetadata: vectorize.All})
	c.that(err == nil && len(found) == 1 && found[0].ID == "a" && found[0].Namespace == "n" && slices.Equal(found[0].Values, v) && string(found[0].Metadata) == `{"k":"x"}`, "query: %+v %v", found, err)
	found, err = x.QueryByID(ctx, "b", nil)
	c.that(err == nil && len(found) == 2 && found[0].Values == nil && found[0].Metadata == nil, "query by id: %+v %v", found, err)
	got, err := x.GetByIDs(ctx, []string{"a", "absent"})
	c.that(err == nil && len(got) == 1 && slices.Equal(got[0].Values, v), "get: %+v %v", got, err)
	_, err = x.Insert(ctx, []vectorize.Vector{{ID: "a", Values: v}, {ID: "c", Values: v}})
	c.that(err == nil, "insert: %v", err)
	d, err := x.Describe(ctx)
	c.that(err == nil && d.VectorCount == 3 && d.Dimensions == 4 && d.ProcessedUpToMutation != "" && !d.ProcessedUpTo.IsZero(), "describe: %+v %v", d, err)
	_, err = x.DeleteByIDs(ctx, []string{"a", "b", "c"})
	d, err2 := x.Describe(ctx)
	c.that(err == nil && err2 == nil && d.VectorCount == 0, "delete: %+v %v %v", d, err, err2)
}
