package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/queue"
)

// A task is what the test sends: the id to log, and what to do with the message.
type task struct{ ID, Do string }

func queueRoutes(mux *http.ServeMux) {
	jobs := queue.Open("JOBS")
	mux.HandleFunc("/queue/send", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			reply(w, nil, err)
			return
		}
		m, err := jobs.Send(r.Context(), body, &queue.SendOptions{Delay: time.Duration(number(r, "delay")) * time.Second, ContentType: text(r, "type")})
		reply(w, m, err)
	})
	mux.HandleFunc("/queue/batch", func(w http.ResponseWriter, r *http.Request) {
		var tasks []json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&tasks); err != nil {
			reply(w, nil, err)
			return
		}
		messages := make([]queue.Message, len(tasks))
		for i, t := range tasks {
			messages[i].Body = t
		}
		m, err := jobs.SendBatch(r.Context(), messages)
		reply(w, m, err)
	})
	mux.HandleFunc("/queue/metrics", func(w http.ResponseWriter, r *http.Request) {
		m, err := jobs.Metrics(r.Context())
		reply(w, m, err)
	})
	queue.Consume(consume)
	isolate.HandleScheduled(func(ctx context.Context, cron string, at time.Time) error {
		note("cron", "%s %t", cron, time.Since(at) < time.Minute)
		return echoed(ctx, 5, "cron")
	})
}

func consume(ctx context.Context, b *queue.Batch) {
	if b.Queue == "jobs" {
		note("batches", "%d", len(b.Messages))
	}
	for _, m := range b.Messages {
		if b.Queue == "dead" {
			note("dead", "%s", m.Body)
			m.Ack()
			continue
		}
		var t task
		if json.Unmarshal(m.Body, &t) != nil {
			note("raw", "%x", m.Body)
			m.Ack()
			continue
		}
		if err := echoed(ctx, 1, t.ID); err != nil {
			note(t.ID, "%v", err)
		}
		note(t.ID, "%s %d", t.Do, m.Attempts)
		judge(m, t)
	}
}

func judge(m *queue.Message, t task) {
	switch t.Do {
	case "retry":
		if m.Attempts == 1 {
			m.Retry(time.Second)
		}
		m.Ack() // counts only when there was no verdict yet
	case "never":
		m.Retry(0)
	case "open":
		if m.Attempts > 1 {
			m.Ack()
		}
	case "panic":
		if m.Attempts == 1 {
			panic(fmt.Sprint("consumer of ", t.ID))
		}
		m.Ack()
	default:
		m.Ack()
	}
}
