package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/cloudflare/r2"
	"levada.dev/infra/cloudflare/workflow"
)

// What a run of the Pipeline is asked to do.
type plan struct {
	Sleep               int // ms
	Wait, Final, Die    bool
	Busy                bool // a step goes on until it is told to stop
	Flaky               int  // attempts of the flaky step that fail
	TimesOut, Undefined bool
}

// In memory only: attempts shows what runs again, stopped what was told to stop.
var attempts, stopped = map[string]int{}, map[string]bool{}

func workflowRoutes(mux *http.ServeMux) {
	workflow.Register("Pipeline", pipeline)
	w := workflow.Open("PIPELINE")
	mux.HandleFunc("POST /workflow/{id}", func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			reply(rw, nil, err)
			return
		}
		i, err := w.Create(r.Context(), r.PathValue("id"), json.RawMessage(body))
		reply(rw, i.ID, err)
	})
	mux.HandleFunc("GET /workflow/{id}", func(rw http.ResponseWriter, r *http.Request) {
		s, err := w.Get(r.PathValue("id")).Status(r.Context())
		reply(rw, s, err)
	})
	mux.HandleFunc("POST /workflow/{id}/{method}", func(rw http.ResponseWriter, r *http.Request) {
		i, ctx := w.Get(r.PathValue("id")), r.Context()
		switch r.PathValue("method") {
		case "stop":
			stopped[i.ID] = true
			reply(rw, "ok", nil)
		case "approve":
			reply(rw, "ok", i.SendEvent(ctx, "approve", map[string]string{"by": "alice"}))
		case "pause":
			reply(rw, "ok", i.Pause(ctx))
		case "resume":
			reply(rw, "ok", i.Resume(ctx))
		case "restart":
			reply(rw, "ok", i.Restart(ctx))
		case "terminate":
			reply(rw, "ok", i.Terminate(ctx))
		}
	})
}

func pipeline(ctx context.Context, ev *workflow.Event, step workflow.Step) (any, error) {
	var p plan
	if err := json.Unmarshal(ev.Payload, &p); err != nil {
		return nil, workflow.NonRetryable(err)
	}
	id := ev.InstanceID
	note(id, "run")
	var first string
	if err := step.Do("first", nil, &first, func(ctx context.Context) (any, error) {
		note(id, "first")
		return "first of " + id, echoed(ctx, 5, id)
	}); err != nil {
		return nil, err
	}
	retries := &workflow.Config{Retries: 3, Delay: time.Millisecond, Backoff: workflow.Constant, Timeout: 5 * time.Second}
	if p.TimesOut {
		retries = &workflow.Config{Retries: -1, Timeout: 50 * time.Millisecond}
	}
	if p.Busy {
		if err := step.Do("busy", &workflow.Config{Retries: -1, Timeout: time.Hour}, nil, func(ctx context.Context) (any, error) { return nil, busy(ctx, id) }); err != nil {
			return nil, err
		}
	}
	var n int
	if err := step.Do("flaky", retries, &n, func(ctx context.Context) (any, error) { return flaky(ctx, id, p) }); err != nil {
		return nil, err
	}
	if p.Sleep > 0 {
		if err := step.Sleep("pause", time.Duration(p.Sleep)*time.Millisecond); err != nil {
			return nil, err
		}
		if err := step.SleepUntil("until", time.Now().Add(2*time.Second)); err != nil {
			return nil, err
		}
	}
	var approval struct{ By string }
	if p.Wait {
		if err := step.WaitForEvent("approval", "approve", time.Minute, &approval); err != nil {
			return nil, err
		}
	}
	if err := step.Do("last", nil, nil, func(context.Context) (any, error) { note(id, "last"); return nil, nil }); err != nil {
		return nil, err
	}
	return map[string]any{"first": first, "attempts": n, "by": approval.By}, nil
}

// busy makes operations that end within the process, five at a time, until a request says that it is enough.
func busy(ctx context.Context, id string) error {
	bucket := r2.Open("R2")
	note(id, "busy")
	for range 20_000 {
		var five errgroup.Group
		for k := range 5 {
			five.Go(func() error {
				_, err := bucket.Put(ctx, fmt.Sprintf("busy/%d", k), []byte("x"), nil)
				return err
			})
		}
		if err := five.Wait(); err != nil || stopped[id] {
			return err
		}
	}
	return workflow.NonRetryable(errors.New("no request was heard"))
}

func flaky(ctx context.Context, id string, p plan) (any, error) {
	attempts[id]++
	note(id, "flaky %d", attempts[id])
	switch {
	case p.Final:
		return nil, workflow.NonRetryable(errors.New("final"))
	case p.TimesOut:
		time.Sleep(400 * time.Millisecond)
		return 0, nil
	case p.Die:
		if dying := counters.Named("die-" + id); true {
			out, err := dying.Call(ctx, "inc", nil)
			if err != nil {
				return nil, err
			}
			if string(out) == "1" {
				go panic("in a step")
				select {}
			}
		}
	case attempts[id] <= p.Flaky:
		return nil, fmt.Errorf("failure %d", attempts[id])
	}
	return attempts[id], nil
}
