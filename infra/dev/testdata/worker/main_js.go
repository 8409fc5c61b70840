// Command worker is the Worker of this package's tests: a route for each thing that the platform has to provide, so
// that a test can do it from outside. Two roles are built from it: front answers, back has the classes and consumes.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"levada.dev/infra/cloudflare/analytics"
	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/queue"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/infra/cloudflare/workflow"
)

func main() {
	object.Register("Notes", newNotes)
	workflow.Register("Pause", pause)
	queue.Consume(note)
	isolate.HandleScheduled(func(ctx context.Context, cron string, _ time.Time) error { return write(ctx, "cron "+cron) })
	isolate.HandleHTTP(routes())
	isolate.Run()
}

func routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /var/{name}", func(w http.ResponseWriter, r *http.Request) {
		value, _ := isolate.Env(r.PathValue("name"))
		answer(w, value, nil)
	})
	mux.HandleFunc("GET /word", func(w http.ResponseWriter, _ *http.Request) { answer(w, word, nil) })
	mux.HandleFunc("GET /notes", func(w http.ResponseWriter, r *http.Request) {
		list, err := object.Open("NOTES").Named("all").Call(r.Context(), "list", nil)
		answer(w, json.RawMessage(list), err)
	})
	mux.HandleFunc("POST /notes", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		answer(w, nil, write(r.Context(), string(text)))
	})
	mux.HandleFunc("POST /log", func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		for range 100 {
			fmt.Println(string(text))
		}
		answer(w, nil, nil)
	})
	mux.HandleFunc("POST /jobs", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		metrics, err := queue.Open("JOBS").Send(r.Context(), body, nil)
		answer(w, metrics.BacklogCount, err)
	})
	mux.HandleFunc("GET /config/{key}", func(w http.ResponseWriter, r *http.Request) {
		value, err := kv.Open("CONFIG").Get(r.Context(), r.PathValue("key"), nil)
		if errors.Is(err, kv.ErrNotFound) {
			err = nil
		}
		answer(w, string(value), err)
	})
	mux.HandleFunc("PUT /config/{key}", func(w http.ResponseWriter, r *http.Request) {
		value, _ := io.ReadAll(r.Body)
		answer(w, nil, kv.Open("CONFIG").Put(r.Context(), r.PathValue("key"), value, nil))
	})
	mux.HandleFunc("PUT /files/{key}", func(w http.ResponseWriter, r *http.Request) {
		value, _ := io.ReadAll(r.Body)
		_, err := r2.Open("FILES").Put(r.Context(), r.PathValue("key"), value, nil)
		answer(w, nil, err)
	})
	mux.HandleFunc("POST /points/{dataset}", func(w http.ResponseWriter, r *http.Request) {
		index, _ := io.ReadAll(r.Body)
		point := analytics.Point{Indexes: []string{string(index)}, Blobs: []string{"word", ""}, Doubles: []float64{1, 0.5}}
		answer(w, nil, analytics.Open(r.PathValue("dataset")).Write(r.Context(), point))
	})
	mux.HandleFunc("POST /runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		length, _ := io.ReadAll(r.Body)
		_, err := workflow.Open("PAUSE").Create(r.Context(), r.PathValue("id"), string(length))
		answer(w, nil, err)
	})
	mux.HandleFunc("GET /runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		status, err := workflow.Open("PAUSE").Get(r.PathValue("id")).Status(r.Context())
		answer(w, status, err)
	})
	return mux
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(v)
}

// note is the consumer: it writes down what arrives, and refuses what asks for it.
func note(ctx context.Context, b *queue.Batch) {
	for _, m := range b.Messages {
		if string(m.Body) == "refuse" {
			m.Retry(0)
			continue
		}
		if err := write(ctx, fmt.Sprintf("%s: %s", b.Queue, m.Body)); err != nil {
			m.Retry(0)
			continue
		}
		m.Ack()
	}
}

func write(ctx context.Context, text string) error {
	_, err := object.Open("NOTES").Named("all").Call(ctx, "write", []byte(text))
	return err
}

// pause is the Workflow: a step, a sleep of the length it was given, a step.
func pause(ctx context.Context, ev *workflow.Event, step workflow.Step) (any, error) {
	var text string
	if err := json.Unmarshal(ev.Payload, &text); err != nil {
		return nil, err
	}
	length, err := time.ParseDuration(text)
	if err != nil {
		return nil, workflow.NonRetryable(err)
	}
	say := func(what string) error {
		return step.Do(what, nil, nil, func(ctx context.Context) (any, error) {
			return nil, write(ctx, "run "+ev.InstanceID+" "+what)
		})
	}
	if err := say("before"); err != nil {
		return nil, err
	}
	if err := step.Sleep("pause", length); err != nil {
		return nil, err
	}
	return "rested", say("after")
}

// notes is a Durable Object with a list of lines.
type notes struct{ db *object.DB }

func newNotes(ctx context.Context, st *object.State) (object.Object, error) {
	db := st.SQL()
	_, err := db.Exec(ctx, "CREATE TABLE IF NOT EXISTS note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
	return &notes{db}, err
}

// Call writes a note or lists all of them.
func (n *notes) Call(ctx context.Context, method string, body []byte) ([]byte, error) {
	if method == "write" {
		_, err := n.db.Exec(ctx, "INSERT INTO note (text) VALUES (?)", string(body))
		return nil, err
	}
	rows, err := n.db.Query(ctx, "SELECT text FROM note ORDER BY id")
	if err != nil {
		return nil, err
	}
	list := []string{}
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		list = append(list, text)
	}
	return json.Marshal(list)
}
