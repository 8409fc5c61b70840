package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"levada.dev/infra/cloudflare/isolate"
)

var waiters sync.Map // id -> chan string

func timerRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/sleep", func(w http.ResponseWriter, r *http.Request) {
		d := time.Duration(number(r, "ms")) * time.Millisecond
		began := time.Now()
		sleep(r.Context(), d, text(r, "how"))
		late := time.Since(began) - d
		// Whose I/O context are we in now?
		err := echoed(r.Context(), number(r, "io"), text(r, "tag"))
		reply(w, map[string]any{"tag": text(r, "tag"), "late": late.Milliseconds()}, err)
	})
	mux.HandleFunc("/timeout", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Duration(number(r, "to"))*time.Millisecond)
		defer cancel()
		_, err := get(ctx, "ms="+text(r, "ms"))
		reply(w, fmt.Sprint(err), nil)
	})
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		id := text(r, "id")
		c := make(chan string, 1)
		waiters.Store(id, c)
		defer waiters.Delete(id)
		select {
		case v := <-c:
			note("wait"+id, "woken")
			reply(w, v, echoed(r.Context(), number(r, "io"), id))
		case <-r.Context().Done():
			note("wait"+id, "%v", context.Cause(r.Context()))
		}
	})
	mux.HandleFunc("/wake", func(w http.ResponseWriter, r *http.Request) {
		c, ok := waiters.Load(text(r, "id"))
		if !ok {
			http.NotFound(w, r)
			return
		}
		c.(chan string) <- text(r, "id")
		io.WriteString(w, "ok")
	})
	mux.HandleFunc("/background", func(w http.ResponseWriter, r *http.Request) {
		id := text(r, "id")
		f := func(ctx context.Context) {
			time.Sleep(time.Duration(number(r, "ms")) * time.Millisecond)
			note("background"+id, "%v", echoed(ctx, 5, id))
		}
		if text(r, "bare") == "" {
			reply(w, "ok", isolate.Go(r.Context(), f))
			return
		}
		ctx := r.Context()
		go f(ctx)
		io.WriteString(w, "ok")
	})
	// The client leaves, and the handler still settles something.
	mux.HandleFunc("/settle", func(w http.ResponseWriter, r *http.Request) {
		id := text(r, "id")
		_, err := get(r.Context(), "ms="+text(r, "ms"))
		note("settle"+id, "%v", err)
		note("settle"+id, "%v", echoed(context.WithoutCancel(r.Context()), 5, id))
	})
}

func sleep(ctx context.Context, d time.Duration, how string) {
	switch how {
	case "after":
		<-time.After(d)
	case "ctx":
		ctx, cancel := context.WithTimeout(ctx, d)
		<-ctx.Done()
		cancel()
	case "ticker":
		t := time.NewTicker(d / 4)
		for range 4 {
			<-t.C
		}
		t.Stop()
	default:
		time.Sleep(d)
	}
}
