package stack

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/infra/glue"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/book"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/imports"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed"
	"levada.dev/workflows/speech"
	"levada.dev/workflows/speech/narrate"
	"levada.dev/workflows/transfer"
)

// CompatibilityDate is the day whose behaviour of the runtime the Workers were
// written and tested against.
// https://developers.cloudflare.com/workers/configuration/compatibility-dates/
const CompatibilityDate = glue.CompatibilityDate

// DeadLetter is how the name of a dead-letter queue ends.
const DeadLetter = "-dlq"

// Levada returns the table of one pool: what this project deploys.
func Levada(p Pool) Stack {
	return Stack{
		Pool:          p.Name,
		Workers:       levadaWorkers(p.Env, p.Analytics),
		Queues:        levadaQueues(),
		Objects:       levadaObjects(),
		Workflows:     levadaWorkflows(),
		Namespaces:    []Namespace{{Name: "config"}, {Name: "cache"}},
		Buckets:       []Bucket{{Name: "corpus"}},
		Indexes:       levadaIndexes(p.Filterable),
		Gateway:       Gateway{Name: GatewayName, Spend: p.spend()},
		Observability: Observability{Logs: 100, Traces: 10},
		Domains:       p.Domains,
		Routes:        p.Routes,
		WorkersDev:    p.WorkersDev,
	}
}

// GatewayName is the AI Gateway of a pool.
const GatewayName = "levada"

// levadaObjects are the classes of Durable Objects, all in the Worker of their own role.
func levadaObjects() []Object {
	var objects []Object
	for _, class := range []string{"Ledger", "Audit", "Quota", "Session", "Shelf", "Letters", "Calls", "Lexicon", "Speech", "Meters"} {
		objects = append(objects, Object{Class: class, Role: Objects})
	}
	return objects
}

// levadaWorkflows are the classes of Workflows.
func levadaWorkflows() []Workflow {
	return []Workflow{
		{Name: string(imports.Kind), Class: "Import", Role: Workflows},
		{Name: string(erasure.Kind), Class: "Erasure", Role: Workflows},
		{Name: string(reembed.Kind), Class: "Reembed", Role: Workflows},
		{Name: string(transfer.Kind), Class: "Transfer", Role: Workflows},
		{Name: string(narrate.Kind), Class: "Narrate", Role: Workflows},
	}
}

