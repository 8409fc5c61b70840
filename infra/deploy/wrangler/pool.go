package wrangler

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
)

// Pool is what to write: a pool's table in an environment, and what of the account has to be known.
type Pool struct {
	Unit    deploy.Unit // names everything
	Stack   stack.Stack
	Account string // 32 hexadecimal digits; wrangler asks CLOUDFLARE_ACCOUNT_ID when it is empty

	// Namespaces are the ids of KV namespaces by their name in the table: wrangler knows them by id alone. For one that is missing the
	// configuration has a placeholder, which the API refuses.
	Namespaces map[string]string

	// Dir is the folder of the configurations from where wrangler is called. Built is the folder with the Workers, each in one named after
	// its role, and Schema the JSON schema that editors show; both from Dir. All are slash-separated.
	Dir, Built, Schema string
}

// File is the configuration of one Worker.
type File struct {
	Role   stack.Role
	Script string // the Worker's name in the account
	Path   string // below the folder of the configurations
	Data   []byte
}

// configPath is the file of a role, below the folder of the configurations.
func configPath(role stack.Role) string { return path.Join(string(role), "wrangler.jsonc") }

// Files are the configurations of the pool's Workers, in the order in which they can be deployed.
func (p *Pool) Files() ([]File, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	workers, err := p.Stack.Order()
	if err != nil {
		return nil, err
	}
	var files []File
	for _, w := range workers {
		data, err := p.config(w)
		if err != nil {
			return nil, fmt.Errorf("worker %s: %w", w.Role, err)
		}
		files = append(files, File{Role: w.Role, Script: p.Unit.Script(w.Role), Path: configPath(w.Role), Data: data})
	}
	return files, nil
}

// check refuses what no configuration could be written for.
func (p *Pool) check() error {
	if err := p.Stack.Validate(); err != nil {
		return err
	}
	if err := p.Unit.Check(&p.Stack); err != nil {
		return err
	}
	for name := range p.Namespaces {
		if !slices.ContainsFunc(p.Stack.Namespaces, func(n stack.Namespace) bool { return n.Name == name }) {
			return fmt.Errorf("there is no KV namespace %q to have an id; there are %s", name, strings.Join(namespaces(p.Stack), ", "))
		}
	}
	return nil
}

// LookUp reads the ids of the namespaces that have none here from the account, as far as it has them.
func (p *Pool) LookUp(ctx context.Context, a *account.Account) error {
	there, err := account.List[struct{ ID, Title string }](ctx, a, a.Path("storage", "kv", "namespaces"))
	if err != nil {
		return fmt.Errorf("the KV namespaces of %s: %w", p.Unit, err)
	}
	ids := maps.Clone(p.Namespaces)
	if ids == nil {
		ids = map[string]string{}
	}
	for _, name := range namespaces(p.Stack) {
		for _, n := range there {
			if n.Title == p.Unit.Name(name) && ids[name] == "" {
				ids[name] = n.ID
			}
		}
	}
	p.Namespaces = ids
	return nil
}

func namespaces(s stack.Stack) []string {
	names := make([]string, len(s.Namespaces))
	for i, n := range s.Namespaces {
		names[i] = n.Name
	}
	return names
}
