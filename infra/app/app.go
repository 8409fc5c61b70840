package app

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"levada.dev/api"
	"levada.dev/consumers"
	"levada.dev/consumers/audit"
	"levada.dev/consumers/chunk"
	"levada.dev/consumers/embed"
	"levada.dev/consumers/index"
	"levada.dev/events"
	"levada.dev/infra/stack"
	"levada.dev/producers/intake"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
)

// Ports is everything the platform needs of its surroundings. Every role uses some of it.
type Ports struct {
	Directory tenants.Directory
	Texts     corpus.Texts
	Ledger    corpus.Ledger
	Vectors   corpus.Vectors
	Embedder  llm.Embedder
	Publisher events.Publisher
	Claims    events.Claims
	Trail     audit.Trail
	Letters   consumers.Letters
	Probes    []api.Probe
}

// Options says which build runs where.
type Options struct {
	Version     string
	Environment string
	Log         *slog.Logger
	Now         func() time.Time // default time.Now
	MaxAttempts map[string]int   // by queue: its retries and one

	MaxBodyBytes int64 // how many bytes of bodies the API has room for at a time
}

// API is the role that answers HTTP.
func API(p Ports, o Options) http.Handler {
	return api.New(api.Deps{
		Directory: p.Directory,
		Intake:    intake.New(p.Texts, p.Ledger, nil),
		Ledger:    p.Ledger,
		Texts:     p.Texts,
		Vectors:   p.Vectors,
		Retriever: rag.New(p.Embedder, p.Vectors, p.Ledger, nil),
		Probes:    p.Probes,
	}, &api.Options{Version: o.Version, Environment: api.Environment(o.Environment), Log: o.Log, Now: o.Now, MaxBodyBytes: o.MaxBodyBytes})
}

// Consumers is the role that reacts to the queues.
func Consumers(p Ports, o Options) *consumers.Router {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return consumers.New([]consumers.Route{
		chunk.New(p.Texts, p.Ledger, p.Publisher, now).Route(),
		embed.New(p.Embedder, p.Publisher, now).Route(),
		index.New(p.Vectors, p.Ledger, p.Publisher, now).Route(),
		audit.New(p.Trail).Route(),
	}, p.Claims, consumers.NewUndertaker(p.Ledger, p.Vectors, p.Letters),
		&consumers.Options{MaxAttempts: o.MaxAttempts, Log: o.Log, Now: now})
}

// Stage is the stage of a queue by the queue's name, which in an account begins with the pool, and whether it is the
// stage's dead-letter queue: "shared-ingest-dlq" is "ingest", true.
func Stage(queue string) (stage string, dead bool) {
	stage, dead = strings.CutSuffix(queue, stack.DeadLetter)
	return stage[strings.LastIndexByte(stage, '-')+1:], dead
}
