package stack

import "time"

// CompatibilityDate is the day whose behaviour of the runtime the Workers were
// written and tested against.
// https://developers.cloudflare.com/workers/configuration/compatibility-dates/
const CompatibilityDate = "2026-11-01"

// compatibilityFlags are what the shared Go instance needs: AsyncLocalStorage
// tells the context of a callback, and the request's signal tells that the
// client has left.
var compatibilityFlags = []string{"nodejs_als", "enable_request_signal"}

// Embedding models and the bindings of their indexes.
const (
	ModelBGEM3    = "@cf/baai/bge-m3"
	ModelBGEBase  = "@cf/baai/bge-base-en-v1.5"
	ModelBGESmall = "@cf/baai/bge-small-en-v1.5"
)

// deadLetter is the suffix of the name of a dead-letter queue.
const deadLetter = "-dlq"

// Levada returns the table of one pool: what this project deploys.
func Levada(pool string) Stack {
	return Stack{
		Pool:       pool,
		Workers:    levadaWorkers(),
		Queues:     levadaQueues(),
		Objects:    []Object{{Class: "Ledger", Role: Objects}, {Class: "Audit", Role: Objects}},
		Namespaces: []Namespace{{Name: "config"}},
		Buckets:    []Bucket{{Name: "corpus"}},
		Indexes: []Index{
			levadaIndex("bge-m3", ModelBGEM3, 1024),
			levadaIndex("bge-base", ModelBGEBase, 768),
			levadaIndex("bge-small", ModelBGESmall, 384),
		},
	}
}

func levadaWorkers() []Worker {
	bindings := []Binding{
		{Name: "CONFIG", Kind: KV, Target: "config"},
		{Name: "CORPUS", Kind: R2, Target: "corpus"},
		{Name: "LEDGER", Kind: Class, Target: "Ledger"},
		{Name: "AUDIT", Kind: Class, Target: "Audit"},
		{Name: "INGEST", Kind: Producer, Target: "ingest"},
		{Name: "EMBED", Kind: Producer, Target: "embed"},
		{Name: "INDEX", Kind: Producer, Target: "index"},
		{Name: "AUDIT_QUEUE", Kind: Producer, Target: "audit"},
		{Name: "AI", Kind: AI},
		{Name: "VECTORS_BGE_M3", Kind: Vectorize, Target: "bge-m3"},
		{Name: "VECTORS_BGE_BASE", Kind: Vectorize, Target: "bge-base"},
		{Name: "VECTORS_BGE_SMALL", Kind: Vectorize, Target: "bge-small"},
	}
	return []Worker{
		levadaWorker(API, bindings),
		levadaWorker(Consumers, bindings),
		levadaWorker(Workflows, bindings),
		levadaWorker(Objects, []Binding{{Name: "AUDIT_QUEUE", Kind: Producer, Target: "audit"}}),
	}
}

// levadaWorker is a Worker with what all roles have in common. 96 MiB of linear
// memory leave a quarter of the isolate's 128 MB to V8 and the streams.
func levadaWorker(role Role, bindings []Binding) Worker {
	return Worker{
		Role:               role,
		Public:             role == API,
		CompatibilityDate:  CompatibilityDate,
		CompatibilityFlags: compatibilityFlags,
		Bindings:           bindings,
		MemoryMiB:          96,
		BudgetKiB:          4096,
	}
}

// levadaQueues are the stages of the pipeline, each with a dead-letter queue.
// Batches are small where a message is much work and full where the work is
// gathered: a Vectorize job counts mutations, not vectors.
func levadaQueues() []Queue {
	stages := []Queue{
		{Name: "ingest", MaxBatchSize: 10, MaxConcurrency: 10},
		{Name: "embed", MaxBatchSize: 20, MaxConcurrency: 10},
		{Name: "index", MaxBatchSize: 100, MaxConcurrency: 5},
		{Name: "audit", MaxBatchSize: 100, MaxConcurrency: 2},
	}
	var queues []Queue
	for _, q := range stages {
		q.Consumer = Consumers
		q.MaxWaitTime = 5 * time.Second
		q.MaxRetries = 3
		q.RetryDelay = 2 * time.Second
		q.DeadLetter = q.Name + deadLetter
		queues = append(queues, q, Queue{Name: q.DeadLetter})
	}
	return queues
}

func levadaIndex(name, model string, dimensions int) Index {
	return Index{
		Name: name, Model: model, Dimensions: dimensions, Metric: "cosine",
		Metadata: []Property{
			{Name: "docId", Type: "string"},
			{Name: "source", Type: "string"},
			{Name: "generation", Type: "number"},
		},
	}
}