func levadaWorkers(env string, analytics bool) []Worker {
	var (
		config  = Binding{Name: "CONFIG", Kind: KV, Target: "config"}
		cache   = Binding{Name: "CACHE", Kind: KV, Target: "cache"}
		corpus  = Binding{Name: "CORPUS", Kind: R2, Target: "corpus"}
		ingest  = Binding{Name: "INGEST", Kind: Producer, Target: "ingest"}
		audits  = Binding{Name: "AUDIT_QUEUE", Kind: Producer, Target: "audit"}
		ledger  = Binding{Name: "LEDGER", Kind: Class, Target: "Ledger"}
		audit   = Binding{Name: "AUDIT", Kind: Class, Target: "Audit"}
		quota   = Binding{Name: "QUOTA", Kind: Class, Target: "Quota"}
		session = Binding{Name: "SESSION", Kind: Class, Target: "Session"}
		shelf   = Binding{Name: "SHELF", Kind: Class, Target: "Shelf"}
		letters = Binding{Name: "LETTERS", Kind: Class, Target: "Letters"}
		calls   = Binding{Name: "CALLS", Kind: Class, Target: "Calls"}
		lexicon = Binding{Name: "LEXICON", Kind: Class, Target: "Lexicon"}
		speech  = Binding{Name: "SPEECH", Kind: Class, Target: "Speech"}
		meters  = Binding{Name: "METERS", Kind: Class, Target: "Meters"}
		imports = Binding{Name: "IMPORT", Kind: Flow, Target: string(imports.Kind)}
		erasure = Binding{Name: "ERASURE", Kind: Flow, Target: string(erasure.Kind)}
		reembed = Binding{Name: "REEMBED", Kind: Flow, Target: string(reembed.Kind)}
		moves   = Binding{Name: "TRANSFER", Kind: Flow, Target: string(transfer.Kind)}
		speaks  = Binding{Name: "NARRATE", Kind: Flow, Target: string(narrate.Kind)}
	)
	queues := []Binding{
		{Name: "FETCH", Kind: Producer, Target: "fetch"}, ingest, {Name: "EMBED", Kind: Producer, Target: "embed"}, {Name: "INDEX", Kind: Producer, Target: "index"},
		{Name: "SPEECH_QUEUE", Kind: Producer, Target: "speech"}, {Name: "NOTIFY", Kind: Producer, Target: "notify"}, audits,
	}
	models := []Binding{{Name: "AI", Kind: AI}, {Name: "GATEWAY", Kind: GatewayID, Target: GatewayName}}
	for _, m := range llm.EmbeddingModels() {
		models = append(models, Binding{Name: VectorsBinding(m.Slug), Kind: Vectorize, Target: m.Slug})
	}
	behind := []Binding{config, corpus, ledger, audit, quota, letters, lexicon, speech, meters} // what the roles behind the API have
	consumers := levadaWorker(Consumers, 4250, behind, queues, models, []Binding{imports, erasure, reembed, moves, speaks})
	consumers.CPUMillis = maxCPUMillis    // a batch may hold many large documents
	consumers.Secrets = []string{SealKey} // opens the secrets that sign what tenants' servers are told
	flows := levadaWorker(Workflows, 3250, behind, queues, models, []Binding{cache, session, shelf, calls})
	flows.Crons = []string{SyncCron}
	flows.CPUMillis = maxCPUMillis    // a step takes hundreds of documents in
	flows.Secrets = []string{SealKey} // opens the keys of pools that tenants come from
	api := levadaWorker(API, 5000, []Binding{config, cache, corpus, ledger, audit, audits, quota, session, shelf, letters, calls, lexicon, speech, meters, {Name: MCPBinding, Kind: Service, Target: string(MCP)}, {Name: VersionBinding, Kind: Version}}, models)
	api.Secrets = []string{SealKey}
	api.Assets = &Assets{Folder: "infra/console", Path: consolePath, HTMLHandling: "auto-trailing-slash", NotFoundHandling: "404-page"}
	workers := []Worker{
		api,
		consumers,
		flows,
		levadaWorker(Objects, 3200, []Binding{corpus, shelf}, queues),
		levadaWorker(MCP, 4000), // without a binding: what it has to know it asks the API within the API's own request
	}
	for i := range workers {
		if analytics && workers[i].counts() {
			workers[i].Bindings = append(workers[i].Bindings, Binding{Name: AnalyticsBinding, Kind: Analytics, Target: "levada_meters"})
		}
	}
	if env != "" {
		for i := range workers {
			workers[i].Vars = map[string]string{"ENVIRONMENT": env}
		}
	}
	return workers
}

// counts reports whether the Worker reaches what is counted: the class Meters.
func (w Worker) counts() bool {
	return slices.ContainsFunc(w.Bindings, func(b Binding) bool { return b.Kind == Class && b.Target == "Meters" })
}

// TracesVar tells a Worker that counts how many of a hundred traces that begin in it are kept.
const TracesVar = "TRACES"

// VarsOf are the text variables that a Worker is deployed with: its own, and where it counts TracesVar.
func (s *Stack) VarsOf(w Worker) map[string]string {
	vars := maps.Clone(w.Vars)
	if w.counts() {
		if vars == nil {
			vars = map[string]string{}
		}
		vars[TracesVar] = strconv.Itoa(s.Observability.Traces)
	}
	return vars
}

// VersionBinding tells the public Worker which version of itself it is.
const VersionBinding = "VERSION_METADATA"

// AnalyticsBinding is where the Workers that count find the dataset of Analytics Engine, if there is one.
const AnalyticsBinding = "ANALYTICS"

// consolePath is where the public Worker's console is.
const consolePath = "/console/"

// MCPBinding is where the public Worker finds the one that speaks the Model Context Protocol.
const MCPBinding = "MCP"

// SyncCron is when it is looked which sources are due.
const SyncCron = "*/5 * * * *"

// SealKey is the secret that opens the tenants' secrets, which are published sealed: package tenants/seal.
const SealKey = "SEAL_KEY"

// VectorsBinding is the name under which a Worker finds the index of an embedding model: "VECTORS_BGE_M3".
func VectorsBinding(slug string) string {
	return "VECTORS_" + strings.ToUpper(strings.ReplaceAll(slug, "-", "_"))
}

