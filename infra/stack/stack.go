package stack

import "time"

// Stack is everything one pool deploys. The zero value is an empty, valid stack.
type Stack struct {
	// Pool names the deployment; resource names in an account start with it.
	Pool string `json:"pool"`

	Workers    []Worker    `json:"workers"`
	Queues     []Queue     `json:"queues,omitempty"`
	Objects    []Object    `json:"objects,omitempty"`
	Workflows  []Workflow  `json:"workflows,omitempty"`
	Namespaces []Namespace `json:"kv_namespaces,omitempty"`
	Buckets    []Bucket    `json:"r2_buckets,omitempty"`
	Indexes    []Index     `json:"vectorize_indexes,omitempty"`

	Gateway       Gateway       `json:"ai_gateway,omitzero"`
	Observability Observability `json:"observability,omitzero"`

	// Domains, Routes and WorkersDev are where the public Worker answers.
	Domains    []string `json:"custom_domains,omitempty"`
	Routes     []Route  `json:"routes,omitempty"`
	WorkersDev bool     `json:"workers_dev,omitempty"`
}

// Role names a Worker and what it is for. A role is also the folder of its
// entry point below infra/workers.
type Role string

// The roles of Levada. They are separate Workers because a burst of ingestion
// must not share an isolate with a chat, because the objects are on every
// request's path and must stay small, and because the SDK of the Model Context
// Protocol is half as large as the API.
const (
	API       Role = "api"
	Consumers Role = "consumers"
	Workflows Role = "workflows"
	Objects   Role = "objects"
	MCP       Role = "mcp"
)

// Worker is one script.
type Worker struct {
	Role Role `json:"role"`

	// Package is the folder of the Worker's main package, from the module's root; infra/workers/<role> when empty.
	Package string `json:"package,omitempty"`

	// Public tells that the Worker answers requests from the internet. A stack
	// has at most one.
	Public bool `json:"public,omitempty"`

	CompatibilityDate  string   `json:"compatibility_date"`
	CompatibilityFlags []string `json:"compatibility_flags,omitempty"`

	Bindings []Binding         `json:"bindings,omitempty"`
	Vars     map[string]string `json:"vars,omitempty"`

	// Secrets are the names of the text variables that the Worker gets at deployment and that are in no file of the stack.
	Secrets []string `json:"secrets,omitempty"`

	// Assets are files that are answered in the Worker's place.
	Assets *Assets `json:"assets,omitempty"`

	// Crons are the schedules of the Worker's scheduled handler.
	Crons []string `json:"crons,omitempty"`

	// MemoryMiB is the most linear memory the Wasm module may grow to. It stays
	// below the isolate's limit, so that Go runs out of memory, which the
	// runtime recovers from, before Cloudflare ends the isolate.
	MemoryMiB int `json:"memory_mib"`

	// CPUMillis is the most CPU time of one event; 0 is the platform's default, 30 s.
	CPUMillis int `json:"cpu_ms,omitempty"`

	// BudgetKiB is the largest compressed size (gzip -9) of the module that the
	// checks accept. Cold start grows with the size.
	BudgetKiB int `json:"budget_kib"`
}

// EntryPoint is the Worker's main package, as the go command takes it.
func (w Worker) EntryPoint() string {
	if w.Package != "" {
		return "./" + w.Package
	}
	return "./infra/workers/" + string(w.Role)
}

// Kind says what a binding gives access to.
type Kind string

// The kinds of binding. Target names the resource, except for AI and Version, which have none. A GatewayID is the text
// by which calls of models name the gateway. A dataset of Analytics is made by the first that is written to it: no table has it.
const (
	KV        Kind = "kv_namespace"
	R2        Kind = "r2_bucket"
	Producer  Kind = "queue"
	Class     Kind = "durable_object_namespace"
	Flow      Kind = "workflow"
	Vectorize Kind = "vectorize"
	AI        Kind = "ai"
	Service   Kind = "service"
	GatewayID Kind = "ai_gateway"
	Version   Kind = "version_metadata"
	Analytics Kind = "analytics_engine"
)

// Binding is one name in a Worker's env.
type Binding struct {
	Name   string `json:"name"`
	Kind   Kind   `json:"type"`
	Target string `json:"target,omitempty"`
}

