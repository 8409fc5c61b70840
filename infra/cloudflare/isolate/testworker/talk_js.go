package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"

	"levada.dev/infra/cloudflare/service"
)

// talkRoutes have a conversation with another Worker: each line is written after the one before has come back, in one request.
func talkRoutes(mux *http.ServeMux) {
	mux.HandleFunc("/talk", func(w http.ResponseWriter, r *http.Request) {
		said, mouth := io.Pipe()
		defer mouth.Close()
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://backend/?echo=1", said)
		if err != nil {
			reply(w, nil, err)
			return
		}
		resp, err := service.Open("BACKEND").Do(req)
		if err != nil {
			reply(w, nil, err)
			return
		}
		defer resp.Body.Close()
		heard := bufio.NewReader(resp.Body)
		for i := range number(r, "n") {
			line := fmt.Sprintf("%s %d\n", text(r, "id"), i)
			if _, err = io.WriteString(mouth, line); err != nil {
				break
			}
			var back string
			if back, err = heard.ReadString('\n'); err != nil || back != line {
				err = fmt.Errorf("line %d came back as %q: %w", i, back, err)
				break
			}
		}
		if err != nil || text(r, "leave") != "" {
			reply(w, "left", err)
			return
		}
		_ = mouth.Close()
		rest, err := io.ReadAll(heard)
		reply(w, len(rest), err)
	})
}
