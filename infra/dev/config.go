package dev

import (
	"fmt"
	"path/filepath"
	"time"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// The types below are Miniflare's options, as far as the platform uses them, and the few things platform.mjs adds to
// them: it reads the modules of each Worker from its folder.
type config struct {
	Persist string         `json:"persist"`
	Port    int            `json:"port"` // of the public Worker; 0 for a free one
	Public  string         `json:"public"`
	Workers []workerConfig `json:"workers"`
}

type workerConfig struct {
	Name               string                    `json:"name"`
	Dir                string                    `json:"dir,omitempty"` // worker.mjs and everything below; none of a Worker that is files alone
	Main               string                    `json:"main,omitempty"`
	Metered            bool                      `json:"metered,omitempty"` // has the entrypoint that platform.mjs adds
	CompatibilityDate  string                    `json:"compatibilityDate"`
	CompatibilityFlags []string                  `json:"compatibilityFlags,omitempty"`
	VersionMetadata    string                    `json:"versionMetadata,omitempty"`
	Bindings           map[string]any            `json:"bindings,omitempty"`
	KVNamespaces       map[string]string         `json:"kvNamespaces,omitempty"`
	R2Buckets          map[string]string         `json:"r2Buckets,omitempty"`
	DurableObjects     map[string]objectConfig   `json:"durableObjects,omitempty"`
	ServiceBindings    map[string]serviceConfig  `json:"serviceBindings,omitempty"`
	Workflows          map[string]workflowConfig `json:"workflows,omitempty"`
	Datasets           map[string]datasetConfig  `json:"analyticsEngineDatasets,omitempty"`
	AssetsPath         string                    `json:"assetsPath,omitempty"` // what is below it is answered by assetsBinding
	Assets             *assetsConfig             `json:"assets,omitempty"`
	DirectSockets      []map[string]any          `json:"unsafeDirectSockets,omitempty"`
}

type objectConfig struct {
	ClassName  string `json:"className"`
	ScriptName string `json:"scriptName,omitempty"`
	UseSQLite  bool   `json:"useSQLite"`
	Stay       bool   `json:"unsafePreventEviction,omitempty"` // in memory while the platform runs
}

type serviceConfig struct {
	Name       string            `json:"name,omitempty"`
	Entrypoint string            `json:"entrypoint,omitempty"`
	Props      map[string]string `json:"props,omitempty"`
	External   *externalConfig   `json:"external,omitempty"`
}

type externalConfig struct {
	Address string   `json:"address"`
	HTTP    struct{} `json:"http"`
}

type datasetConfig struct {
	Dataset string `json:"dataset"`
}

type workflowConfig struct {
	Name       string `json:"name"`
	ClassName  string `json:"className"`
	ScriptName string `json:"scriptName,omitempty"`
}

// assetsConfig are the files that Cloudflare's own program for them serves.
type assetsConfig struct {
	Directory string            `json:"directory"`
	Config    map[string]string `json:"assetConfig"`
}

// Names of the Workers that stand in for parts of Cloudflare.
const (
	standinsWorker = "standins"
	brokerWorker   = "broker"
	controlWorker  = "control"
	assetsWorker   = "assets"
)

// assetsBinding is where the public Worker's entry module finds its files. Miniflare would put two Workers of its own in front of it, which
// cost a request of the API half a millisecond and two of three that it answers in a second; this way none notices.
const assetsBinding = "LOCAL_ASSETS"

// site is where the parts of a platform are on this machine.
type site struct {
	build, state    string // folders
	standins        string // folder of the stand-ins' modules
	broker, control string // folders of the modules of the queues
	ai, vectors     string // addresses of the stand-ins' servers
	port            int
	vars            map[string]string // for every Worker
	secrets         map[string]string // for those that name them
	waitDivisor     int
	retryDivisor    int
}

// configure translates the stack's table into Miniflare's terms.
func configure(s stack.Stack, at site) (config, error) {
	c := config{Persist: filepath.Join(at.state, "workerd"), Port: at.port}
	for _, w := range s.Workers {
		worker, err := configureWorker(s, w, at)
		if err != nil {
			return config{}, err
		}
		if w.Public {
			c.Public = worker.Name
		}
		if w.Assets != nil {
			worker.AssetsPath = w.Assets.Path
			worker.ServiceBindings[assetsBinding] = serviceConfig{Name: assetsWorker}
			c.Workers = append(c.Workers, configureAssets(w, at))
		}
		c.Workers = append(c.Workers, worker)
	}
	c.Workers = append(c.Workers, configureBroker(s, at), configureControl(s, at), workerConfig{
		Name: standinsWorker, Dir: at.standins, Main: "standins.mjs", CompatibilityDate: stack.CompatibilityDate,
		ServiceBindings: map[string]serviceConfig{
			"LOCALAI":  {External: &externalConfig{Address: at.ai}},
			"LOCALVEC": {External: &externalConfig{Address: at.vectors}},
		},
		Bindings: map[string]any{"LOCALVEC_ADDRESS": at.vectors},
	})
	return c, nil
}

// configureAssets is a Worker that is nothing but files.
func configureAssets(w stack.Worker, at site) workerConfig {
	return workerConfig{
		Name: assetsWorker, CompatibilityDate: stack.CompatibilityDate,
		Assets: &assetsConfig{Directory: build.AssetsDir(at.build, w.Role), Config: map[string]string{
			"html_handling": w.Assets.HTMLHandling, "not_found_handling": w.Assets.NotFoundHandling,
		}},
	}
}

func configureWorker(s stack.Stack, w stack.Worker, at site) (workerConfig, error) {
	c := workerConfig{
		Name: string(w.Role), Dir: filepath.Join(at.build, string(w.Role)), Main: "worker.mjs", Metered: true,
		CompatibilityDate: w.CompatibilityDate, CompatibilityFlags: w.CompatibilityFlags,
		Bindings: map[string]any{}, KVNamespaces: map[string]string{}, R2Buckets: map[string]string{},
		DurableObjects: map[string]objectConfig{}, ServiceBindings: map[string]serviceConfig{}, Workflows: map[string]workflowConfig{},
	}
	for name, value := range at.vars {
		c.Bindings[name] = value
	}
	for name, value := range w.Vars {
		c.Bindings[name] = value
	}
	for _, name := range w.Secrets {
		if value, given := at.secrets[name]; given {
			c.Bindings[name] = value
		}
	}
	for _, b := range w.Bindings {
		if _, taken := c.Bindings[b.Name]; taken { // Miniflare would pass over the variable
			return workerConfig{}, fmt.Errorf("worker %s: the variable %s has the name of a binding; give it another", w.Role, b.Name)
		}
		if err := c.bind(s, w.Role, b); err != nil {
			return workerConfig{}, fmt.Errorf("worker %s: %w", w.Role, err)
		}
	}
	// Miniflare learns of a class from a binding of the Worker that has it.
	for _, o := range s.ObjectsOf(w.Role) {
		c.DurableObjects["OWN_"+o.Class] = objectConfig{ClassName: o.Class, UseSQLite: true}
	}
	for _, f := range s.WorkflowsOf(w.Role) {
		c.Workflows["OWN_"+f.Class] = workflowConfig{Name: f.Name, ClassName: f.Class}
	}
	return c, nil
}

// bind adds one binding of the table.
func (c *workerConfig) bind(s stack.Stack, role stack.Role, b stack.Binding) error {
	switch b.Kind {
	case stack.KV:
		c.KVNamespaces[b.Name] = b.Target
	case stack.R2:
		c.R2Buckets[b.Name] = b.Target
	case stack.Producer:
		c.ServiceBindings[b.Name] = queueBinding(b.Target)
	case stack.AI:
		c.ServiceBindings[b.Name] = serviceConfig{Name: standinsWorker, Entrypoint: "AI"}
	case stack.Vectorize:
		c.ServiceBindings[b.Name] = serviceConfig{Name: standinsWorker, Entrypoint: "Vectorize", Props: map[string]string{"index": b.Target}}
	case stack.GatewayID:
		c.Bindings[b.Name] = b.Target
	case stack.Version:
		c.VersionMetadata = b.Name
	case stack.Analytics:
		if c.Datasets == nil {
			c.Datasets = map[string]datasetConfig{}
		}
		c.Datasets[b.Name] = datasetConfig{b.Target}
	case stack.Service:
		c.ServiceBindings[b.Name] = serviceConfig{Name: b.Target}
	case stack.Class:
		for _, o := range s.Objects {
			if o.Class == b.Target {
				c.DurableObjects[b.Name] = objectConfig{ClassName: o.Class, ScriptName: elsewhere(o.Role, role), UseSQLite: true}
			}
		}
	case stack.Flow:
		for _, f := range s.Workflows {
			if f.Name == b.Target {
				c.Workflows[b.Name] = workflowConfig{Name: f.Name, ClassName: f.Class, ScriptName: elsewhere(f.Role, role)}
			}
		}
	default:
		return fmt.Errorf("binding %s: kind %q has no local form", b.Name, b.Kind)
	}
	return nil
}

func queueBinding(queue string) serviceConfig {
	return serviceConfig{Name: brokerWorker, Entrypoint: "Queue", Props: map[string]string{"queue": queue}}
}

// elsewhere names the script of a class unless it is the Worker's own.
func elsewhere(owner, self stack.Role) string {
	if owner == self {
		return ""
	}
	return string(owner)
}

// queueSettings is a queue as the broker reads it.
type queueSettings struct {
	Consumer        string `json:"consumer,omitempty"` // service binding of the broker
	MaxBatchSize    int    `json:"maxBatchSize,omitempty"`
	MaxWaitMS       int64  `json:"maxWaitMs"`
	MaxRetries      int    `json:"maxRetries"`
	RetryDelay      int    `json:"retryDelay"` // seconds
	RetryDivisor    int    `json:"retryDivisor,omitempty"`
	MaxConcurrency  int    `json:"maxConcurrency,omitempty"`
	DeadLetterQueue string `json:"deadLetterQueue,omitempty"`
}

func configureBroker(s stack.Stack, at site) workerConfig {
	queues := map[string]queueSettings{}
	services := map[string]serviceConfig{}
	for _, q := range s.Queues {
		set := queueSettings{
			MaxBatchSize: q.MaxBatchSize, MaxWaitMS: q.MaxWaitTime.Milliseconds() / int64(at.waitDivisor), MaxRetries: q.MaxRetries,
			RetryDelay: int(q.RetryDelay / time.Second), RetryDivisor: at.retryDivisor, MaxConcurrency: q.MaxConcurrency, DeadLetterQueue: q.DeadLetter,
		}
		if q.Consumer != "" {
			set.Consumer = "CONSUMER_" + string(q.Consumer)
			services[set.Consumer] = serviceConfig{Name: string(q.Consumer)}
		}
		queues[q.Name] = set
	}
	return workerConfig{
		Name: brokerWorker, Dir: at.broker, Main: "broker.mjs",
		CompatibilityDate: stack.CompatibilityDate, CompatibilityFlags: []string{"service_binding_extra_handlers"},
		Bindings:        map[string]any{"QUEUES": queues},
		DurableObjects:  map[string]objectConfig{"BROKER": {ClassName: "Broker", UseSQLite: true, Stay: true}},
		ServiceBindings: services,
	}
}

// configureControl binds to the control Worker what is reached from outside.
func configureControl(s stack.Stack, at site) workerConfig {
	c := workerConfig{
		Name: controlWorker, Dir: at.control, Main: "control.mjs",
		CompatibilityDate: stack.CompatibilityDate, CompatibilityFlags: []string{"service_binding_extra_handlers"},
		KVNamespaces: map[string]string{}, R2Buckets: map[string]string{},
		ServiceBindings: map[string]serviceConfig{}, Workflows: map[string]workflowConfig{},
	}
	for _, w := range s.Workers {
		c.ServiceBindings["cron:"+string(w.Role)] = serviceConfig{Name: string(w.Role)}
		c.ServiceBindings["meter:"+string(w.Role)] = serviceConfig{Name: string(w.Role), Entrypoint: "Meter"}
		for _, b := range w.Bindings {
			switch name := string(w.Role) + ":" + b.Name; b.Kind {
			case stack.KV:
				c.KVNamespaces["kv:"+name] = b.Target
			case stack.R2:
				c.R2Buckets["r2:"+name] = b.Target
			}
		}
	}
	for _, q := range s.Queues {
		c.ServiceBindings["queue:"+q.Name] = queueBinding(q.Name)
	}
	for _, f := range s.Workflows {
		c.Workflows["workflow:"+f.Name] = workflowConfig{Name: f.Name, ClassName: f.Class, ScriptName: string(f.Role)}
	}
	return c
}
