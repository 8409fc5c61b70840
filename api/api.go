package api

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"levada.dev/events"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/meter/view"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/answer"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/rag"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/transfer"
)

// Deps are the ports that requests are answered from. All are required, except that there may be no Probes.
type Deps struct {
	Directory tenants.Directory
	Intake    Intake
	Webhooks  Webhooks
	Imports   Imports
	Problems  Problems
	Ledger    corpus.Ledger
	Catalogue corpus.Catalogue
	Erasures  Erasures
	Moves     Moves
	Transfers Transfers
	Turns     transfer.Turns
	Seal      Sealer
	Texts     corpus.Texts
	Vectors   corpus.Vectors
	Retriever Retriever
	Gate      quota.Gate // every request to a tenant passes it
	Chat      chat.Conversation
	Sessions  chat.Sessions
	Parcels   Parcels
	Shelf     chat.Shelf
	Generator llm.Generator // that is paid
	Answerer  Answerer
	Safety    *safety.Filter
	Embedder  llm.Embedder // that is paid
	Letters   letters.Box
	Replayer  Replayer
	Trail     trail.Reader
	Publisher events.Publisher // of what is told for the trail alone
	Tools     tools.Box
	MCP       Protocol
	Speech    speech.Desk
	Booth     speech.Booth
	Recorder  Recorder // whose synthesizer is paid
	Sounds    speech.Sounds
	Meters    meter.Meters
	Alerts    alert.Rules
	Probes    []Probe
}

// complete reports whether nothing is missing.
func (d *Deps) complete() bool {
	return d.Directory != nil && d.Intake != nil && d.Imports != nil && d.Problems != nil && d.Webhooks != nil && d.Ledger != nil && d.Catalogue != nil && d.Erasures != nil && d.Moves != nil && d.Transfers != nil && d.Turns != nil && d.Seal != nil && d.Texts != nil && d.Vectors != nil && d.Retriever != nil &&
		d.Gate != nil && d.Chat != nil && d.Sessions != nil && d.Parcels != nil && d.Shelf != nil && d.Generator != nil && d.Answerer != nil && d.Safety != nil && d.Embedder != nil && d.Letters != nil && d.Replayer != nil && d.Trail != nil && d.Publisher != nil && d.Tools != nil && d.MCP != nil &&
		d.Speech != nil && d.Booth != nil && d.Recorder != nil && d.Sounds != nil && d.Meters != nil && d.Alerts != nil
}

// Intake takes documents in.
//
// When Submit returns nil the text is stored and the document will be indexed, even if the process dies. A
// submission with an idempotency key that was seen before gets its first receipt (Replayed), or fails with
// fault.Conflict when the request differs. Safe for concurrent use.
type Intake interface {
	Submit(ctx context.Context, s tenants.Scope, d corpus.Draft) (corpus.Receipt, error)
}

// Webhooks takes the deliveries of sources in.
type Webhooks interface {
	// Inspect refuses what can be refused before the body is read: a signature's headers that are missing or malformed, a time
	// outside of the window.
	Inspect(header map[string][]string) error
	// Receive takes the events of a delivery. When it is not signed by its source it fails with fault.Denied, code signature_invalid, and
	// has neither looked at the body nor asked its Admit. When it returns nil, what it accepted is safe as what Intake.Submit took, and a repetition starts
	// nothing. When it fails the whole delivery may be sent again. Safe for concurrent use.
	Receive(ctx context.Context, s tenants.Scope, c *tenants.Config, d corpus.Delivery) (corpus.Delivered, error)
}

// Retriever answers searches; *rag.Retriever does, and *rag.Cached.
type Retriever interface {
	Search(ctx context.Context, s tenants.Scope, q rag.Query) (rag.Result, error)
}

// Answerer makes answers of what searches find; *answer.Answerer is the one there is.
type Answerer interface {
	Open(ctx context.Context, s tenants.Scope, r answer.Request) (*answer.Telling, error)
}

// Probe asks one dependency whether it answers. Check must end when its context does.
type Probe struct {
	Name  string
	Check func(ctx context.Context) error
}

// Environment names what a deployment is for. In Production no tenant is open.
type Environment string

// Production is the environment in which every tenant needs keys.
const Production Environment = "prod"

// Options tunes the handler.
type Options struct {
	Version     string           // of the build, shown by /health; default "dev"
	VersionID   string           // of the deployed Worker, likewise; none by default
	Environment Environment      // default "dev"
	Log         *slog.Logger     // default slog.Default
	Watch       *watch.Watch     // notices each request, and what is done for it; default one that writes the lines of the log alone
	Now         func() time.Time // default time.Now
	Random      io.Reader        // for ids of requests and traces; default crypto/rand
	ProbeLimit  time.Duration    // how long /ready waits; default 2 s
	NewID       func() string    // makes ids of jobs, ordered by time; default UUIDs of version 7

	// Background runs f beside the request of ctx, which stays open until f returns, with a context that outlives the client. An error means that
	// it does not run. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error

	// SpeechFormats are those that the platform's voices give; default whatever a model gives.
	SpeechFormats []audio.Format

	// Objectives are what /metrics/slis holds routes to; default view.Standard.
	Objectives view.Objectives

	// MaxBodyBytes is how many bytes of bodies there is room for at a time. A larger body is refused, whatever the
	// tenant's limit is; where several come at once, the last ones wait. Default tenants.MaxBodyBytes.
	MaxBodyBytes int64
}

func (o *Options) withDefaults() Options {
	var opts Options
	if o != nil {
		opts = *o
	}
	if opts.Version == "" {
		opts.Version = "dev"
	}
	if opts.Environment == "" {
		opts.Environment = "dev"
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Watch == nil {
		opts.Watch = watch.New("api", &watch.Options{Log: opts.Log, Now: opts.Now})
	}
	if opts.Random == nil {
		opts.Random = &stock{from: rand.Reader}
	}
	if opts.NewID == nil {
		opts.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if opts.Background == nil {
		opts.Background = func(ctx context.Context, f func(context.Context)) error {
			go f(context.WithoutCancel(ctx))
			return nil
		}
	}
	if opts.Objectives.Availability == 0 {
		opts.Objectives = view.Standard
	}
	if opts.ProbeLimit <= 0 {
		opts.ProbeLimit = 2 * time.Second
	}
	if opts.MaxBodyBytes <= 0 {
		opts.MaxBodyBytes = tenants.MaxBodyBytes
	}
	return opts
}

// New makes the handler of the whole contract. It panics when a dependency is missing, which is a mistake in wiring.
func New(deps Deps, opts *Options) http.Handler {
	if !deps.complete() {
		panic("api: a dependency is missing")
	}
	s := &server{Deps: deps, opts: opts.withDefaults(), mux: http.NewServeMux(), flat: map[string]*place{}}
	s.room = semaphore.NewWeighted(s.opts.MaxBodyBytes)
	s.batches = semaphore.NewWeighted(maxBatches)
	s.register(routes)
	return s
}

type server struct {
	Deps
	opts    Options
	mux     *http.ServeMux
	flat    map[string]*place // of the mux, by their paths, those without a wildcard
	hashes  hashes
	room    *semaphore.Weighted // for bodies, in bytes
	batches *semaphore.Weighted // that are being read

	strangers strangers
	refusals  refusals
}