// Queue is a queue, and the settings of its one consumer.
type Queue struct {
	Name string `json:"name"`

	// Consumer is the Worker whose queue handler receives the batches. Only a
	// dead-letter queue may have none: it keeps its messages until they are
	// looked at and replayed.
	Consumer Role `json:"consumer,omitempty"`

	// MaxBatchSize is the most messages in one batch, 1 to 100.
	MaxBatchSize int `json:"max_batch_size,omitempty"`
	// MaxWaitTime is how long a batch waits to fill up, 0 to 60 s.
	MaxWaitTime time.Duration `json:"max_wait_time,omitempty"`
	// MaxRetries is how often a message is delivered again after it failed, 0 to 100.
	MaxRetries int `json:"max_retries"`
	// RetryDelay is the delay before a retry that names none itself, 0 to 24 h.
	RetryDelay time.Duration `json:"retry_delay,omitempty"`
	// MaxConcurrency is the most batches in flight, 1 to 250; 0 lets the platform scale.
	MaxConcurrency int `json:"max_concurrency,omitempty"`
	// Retention is how long a message waits at most before it is lost, 60 s to 14 days; 0 is the platform's default, 4 days.
	Retention time.Duration `json:"message_retention_period,omitempty"`
	// DeadLetter is the queue that gets a message whose retries are used up.
	DeadLetter string `json:"dead_letter_queue,omitempty"`
}

// Object is a Durable Object class with SQLite storage.
type Object struct {
	Class string `json:"class_name"`
	Role  Role   `json:"role"`
}

// Workflow is a Workflow class.
type Workflow struct {
	Name  string `json:"name"`
	Class string `json:"class_name"`
	Role  Role   `json:"role"`
}

// Namespace is a KV namespace.
type Namespace struct {
	Name string `json:"name"`
}

// Bucket is an R2 bucket.
type Bucket struct {
	Name string `json:"name"`
}

// Index is a Vectorize index. Its dimensions and metric cannot change, so an
// embedding model has an index of its own.
type Index struct {
	Name       string     `json:"name"`
	Model      string     `json:"model"`
	Dimensions int        `json:"dimensions"`
	Metric     string     `json:"metric"`
	Metadata   []Property `json:"metadata_indexes,omitempty"`
}

// Property is a metadata index: only vectors inserted after it was created can
// be filtered by it, so it is part of the table from the start.
type Property struct {
	Name string `json:"propertyName"`
	Type string `json:"indexType"` // string, number or boolean
}

// Gateway is the AI Gateway that all calls of models go through.
type Gateway struct {
	Name  string  `json:"id"`
	Spend []Spend `json:"spend_limits,omitempty"`
}

// Spend stops a tenant's calls of models when they cost more. It is what is left when the exact budgets fail: the
// gateway counts behind the calls, and rounds.
type Spend struct {
	Tenant string        `json:"tenant,omitempty"` // each of the pool's for itself when empty
	USD    int64         `json:"limit"`
	Window time.Duration `json:"window"`
}

// Observability is which part of the events is logged and traced, in percent, by the platform and by the Workers themselves (VarsOf), and the destinations of the account that
// what the platform keeps is exported to by OTLP, if any.
type Observability struct {
	Logs     int    `json:"logs,omitempty"`
	Traces   int    `json:"traces,omitempty"`
	LogsTo   string `json:"logsTo,omitempty"`
	TracesTo string `json:"tracesTo,omitempty"`
}

// Route is a pattern of URLs in a zone.
type Route struct {
	Pattern string `json:"pattern"`
	Zone    string `json:"zone_name"`
}

// Worker returns the Worker of a role.
func (s *Stack) Worker(role Role) (Worker, bool) {
	for _, w := range s.Workers {
		if w.Role == role {
			return w, true
		}
	}
	return Worker{}, false
}

// ObjectsOf returns the Durable Object classes that a Worker exports.
func (s *Stack) ObjectsOf(role Role) []Object {
	return filter(s.Objects, func(o Object) bool { return o.Role == role })
}

// WorkflowsOf returns the Workflow classes that a Worker exports.
func (s *Stack) WorkflowsOf(role Role) []Workflow {
	return filter(s.Workflows, func(w Workflow) bool { return w.Role == role })
}

// Attempts is how often a message is delivered at most, by queue: its retries and one.
func (s *Stack) Attempts() map[string]int {
	attempts := make(map[string]int, len(s.Queues))
	for _, q := range s.Queues {
		attempts[q.Name] = q.MaxRetries + 1
	}
	return attempts
}

func filter[T any](all []T, keep func(T) bool) []T {
	var kept []T
	for _, x := range all {
		if keep(x) {
			kept = append(kept, x)
		}
	}
	return kept
}
