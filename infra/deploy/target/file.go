package target

import (
	"encoding/json"
	"time"
)

// File is the name of the file beside the tenants' folders. It is JSON that may have comments.
const File = "deploy.json"

// The environments there are.
const (
	Dev   = "dev"
	Stage = "stage"
	Prod  = "prod"
)

// Environments are all of them.
var Environments = []string{Dev, Stage, Prod}

// file is deploy.json.
type file struct {
	Schema       string        `json:"$schema,omitempty"` // for editors
	Environments *environments `json:"environments"`
}

type environments struct {
	Dev   *environment `json:"dev,omitempty"`
	Stage *environment `json:"stage,omitempty"`
	Prod  *environment `json:"prod,omitempty"`
}

// environment is what deploy.json says of one.
type environment struct {
	Canary *Steps           `json:"canary,omitempty"` // of the pools that say nothing else
	Pools  map[string]Entry `json:"pools"`
}

// Entry is what deploy.json says of a pool in an environment.
type Entry struct {
	Account string `json:"account"`
	Token   string `json:"token"`           // a credential.Ref
	Vault   string `json:"vault,omitempty"` // a credential.Ref

	// SharedAccount says that it is meant that another pool is in the same account. Whoever has the account's token reads both.
	SharedAccount bool `json:"sharedAccount,omitempty"`

	// Exclude are tenants of the pool that this environment does not serve.
	Exclude []string `json:"exclude,omitempty"`

	Domains       []string  `json:"domains,omitempty"`
	Routes        []Route   `json:"routes,omitempty"`
	WorkersDev    bool      `json:"workersDev,omitempty"`
	Analytics     bool      `json:"analytics,omitempty"`
	Canary        *Steps    `json:"canary,omitempty"`
	Observability *Observed `json:"observability,omitempty"`
}

// Route leads requests of a zone to the API Worker.
type Route struct {
	Pattern string `json:"pattern"` // "api.example.com/*"
	Zone    string `json:"zone"`    // "example.com"
}

// Steps is a Canary as it is written. What is left out is that of the environment, and then the platform's.
type Steps struct {
	Steps []int  `json:"steps,omitzero"` // percent; none: all at once
	Bake  string `json:"bake,omitempty"` // "2m"
}

// Observed is a stack.Observability as it is written: of how many requests in a hundred there are logs and traces, and where they are exported to.
type Observed struct {
	Logs     *int   `json:"logs,omitempty"`
	Traces   *int   `json:"traces,omitempty"`
	LogsTo   string `json:"logsTo,omitempty"` // a destination of the account's, by its name
	TracesTo string `json:"tracesTo,omitempty"`
}

// of is what the file says of an environment; nil when it says nothing.
func (f *file) of(env string) *environment {
	if f.Environments == nil {
		return nil
	}
	switch env {
	case Dev:
		return f.Environments.Dev
	case Stage:
		return f.Environments.Stage
	case Prod:
		return f.Environments.Prod
	}
	return nil
}

// decode reads what is known to have the right shape. What does not fit stays zero, and has its problem already.
func decode(standard []byte) *file {
	var f file
	_ = json.Unmarshal(standard, &f)
	return &f
}

// over completes what is written with what holds otherwise.
func (s *Steps) over(c Canary) Canary {
	if s == nil {
		return c
	}
	if s.Steps != nil {
		c.Steps = s.Steps
	}
	if bake, err := time.ParseDuration(s.Bake); err == nil {
		c.Bake = bake
	}
	return c
}
