// Package route is the request that the benchmark sends to every contender: a small JSON in, a CloudEvent out.
package route

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"
)

// Handler answers POST /event with the CloudEvent of the text it was sent, made and encoded by the CloudEvents SDK,
// and GET /stream with a paced stream.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /event", event)
	mux.HandleFunc("GET /stream", stream)
	return mux
}

// stream tells its caller's name again and again: n lines, one each ms milliseconds.
func stream(w http.ResponseWriter, r *http.Request) {
	name := r.FormValue("name")
	n, err1 := strconv.Atoi(r.FormValue("n"))
	ms, err2 := strconv.Atoi(r.FormValue("ms"))
	if err1 != nil || err2 != nil {
		http.Error(w, "n and ms are numbers", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	for i := range n {
		fmt.Fprintf(w, "data: %s %d\n\n", name, i)
		if err := flush.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Duration(ms) * time.Millisecond):
		}
	}
}

func event(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	e := cloudevents.New()
	e.SetID(uuid.NewString())
	e.SetSource("/tenants/acme/api")
	e.SetType("dev.levada.bench.asked.v1")
	if err := e.SetData("application/json", in); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	b, err := json.Marshal(e)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}
