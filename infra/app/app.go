package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"levada.dev/consumers"
	"levada.dev/consumers/audit"
	"levada.dev/consumers/chunk"
	"levada.dev/consumers/embed"
	"levada.dev/consumers/erase"
	eraser "levada.dev/consumers/erasure"
	"levada.dev/consumers/fetch"
	reacts "levada.dev/consumers/imports"
	"levada.dev/consumers/index"
	"levada.dev/consumers/notify"
	mover "levada.dev/consumers/reembed"
	"levada.dev/consumers/speak"
	bringer "levada.dev/consumers/transfer"
	"levada.dev/events"
	"levada.dev/events/meter"
	"levada.dev/events/meter/alert"
	"levada.dev/events/watch"
	"levada.dev/infra/stack"
	"levada.dev/producers/intake"
	"levada.dev/producers/sync"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/tenants/seal"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/chat"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/audio"
	"levada.dev/workflows/speech/narrate"
	"levada.dev/workflows/speech/record"
	"levada.dev/workflows/tools/keep"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/transfer"
)

// Ports is everything the platform needs of its surroundings. Every role uses some of it.
type Ports struct {
	Directory   tenants.Directory
	Secrets     tenants.Secrets
	Texts       corpus.Texts
	Fetcher     corpus.Fetcher
	Ledger      corpus.Ledger
	Catalogue   corpus.Catalogue
	Imports     imports.Ledger
	Erasures    erasure.Ledger
	Moves       reembed.Ledger
	Transfers   Transfers
	Account     transfer.Account // the ledger of money, as it is told what was used in another pool
	Seal        seal.Key         // of what is kept of secrets
	Objects     erasure.Store    // all that R2 keeps of a tenant
	Cached      erasure.Store    // all that KV keeps of a tenant
	Parts       imports.Parts
	Files       imports.Files
	Runs        flow.Runs
	Witness     corpus.Witness
	Vectors     corpus.Vectors
	Lexicon     Lexicon
	Embedder    llm.Embedder       // the bare one: who calls it here pays
	Reranker    llm.Reranker       // the bare one
	Synthesizer speech.Synthesizer // the bare one
	Model       llm.Model
	Money       Money
	Bar         erasure.Gate // the ledger of money, as an erasure sees it
	Sessions    Sessions
	Summaries   chat.Summaries
	Shelf       chat.Shelf
	Cache       cache.Store
	Publisher   events.Publisher
	Claims      events.Claims
	Trail       Trail
	Letters     Letters
	Calls       Calls
	Speech      Speech
	Sounds      speech.Sounds
	Meters      Meters
	Outside     web.Do // to the servers of tenants' tools and webhooks; follows no redirect. nil: tenants have no tools of their own, and nobody is told
	Unread      letters.Pile
	MCP         Protocol
}

// Protocol speaks the Model Context Protocol, as package api has it.
type Protocol interface {
	Serve(w http.ResponseWriter, r *http.Request, back http.Handler) error
}

// Trail is all that the audit trails of the tenants do.
type Trail interface {
	audit.Trail
	trail.Reader
}

// Letters is all that the box of a tenant's dead letters does.
type Letters interface {
	letters.Box
	letters.Receipts
	letters.Forgetter
	erasure.Letters
}

// Calls is all that is done with calls of tools that have a key.
type Calls interface {
	keep.Calls
	erasure.Clearer
}

// Speech is all that is done with jobs that speak.
type Speech interface {
	speech.Desk
	speech.Booth
	speech.Closer
	erasure.Clearer
}

// Meters is all that is done with what is counted for a tenant, and with the rules by which it is told of that.
type Meters interface {
	meter.Meters
	alert.Rules
	erasure.Gate
	erasure.Clearer
}

// Lexicon is all that the lexical index does.
type Lexicon interface {
	corpus.Lexicon
	erasure.Lexicon
}

// Transfers is the ledger, as moving a tenant to another pool sees it.
type Transfers interface {
	transfer.Stock
	transfer.Ledger
}

// Sessions is all that conversations do.
type Sessions interface {
	chat.Sessions
	chat.Parcels
}