// levadaWorker is a Worker with what all roles have in common. 96 MiB of linear
// memory leave a quarter of the isolate's 128 MB to V8 and the streams. A budget
// is the measured size (levada build) and about 15 % for what a change may add
// before somebody has to look.
func levadaWorker(role Role, budgetKiB int, bindings ...[]Binding) Worker {
	return Worker{
		Role:               role,
		Public:             role == API,
		CompatibilityDate:  CompatibilityDate,
		CompatibilityFlags: glue.CompatibilityFlags(),
		Bindings:           slices.Concat(bindings...),
		MemoryMiB:          96,
		BudgetKiB:          budgetKiB,
	}
}

// awayRetries are four to five minutes, after which a document fails and its letter waits for somebody: a store or a model that is away for a
// minute or two needs nobody. A message that kills whoever handles it does so as often.
const awayRetries = 7

// levadaQueues are the stages of the pipeline, each with a dead-letter queue.
// Batches are small where a message is much work and full where the work is
// gathered: a Vectorize job counts mutations, not vectors, and 64 slices of 16
// chunks are the 1,000 vectors that one write takes.
//
// All batches in flight may meet in one isolate. A message is up to 128 KB, and
// several times that while it is handled, so batch times concurrency is so small
// that a document of many megabytes does not use up the memory: the instance's
// death would cost the messages of every tenant an attempt. The chunker takes one
// document of a batch after the other, so its batches may be large.
//
// What is fetched waits for servers, and a batch ends with its last message: so each is a batch, as many are at work as four tenants may have, and
// a server that does not answer holds up none but its own document. The price is that of an invocation for each. With what is spoken it is the same,
// where the time goes to the model.
func levadaQueues() []Queue {
	stages := []Queue{
		{Name: "fetch", MaxBatchSize: 1, MaxConcurrency: 4 * book.MaxFetches},
		{Name: "ingest", MaxBatchSize: 50, MaxConcurrency: 2, MaxRetries: awayRetries},
		{Name: "embed", MaxBatchSize: 12, MaxConcurrency: 4, MaxRetries: awayRetries},
		{Name: "index", MaxBatchSize: 64, MaxConcurrency: 2, MaxRetries: awayRetries},
		{Name: "speech", MaxBatchSize: 1, MaxConcurrency: 2 * speech.MaxMaking, MaxRetries: 10}, // a quarter of an hour: a model may be away for some minutes
		{Name: "notify", MaxBatchSize: 10, MaxConcurrency: 4, MaxRetries: 16},                   // half a day, for a server that is down: package app has the pauses, and package notify what a slow one may hold up
		{Name: "audit", MaxBatchSize: 100, MaxConcurrency: 2, MaxRetries: 12},                   // half an hour: what waits for a trail has nobody who would send it again
	}
	var queues []Queue
	for _, q := range stages {
		q.Consumer = cmp.Or(q.Consumer, Consumers)
		q.MaxWaitTime = time.Second // the price of a queue is by message, not by batch
		q.MaxRetries = cmp.Or(q.MaxRetries, 3)
		q.RetryDelay = 2 * time.Second
		q.DeadLetter = q.Name + DeadLetter
		q.Retention = maxKeepSeconds * time.Second // nothing is lost while somebody mends what it waits for
		dead := Queue{
			Name: q.DeadLetter, Consumer: Consumers, Retention: q.Retention,
			MaxBatchSize: 10, MaxWaitTime: 5 * time.Second, MaxConcurrency: 1,
			MaxRetries: maxRetries, RetryDelay: time.Minute, // there is nowhere to go from here
		}
		queues = append(queues, q, dead)
	}
	return queues
}

// levadaIndexes is an index for each embedding model. Searches may filter on the document, its source and the metadata
// fields that tenants named.
func levadaIndexes(filterable map[string]tenants.FieldType) []Index {
	properties := []Property{{Name: "docId", Type: "string"}, {Name: "source", Type: "string"}}
	for _, field := range slices.Sorted(maps.Keys(filterable)) {
		properties = append(properties, Property{Name: "meta." + field, Type: string(filterable[field])})
	}
	var indexes []Index
	for _, m := range llm.EmbeddingModels() {
		indexes = append(indexes, Index{
			Name: m.Slug, Model: m.Name, Dimensions: m.Dimensions, Metric: "cosine", Metadata: properties,
		})
	}
	return indexes
}
