package deploy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"levada.dev/infra/deploy/account"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

// Desired is what an account should have of a unit.
type Desired struct {
	Unit    Unit
	Release string
	Before  string // the release before it, when it goes back
	Stack   stack.Stack

	// Code is each Worker's; one that has none goes back to the version of Versions, which the account has already.
	Code     map[stack.Role]Code
	Versions map[stack.Role]Version

	// Secrets are the values of the secrets that the stack's Workers name. What is not among them is left as it is.
	Secrets map[string]string

	// Tenants is what is published of the pool's tenants; nil leaves what is there.
	Tenants tenants.Entries
}

// Code is what a Worker runs.
type Code struct {
	Modules []account.Module
	Digest  string // of the modules

	Assets *Assets // what is served in its place; nil of nothing
}

// mainModule is the entry of a built Worker.
const mainModule = "worker.mjs"

// moduleTypes are the types of a built Worker's files.
var moduleTypes = map[string]string{".mjs": account.ESModule, ".js": account.ESModule, ".wasm": account.Wasm}

// ReadCode reads the folder of a built Worker.
func ReadCode(dir fs.FS) (Code, error) {
	var c Code
	digest := sha256.New()
	err := fs.WalkDir(dir, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		kind, known := moduleTypes[path.Ext(name)]
		if !known {
			return fmt.Errorf("%s: is not a module", name)
		}
		body, err := fs.ReadFile(dir, name)
		if err != nil {
			return err
		}
		c.Modules = append(c.Modules, account.Module{Name: name, Type: kind, Body: body})
		fmt.Fprintf(digest, "%s\x00%s\x00%d\x00", name, kind, len(body))
		digest.Write(body)
		return nil
	})
	if err != nil {
		return Code{}, err
	}
	if !slices.ContainsFunc(c.Modules, func(m account.Module) bool { return m.Name == mainModule }) {
		return Code{}, fmt.Errorf("there is no %s: build the Worker first", mainModule)
	}
	c.Digest = hex.EncodeToString(digest.Sum(nil))
	return c, nil
}

// Version is a Worker's version that an account has.
type Version struct {
	ID   string `json:"id"`
	Spec string `json:"spec"`

	Secrets string `json:"secrets,omitempty"` // the fingerprint of those it has
}

// Check refuses what cannot be deployed, before any request.
func (d *Desired) Check() error {
	if err := d.Stack.Validate(); err != nil {
		return fmt.Errorf("the stack's table: %w", err)
	}
	if err := d.Unit.Check(&d.Stack); err != nil {
		return err
	}
	for _, w := range d.Stack.Workers {
		_, code := d.Code[w.Role]
		if _, version := d.Versions[w.Role]; !code && !version {
			return fmt.Errorf("worker %s: there is neither code nor a version", w.Role)
		}
		if err := d.checkAssets(w); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.Secrets)) {
		if d.Secrets[name] == "" {
			return fmt.Errorf("secret %s: is empty", name)
		}
	}
	return CheckRelease(d.Release)
}