// Money is the ledger of money, as requests and a move see it.
type Money interface {
	quota.Ledger
	transfer.Turns
}

// Options says which build runs where.
type Options struct {
	Version     string
	VersionID   string // of the deployed Worker
	Environment string
	Log         *slog.Logger
	Watch       *watch.Watch     // nil: each role has its own, which writes the lines of the log alone
	Now         func() time.Time // default time.Now
	MaxAttempts map[string]int   // by queue: its retries and one

	MaxBodyBytes int64 // how many bytes of bodies the API has room for at a time

	SpeechFormats []audio.Format // that the platform's voices give; nil: whatever a model gives

	// Background runs f beside an event, which stays open until f returns: isolate.Go on Workers. Default: a goroutine.
	Background func(ctx context.Context, f func(context.Context)) error
}

// Gate is the one way to the tenants' money in an isolate.
func (o *Options) Gate(p Ports) quota.Gate {
	return quota.NewGate(p.Money, func(ctx context.Context, s tenants.Scope) (quota.Limits, error) {
		c, err := p.Directory.Config(ctx, s.Tenant())
		if err != nil {
			return quota.Limits{}, err
		}
		return quota.LimitsOf(c), nil
	}, &quota.Options{Now: o.Now, Background: o.Background})
}

// production is what api.Production calls the environment. That package is not imported here: see front.
const production = "prod"

// Private reports whether documents may come from private networks in an environment, and tools call them, where a tenant's config says so. In
// production they never do, and neither where nobody has said what a deployment is for.
func Private(environment string) bool {
	return environment != "" && environment != production
}

// Logger is where the platform writes to.
func (o *Options) Logger() *slog.Logger {
	if o.Log == nil {
		return slog.Default()
	}
	return o.Log
}

// roomBytes is what the consumers' handlers may take together of an instance's 96 MiB. The rest is the program's, that of messages that
// wait, and what lies between. A large document takes as much alone.
const roomBytes = 40 << 20

// longestDelays is, by queue, how long a message waits at most before it is tried again, where it is not the usual few minutes: a tenant's server that is told of
// something may be down for hours, and with its attempts that makes half a day.
func longestDelays() map[string]time.Duration {
	return map[string]time.Duration{string(events.StageNotify): 3 * time.Hour}
}

// Recorder makes takes, and pays. Its parts have a room of their own, unless it is given one that it shares (record.Within).
func Recorder(p Ports, gate quota.Gate) *record.Recorder {
	return record.New(record.Ports{
		Booth: p.Speech, Sounds: p.Sounds, Synthesizer: speech.NewPaid(p.Synthesizer, gate), Directory: p.Directory,
	})
}

// Narrate is the flow that speaks long texts.
func Narrate(p Ports, o Options) flow.Flow {
	return o.watched(narrate.Kind, narrate.New(Recorder(p, o.Gate(p))).Flow)
}

// watched has the steps of a flow noticed.
func (o *Options) watched(k flow.Kind, f flow.Flow) flow.Flow {
	w := o.Watch
	if w == nil {
		w = watch.New("workflows", &watch.Options{Log: o.Log, Now: o.Now})
	}
	return flow.Watched(w, k, f)
}

