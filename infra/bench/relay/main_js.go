// Command relay hands a chat completion on to the AI binding and its answer back, byte by byte, in Go on this project's
// runtime: what is left of the gateway when it does nothing.
package main

import (
	"encoding/json"
	"io"
	"net/http"

	"levada.dev/infra/cloudflare/ai"
	"levada.dev/infra/cloudflare/isolate"
)

func main() {
	isolate.HandleHTTP(http.HandlerFunc(relay))
	isolate.Run()
}

var binding = ai.Open("AI")

func relay(w http.ResponseWriter, r *http.Request) {
	order, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := binding.Run(r.Context(), "@cf/zai-org/glm-4.7-flash", json.RawMessage(order), &ai.Options{Gateway: &ai.Gateway{ID: "levada"}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.Header().Set("Content-Type", answer.Header.Get("Content-Type"))
	w.WriteHeader(answer.Status)
	if answer.Header.Get("Content-Type") != "text/event-stream" {
		_, _ = io.Copy(w, answer.Body) // a client that has left is told nothing
		return
	}
	flush := http.NewResponseController(w)
	piece := make([]byte, 32<<10)
	for {
		n, err := answer.Body.Read(piece)
		if n > 0 {
			if _, err := w.Write(piece[:n]); err != nil {
				return
			}
			if err := flush.Flush(); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
