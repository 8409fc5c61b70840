// Package route is the request that the benchmark sends to every contender: a small JSON in, a CloudEvent out.
package route

import (
	"encoding/json"
	"net/http"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"
)

// Handler answers POST /event with the CloudEvent of the text it was sent, made and encoded by the CloudEvents SDK,
// and GET /sse with a paced stream.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /event", event)
	return mux
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