// Consumers is the role that reacts to the queues.
func Consumers(p Ports, o Options) *consumers.Router {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	stores := corpus.Stores{Texts: p.Texts, Vectors: p.Vectors, Lexicon: p.Lexicon}
	room, gate := consumers.NewRoom(roomBytes), o.Gate(p)
	routes := []consumers.Route{
		fetch.New(p.Texts, p.Ledger, p.Fetcher, p.Publisher, now).Within(room).Route(),
		chunk.New(p.Texts, p.Ledger, p.Publisher, now).Within(room).Route(),
		embed.New(llm.NewPaidEmbedder(p.Embedder, gate), stores, p.Ledger, p.Publisher, now).Route(),
		index.New(stores, p.Ledger, p.Publisher, now).Route(),
		audit.New(p.Trail).Route(),
		eraser.New(p.Runs).Route(),
		mover.New(p.Runs).Route(),
		bringer.New(p.Runs).Route(),
		speak.New(Recorder(p, gate).Within(room.Enter), p.Runs).Route(),
	}
	routes = append(routes, erase.New(stores, p.Ledger, Home(p)).Routes()...)
	routes = append(routes, reacts.New(p.Runs).Routes()...)
	if p.Outside != nil {
		told := notify.Ports{Directory: p.Directory, Secrets: p.Secrets, Do: p.Outside}
		routes = append(routes, notify.New(told, &notify.Options{Private: Private(o.Environment), Now: now, Log: o.Log}).Routes()...)
	}
	return consumers.New(routes, p.Claims, consumers.NewUndertaker(p.Ledger, stores, p.Letters, p.Unread).With(p.Speech),
		&consumers.Options{MaxAttempts: o.MaxAttempts, MaxDelays: longestDelays(), DeadAttempts: o.MaxAttempts["ingest"+stack.DeadLetter], Log: o.Log, Watch: o.Watch, Now: now, Room: room})
}

// Import is the flow that feeds imports.
func Import(p Ports, o Options) flow.Flow {
	return o.watched(imports.Kind, imports.New(imports.Ports{
		Ledger: p.Imports, Jobs: p.Ledger, Parts: p.Parts, Texts: p.Texts, Files: p.Files, Fetcher: p.Fetcher, Directory: p.Directory,
		Preparer: intake.New(p.Texts, p.Ledger, nil),
	}).Flow)
}

// Erasure is the flow that erases a tenant. It waits for the stores to settle as long as is said; 0 is as long as production's take.
func Erasure(p Ports, o Options, settle time.Duration) flow.Flow {
	return o.watched(erasure.Kind, erasure.New(erasure.Ports{
		Settle: settle,
		Ledger: p.Erasures, Catalogue: p.Catalogue, Shelf: p.Shelf, Sessions: p.Sessions, Gate: erasure.Gates{p.Bar, p.Meters},
		Stores: []erasure.Store{p.Objects, p.Cached, erasure.NewVectors(p.Vectors), erasure.NewLexicon(p.Lexicon), erasure.NewLetters(p.Letters), erasure.NewCalls(p.Calls), erasure.NewSpeech(p.Speech), erasure.NewMeters(p.Meters)},
	}).Flow)
}

// Reembed is the flow that changes a tenant's embedding model.
func Reembed(p Ports, o Options) flow.Flow {
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return o.watched(reembed.Kind, reembed.New(reembed.Ports{
		Ledger: p.Moves, Documents: p.Ledger, Stores: corpus.Stores{Texts: p.Texts, Vectors: p.Vectors, Lexicon: p.Lexicon},
		Embedder: llm.NewPaidEmbedder(p.Embedder, o.Gate(p)),
	}, now).Flow)
}

// Transfer is the flow that brings a tenant here from another pool, which it asks by do. A last run waits as long as is said for who was let in at
// the source before it stood still; 0 is as long as in production.
func Transfer(p Ports, o Options, do transfer.Do, settle time.Duration) flow.Flow {
	return o.watched(transfer.Kind, transfer.New(transfer.Ports{
		Ledger: p.Transfers, Stock: p.Transfers, Jobs: p.Ledger, Imports: p.Imports, Parts: p.Parts, Catalogue: p.Catalogue, Account: p.Account, Directory: p.Directory,
		Shelf: p.Shelf, Parcels: p.Sessions, Do: do, Open: p.Seal.Open, Settle: settle,
	}, Private(o.Environment)).Flow)
}

// Syncer opens the imports of the pool's sources when their time has come.
func Syncer(pool sync.Pool, p Ports, o Options) *sync.Syncer {
	return sync.New(pool, p.Imports, o.Logger())
}

// Stage is the stage of a queue by the queue's name, which in an account begins with the pool, and whether it is the
// stage's dead-letter queue: "shared-ingest-dlq" is "ingest", true.
func Stage(queue string) (stage string, dead bool) {
	stage, dead = strings.CutSuffix(queue, stack.DeadLetter)
	return stage[strings.LastIndexByte(stage, '-')+1:], dead
}
