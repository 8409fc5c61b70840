package generate

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// Deploy is where a tenant's pool is deployed. Without an account it is not, unless deploy.json has the pool already.
type Deploy struct {
	Envs    []string
	Account string
	Token   string // a reference, never the token
	Vault   string // a reference
	Domains []string
}

// deployFile is the registry of what is deployed where.
const deployFile = tenantsFolder + "/" + target.File

// deploy adds a pool to the registry.
func (d *draft) deploy(pool string, to Deploy) error {
	if to.Account == "" {
		if to.Token != "" || to.Vault != "" || len(to.Domains) > 0 {
			return refuse(codeOption, "", "account", "name the account, 32 hexadecimal digits", "is missing: where is the pool to be deployed?")
		}
		return nil
	}
	entry := target.Entry{Account: to.Account, Token: to.Token, Vault: to.Vault, Domains: to.Domains, WorkersDev: len(to.Domains) == 0}
	f, err := d.file(deployFile)
	if err != nil {
		return err
	}
	for _, env := range to.Envs {
		if !slices.Contains(target.Environments, env) {
			return refuse(codeOption, "", "env", "one of "+strings.Join(target.Environments, ", "), "there is no environment %.40q", env)
		}
		text, err := target.AddPool(f.after, env, pool, entry)
		if err != nil {
			why := fault.As(err)
			return refuse(why.Code, deployFile, why.Field, cmp.Or(why.Hint, "change it there"), "%s", why.Message)
		}
		f.after, f.touched = text, true
	}
	return nil
}

// checkTenants holds the tenants as they are to be against the rules of every environment, before anything is written. What was wrong
// before is not this command's business.
func (d *draft) checkTenants(id string) error {
	folder := os.DirFS(filepath.Join(d.Root, tenantsFolder))
	planned := over{folder, map[string][]byte{}}
	for name, f := range d.files {
		planned.files[strings.TrimPrefix(name, tenantsFolder+"/")] = f.after
	}
	var found tenants.Problems
	served := false
	for _, env := range target.Environments {
		_, before := target.Load(folder, env)
		then, after := target.Load(planned, env)
		_, err := then.Find(id)
		served = served || err == nil
		for _, p := range after {
			old := slices.ContainsFunc(before, func(b tenants.Problem) bool { return b.File == p.File && b.Path == p.Path && b.Message == p.Message })
			if old && path.Dir(p.File) != id {
				continue
			}
			p.File = path.Join(tenantsFolder, p.File)
			if !slices.Contains(found, p) {
				found = append(found, p)
			}
		}
	}
	if len(found) > 0 {
		return &Refused{codeConfig, found}
	}
	if !served {
		d.note("its pool is deployed nowhere yet: --account and --token add it to %s", deployFile)
	}
	return nil
}

// over is a folder with some files as they are to be.
type over struct {
	fs.FS
	files map[string][]byte
}

// ReadFile implements fs.ReadFileFS.
func (o over) ReadFile(name string) ([]byte, error) {
	if text := o.files[name]; text != nil {
		return text, nil
	}
	return fs.ReadFile(o.FS, name)
}

// Glob implements fs.GlobFS.
func (o over) Glob(pattern string) ([]string, error) {
	names, err := fs.Glob(o.FS, pattern)
	if err != nil {
		return nil, err
	}
	for name := range o.files {
		if fits, _ := path.Match(pattern, name); fits && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
