package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"levada.dev/infra/cloudflare/analytics"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/r2"
)

// A check collects what is wrong; a route answers with the list, empty when all is well.
type check []string

func (c *check) that(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Sprintf(format, args...))
	}
}

func checked(f func(ctx context.Context, c *check)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := check{}
		f(r.Context(), &c)
		reply(w, c, nil)
	}
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func storeRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/check/kv", checked(checkKV))
	mux.HandleFunc("/check/r2", checked(checkR2))
	mux.HandleFunc("/check/analytics", checked(func(ctx context.Context, c *check) {
		err := analytics.Open("ANALYTICS").Write(ctx, analytics.Point{Indexes: []string{"i"}, Blobs: []string{"b"}, Doubles: []float64{1, 2.5}})
		c.that(err == nil, "write: %v", err)
	}))
	mux.HandleFunc("/check/missing", checked(func(ctx context.Context, c *check) {
		_, err := kv.Open("NOWHERE").Get(ctx, "k", nil)
		c.that(err != nil && strings.Contains(err.Error(), "no binding NOWHERE"), "a missing binding: %v", err)
		_, err = kv.Open("KV").Get(context.Background(), "k", nil)
		c.that(err != nil, "a context of no event")
	}))
}

func checkKV(ctx context.Context, c *check) {
	ns := kv.Open("KV")
	_, err := ns.Get(ctx, "absent", nil)
	c.that(errors.Is(err, kv.ErrNotFound), "absent: %v", err)
	_, _, err = ns.GetWithMetadata(ctx, "absent", nil)
	c.that(errors.Is(err, kv.ErrNotFound), "absent with metadata: %v", err)
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	c.that(ns.Put(ctx, "a/1", everyByte(), nil) == nil, "put")
	c.that(ns.Put(ctx, "a/2", nil, &kv.PutOptions{Metadata: map[string]int{"n": 1}, Expiration: until}) == nil, "put with metadata")
	c.that(ns.Put(ctx, "b", []byte("x"), &kv.PutOptions{TTL: time.Hour}) == nil, "put with a TTL")
	v, err := ns.Get(ctx, "a/1", &kv.GetOptions{CacheTTL: time.Minute})
	c.that(err == nil && bytes.Equal(v, everyByte()), "get: %x %v", v, err)
	v, m, err := ns.GetWithMetadata(ctx, "a/2", nil)
	c.that(err == nil && len(v) == 0 && string(m) == `{"n":1}`, "get with metadata: %x %s %v", v, m, err)
	_, m, err = ns.GetWithMetadata(ctx, "a/1", nil)
	c.that(err == nil && m == nil, "get without metadata: %s %v", m, err)
	page, err := ns.List(ctx, &kv.ListOptions{Prefix: "a/", Limit: 1})
	c.that(err == nil && len(page.Keys) == 1 && page.Cursor != "", "first page: %+v %v", page, err)
	if err == nil {
		page, err = ns.List(ctx, &kv.ListOptions{Prefix: "a/", Cursor: page.Cursor})
		c.that(err == nil && len(page.Keys) == 1 && page.Cursor == "" && page.Keys[0].Expiration.Equal(until) && string(page.Keys[0].Metadata) == `{"n":1}`, "last page: %+v %v", page, err)
	}
	c.that(ns.Delete(ctx, "a/1") == nil && ns.Delete(ctx, "absent") == nil, "delete")
	_, err = ns.Get(ctx, "a/1", nil)
	c.that(errors.Is(err, kv.ErrNotFound), "deleted: %v", err)
}

func checkR2(ctx context.Context, c *check) {
	b := r2.Open("R2")
	_, err := b.Get(ctx, "absent", nil)
	c.that(errors.Is(err, r2.ErrNotFound), "absent: %v", err)
	_, err = b.Head(ctx, "absent")
	c.that(errors.Is(err, r2.ErrNotFound), "absent head: %v", err)
	o, err := b.Put(ctx, "d/small", everyByte(), &r2.PutOptions{ContentType: "text/x", Metadata: map[string]string{"k": "v"}, OnlyIfAbsent: true})
	c.that(err == nil && o.Size == 256 && o.ETag != "", "put: %+v %v", o, err)
	_, err = b.Put(ctx, "d/small", nil, &r2.PutOptions{OnlyIfAbsent: true})
	c.that(errors.Is(err, r2.ErrCondition), "put of an existing one: %v", err)
	if o == nil {
		return
	}
	got, body, err := b.ReadAll(ctx, "d/small")
	c.that(err == nil && bytes.Equal(body, everyByte()) && got.ContentType == "text/x" && got.Metadata["k"] == "v" && time.Since(got.Uploaded) < time.Minute, "get: %+v %v", got, err)
	head, err := b.Head(ctx, "d/small")
	c.that(err == nil && head.ETag == o.ETag && head.Body == nil, "head: %+v %v", head, err)
	_, err = b.Get(ctx, "d/small", &r2.GetOptions{OnlyIf: &r2.Condition{ETagDoesNotMatch: o.ETag}})
	c.that(errors.Is(err, r2.ErrCondition), "get on condition: %v", err)
	for _, part := range []struct {
		o    r2.GetOptions
		want []byte
	}{{r2.GetOptions{Offset: 250}, everyByte()[250:]}, {r2.GetOptions{Offset: 3, Length: 4}, everyByte()[3:7]}, {r2.GetOptions{Offset: -2}, everyByte()[254:]}, {r2.GetOptions{Length: 5}, everyByte()[:5]}} {
		p, err := b.Get(ctx, "d/small", &part.o)
		if err != nil {
			c.that(false, "part %+v: %v", part.o, err)
			continue
		}
		body, err := io.ReadAll(p.Body)
		c.that(err == nil && bytes.Equal(body, part.want), "part %+v: %x %v", part.o, body, err)
	}
	const n = 300_000
	o, err = b.PutStream(ctx, "d/large", &counting{left: n}, n, nil)
	c.that(err == nil && o.Size == n, "put of a stream: %+v %v", o, err)
	_, body, err = b.ReadAll(ctx, "d/large")
	c.that(err == nil && len(body) == n && body[257] == 1, "get of a stream: %d %v", len(body), err)
	_, err = b.PutStream(ctx, "d/broken", &counting{left: n, fail: 100_000}, n, nil)
	c.that(err != nil && strings.Contains(err.Error(), "the source broke"), "put of a broken stream: %v", err)
	_, err = b.Head(ctx, "d/broken")
	c.that(errors.Is(err, r2.ErrNotFound), "a broken stream leaves %v", err)
	page, err := b.List(ctx, &r2.ListOptions{Prefix: "d/", Limit: 1})
	c.that(err == nil && len(page.Objects) == 1 && page.Objects[0].Key == "d/large" && page.Cursor != "", "list: %+v %v", page, err)
	if err == nil {
		page, err = b.List(ctx, &r2.ListOptions{Prefix: "d/", Cursor: page.Cursor})
		c.that(err == nil && len(page.Objects) == 1 && page.Objects[0].Metadata["k"] == "v" && page.Cursor == "", "list: %+v %v", page, err)
	}
	page, err = b.List(ctx, &r2.ListOptions{Delimiter: "/"})
	c.that(err == nil && len(page.Objects) == 0 && len(page.Prefixes) == 1 && page.Prefixes[0] == "d/", "list of folders: %+v %v", page, err)
	c.that(b.Delete(ctx, "d/small", "d/large", "absent") == nil, "delete")
	_, err = b.Head(ctx, "d/small")
	c.that(errors.Is(err, r2.ErrNotFound), "deleted: %v", err)
}
