package wrangler

// config is wrangler.jsonc, as far as a table needs it.
// https://developers.cloudflare.com/workers/wrangler/configuration/
type config struct {
	Schema                string            `json:"$schema,omitempty"`
	Name                  string            `json:"name"`
	AccountID             string            `json:"account_id,omitempty"`
	Main                  string            `json:"main"`
	NoBundle              bool              `json:"no_bundle"`
	FindAdditionalModules bool              `json:"find_additional_modules"`
	Rules                 []rule            `json:"rules"`
	Assets                *assets           `json:"assets,omitempty"`
	CompatibilityDate     string            `json:"compatibility_date"`
	CompatibilityFlags    []string          `json:"compatibility_flags,omitempty"`
	WorkersDev            bool              `json:"workers_dev"`
	PreviewURLs           bool              `json:"preview_urls"`
	Routes                []route           `json:"routes,omitempty"`
	Vars                  map[string]string `json:"vars,omitempty"`
	Secrets               *required         `json:"secrets,omitempty"`
	VersionMetadata       *named            `json:"version_metadata,omitempty"`
	AI                    *named            `json:"ai,omitempty"`
	KV                    []namespace       `json:"kv_namespaces,omitempty"`
	R2                    []bucket          `json:"r2_buckets,omitempty"`
	Vectorize             []index           `json:"vectorize,omitempty"`
	Queues                *queues           `json:"queues,omitempty"`
	Services              []service         `json:"services,omitempty"`
	Objects               *objects          `json:"durable_objects,omitempty"`
	Migrations            []migration       `json:"migrations,omitempty"`
	Workflows             []workflow        `json:"workflows,omitempty"`
	Datasets              []dataset         `json:"analytics_engine_datasets,omitempty"`
	Triggers              triggers          `json:"triggers"`
	Limits                *limits           `json:"limits,omitempty"`
	Observability         observability     `json:"observability"`
}

// assets are the files that are answered in the Worker's place.
type assets struct {
	Directory        string   `json:"directory"`
	HTMLHandling     string   `json:"html_handling,omitempty"`
	NotFoundHandling string   `json:"not_found_handling,omitempty"`
	RunWorkerFirst   []string `json:"run_worker_first"`
}

// rule says what kind of module the files are that match; the rules below it are not asked any more.
type rule struct {
	Type        string   `json:"type"`
	Globs       []string `json:"globs"`
	Fallthrough bool     `json:"fallthrough"`
}

type route struct {
	Pattern string `json:"pattern"`
	Custom  bool   `json:"custom_domain,omitempty"`
	Zone    string `json:"zone_name,omitempty"`
}

type required struct {
	Names []string `json:"required"`
}

type named struct {
	Binding string `json:"binding"`
}

type namespace struct {
	Binding string `json:"binding"`
	ID      string `json:"id"`
}

type bucket struct {
	Binding string `json:"binding"`
	Name    string `json:"bucket_name"`
}

type index struct {
	Binding string `json:"binding"`
	Name    string `json:"index_name"`
}

type dataset struct {
	Binding string `json:"binding"`
	Name    string `json:"dataset"`
}

type queues struct {
	Producers []producer `json:"producers,omitempty"`
	Consumers []consumer `json:"consumers,omitempty"`
}

type producer struct {
	Binding string `json:"binding"`
	Queue   string `json:"queue"`
}

// consumer has times in seconds.
type consumer struct {
	Queue          string `json:"queue"`
	MaxBatchSize   int    `json:"max_batch_size"`
	MaxWait        int    `json:"max_batch_timeout"`
	MaxRetries     int    `json:"max_retries"`
	RetryDelay     int    `json:"retry_delay"`
	MaxConcurrency int    `json:"max_concurrency,omitempty"`
	DeadLetter     string `json:"dead_letter_queue,omitempty"`
}

type service struct {
	Binding string `json:"binding"`
	Service string `json:"service"`
}

type objects struct {
	Bindings []object `json:"bindings"`
}

type object struct {
	Name   string `json:"name"`
	Class  string `json:"class_name"`
	Script string `json:"script_name,omitempty"`
}

type migration struct {
	Tag     string   `json:"tag"`
	Classes []string `json:"new_sqlite_classes"`
}

type workflow struct {
	Binding string `json:"binding"`
	Name    string `json:"name"`
	Class   string `json:"class_name"`
	Script  string `json:"script_name,omitempty"`
}

// triggers is always written: without it wrangler leaves the schedules that are there.
type triggers struct {
	Crons []string `json:"crons"`
}

type limits struct {
	CPUMillis int `json:"cpu_ms"`
}

type observability struct {
	Enabled bool     `json:"enabled"`
	Logs    *sampled `json:"logs,omitempty"`
	Traces  *sampled `json:"traces,omitempty"`
}

type sampled struct {
	Enabled     bool    `json:"enabled"`
	Rate        float64 `json:"head_sampling_rate"`
	Invocations *bool   `json:"invocation_logs,omitempty"` // of logs

	Destinations []string `json:"destinations,omitempty"`
}
