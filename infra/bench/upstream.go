package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// upstream is a provider of models that answers at once, in OpenAI's wire format: at /v1/chat/completions as its own API
// does, and at /ai-gateway/run as the binding of Workers AI asks it.
type upstream struct {
	Address string
	Calls   atomic.Int64
	Broken  atomic.Int64 // answers that the caller did not take to the end

	pace   atomic.Int64 // nanoseconds before each token
	server *http.Server
	events [][]byte
	whole  []byte
}

// answerTokens is how many tokens an answer has.
const answerTokens = 20

// lastEvent is how an answer's stream ends.
const lastEvent = "data: [DONE]\n\n"

func newUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{Address: l.Addr().String(), events: answerEvents(), whole: wholeAnswer()}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var order struct{ Stream bool }
		u.answer(w, r, &order, &order.Stream)
	})
	mux.HandleFunc("POST /ai-gateway/run", func(w http.ResponseWriter, r *http.Request) {
		var order struct{ Inputs struct{ Stream bool } }
		w.Header().Set("cf-aig-log-id", "01J0000000000000000000000")
		u.answer(w, r, &order, &order.Inputs.Stream)
	})
	u.server = &http.Server{Handler: mux}
	go u.server.Serve(l)
	return u, nil
}

// Pace sets how long the upstream thinks about each token.
func (u *upstream) Pace(d time.Duration) { u.pace.Store(int64(d)) }

// Close ends the upstream and whatever it was answering.
func (u *upstream) Close() error { return u.server.Close() }

func (u *upstream) answer(w http.ResponseWriter, r *http.Request, order any, stream *bool) {
	u.Calls.Add(1)
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, order)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !*stream {
		w.Header().Set("Content-Type", "application/json")
		w.Write(u.whole)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	pace := time.Duration(u.pace.Load())
	if pace == 0 {
		w.Write(bytes.Join(u.events, nil))
		return
	}
	flush := http.NewResponseController(w)
	for _, event := range u.events {
		select {
		case <-time.After(pace):
		case <-r.Context().Done():
			u.Broken.Add(1)
			return
		}
		if _, err := w.Write(event); err != nil || flush.Flush() != nil {
			u.Broken.Add(1)
			return
		}
	}
}

const answerHead = `{"id":"chatcmpl-5f0f6a3e6f0e4b539c530d3a","object":"chat.completion%s","created":1790000000,"model":"@cf/zai-org/glm-4.7-flash",`

const answerUsage = `"usage":{"prompt_tokens":24,"completion_tokens":20,"total_tokens":44}}`

// answerEvents are the events of an answer's stream: the role with the first token, the others, the end, the usage.
func answerEvents() (events [][]byte) {
	head := "data: " + fmt.Sprintf(answerHead, ".chunk")
	for i := range answerTokens {
		delta := fmt.Sprintf(`{"content":" token%d"}`, i)
		if i == 0 {
			delta = `{"role":"assistant","content":"A token0"}`
		}
		events = append(events, []byte(head+`"choices":[{"index":0,"delta":`+delta+`,"finish_reason":null}]}`+"\n\n"))
	}
	return append(events,
		[]byte(head+`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"),
		[]byte(head+`"choices":[],`+answerUsage+"\n\n"),
		[]byte(lastEvent))
}

// wholeAnswer is an answer in one piece.
func wholeAnswer() []byte {
	return []byte(fmt.Sprintf(answerHead, "") +
		`"choices":[{"index":0,"message":{"role":"assistant","content":"A levada is an irrigation channel on Madeira, about so wide as a walker needs."},"finish_reason":"stop"}],` + answerUsage)
}
