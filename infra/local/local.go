package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"levada.dev/infra/dev"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// Options says how to run the platform.
type Options struct {
	Root     string            // the checkout
	State    string            // default: LEVADA_STATE, else .levada below Root
	Build    string            // where the Workers are built; default: below State
	Port     int               // 0 for a free one
	Version  string            // shown by /health
	Progress func(what string) // may be nil
	Logs     io.Writer         // the Workers' log; nil drops it
	Lexical  bool              // embed by words alone: see dev.Options
	Tenants  fs.FS             // <id>/tenant.config.json; default: tenants below Root

	WaitDivisor  int // see dev.Options
	RetryDivisor int // see dev.Options

	Analytics bool // a dataset of Analytics Engine is bound: see dev.Platform.Points

	Vars map[string]string // for every Worker, beside those that it has
}

// Local is the running platform with what a user of it needs to know.
type Local struct {
	*dev.Platform
	Stack   stack.Stack
	Tenants []tenants.Config
	Keys    tenants.Keys
	Made    []tenants.ID // whose key is new
	Vault   *tenants.Vault

	options Options
}

// Start runs the checkout's platform.
func Start(ctx context.Context, o Options) (*Local, error) {
	o.State = StateDir(o.Root, o.State)
	if o.Tenants == nil {
		o.Tenants = os.DirFS(filepath.Join(o.Root, "tenants"))
	}
	l := &Local{options: o}
	var err error
	if l.Tenants, err = Configs(o.Tenants); err != nil {
		return nil, err
	}
	if l.Keys, l.Made, err = Keys(o.State, l.Tenants); err != nil {
		return nil, err
	}
	if l.Vault, err = Vault(o.State, l.Tenants); err != nil {
		return nil, err
	}
	fields, err := Filterable(l.Tenants)
	if err != nil {
		return nil, err
	}
	l.Stack = stack.Levada(stack.Pool{Name: "local", Env: "dev", Filterable: fields, Analytics: o.Analytics})
	vars := map[string]string{"VERSION": o.Version, "ERASURE_SETTLE": "5s", "SPEECH_FORMATS": "wav", stack.TracesVar: "100"}
	maps.Copy(vars, o.Vars)
	l.Platform, err = dev.Start(ctx, dev.Options{
		Root: o.Root, State: o.State, Build: o.Build, Port: o.Port, Stack: l.Stack, Progress: o.Progress, Logs: o.Logs, Lexical: o.Lexical, WaitDivisor: o.WaitDivisor, RetryDivisor: o.RetryDivisor,
		Vars:    vars,
		Secrets: map[string]string{stack.SealKey: l.Vault.SealKey},
		Seed: func(ctx context.Context, p *dev.Platform) error {
			return Publish(ctx, p.KV(stack.API, "CONFIG"), l.Tenants, l.Keys, l.Vault)
		},
	})
	return l, err
}

// Gateway is the AI Gateway whose log the local platform keeps.
const Gateway = stack.GatewayName

// Filterable joins the metadata fields that the tenants of one platform filter on.
func Filterable(configs []tenants.Config) (map[string]tenants.FieldType, error) {
	fields := map[string]tenants.FieldType{}
	for _, c := range configs {
		for name, typ := range c.Search.Filterable {
			if other, known := fields[name]; known && other != typ {
				return nil, fmt.Errorf("tenant %s: search.filterable.%s is a %s, another tenant's is a %s; one index has one type", c.ID, name, typ, other)
			}
			fields[name] = typ
		}
	}
	return fields, nil
}

// AddressFile is the file in the state folder that says where its platform answers, while levada dev runs it.
const AddressFile = "address"

// Announce notes where the platform answers, for commands that are told its state folder alone. The note is there until withdraw.
func (l *Local) Announce() (withdraw func() error, err error) {
	file := filepath.Join(l.options.State, AddressFile)
	withdraw = func() error {
		if err := os.Remove(file); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return withdraw, writeFile(file, []byte(l.URL+"\n"))
}

// Address is where the platform of a state folder answers; empty when nothing is noted there.
func Address(stateDir string) string {
	b, err := os.ReadFile(filepath.Join(stateDir, AddressFile))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// StateDir is the folder that keeps the platform's state: given, or LEVADA_STATE, or .levada of the checkout.
func StateDir(root, given string) string {
	if given == "" {
		given = os.Getenv("LEVADA_STATE")
	}
	if given == "" {
		given = ".levada"
	}
	if filepath.IsAbs(given) {
		return given
	}
	return filepath.Join(root, given)
}
