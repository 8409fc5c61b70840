package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/tailscale/hujson"

	"levada.dev/tenants"
	"levada.dev/tenants/validate"
	"levada.dev/workflows/llm"
)

// tenantsFolder is where the tenants are.
const tenantsFolder = "tenants"

// Tenant is a tenant to be made. What is empty is left to the defaults of tenant.schema.json.
type Tenant struct {
	ID      string
	Name    string // for people
	Pool    string // the deployment that serves it; one of its own when empty
	Hosts   []string
	Auth    string // keys or open
	Origins []string

	Embedding, Chat string
	ChatAllowed     []string

	TokensPerDay, TokensPerMonth, USDPerDay, USDPerMonth int64
}

// NewTenant plans a tenant: its configuration, which is held against all rules and all other tenants first.
func NewTenant(o Options, t Tenant) (*Plan, error) {
	id, err := tenants.ParseID(t.ID)
	if err != nil {
		return nil, refuse(codeName, "", "tenant", "use 2 to 32 lower-case letters, digits and single hyphens, a letter first", "%.40q is not a tenant id", t.ID)
	}
	d := newDraft(o, "tenant", string(id))
	file := path.Join(tenantsFolder, string(id), validate.File)
	text, err := t.config()
	if err != nil {
		return nil, err
	}
	if err := d.checkTenant(string(id), text); err != nil {
		return nil, err
	}
	if err := d.own(file, text); err != nil {
		return nil, err
	}
	if t.Auth == string(tenants.AuthOpen) {
		d.note("its door is open: anybody may call it, which the environment %s refuses", validate.Prod)
	}
	d.note("levada dev serves it at once; its key is in keys.json of the state folder")
	return d.plan()
}

// config is the configuration as its file has it: a member a line, and what it is on the same one.
func (t Tenant) config() ([]byte, error) {
	models := tenants.Models{Embedding: t.Embedding, Chat: t.Chat, ChatAllowed: t.ChatAllowed}
	budgets := tenants.Budgets{TokensPerDay: t.TokensPerDay, TokensPerMonth: t.TokensPerMonth, USDPerDay: t.USDPerDay, USDPerMonth: t.USDPerMonth}
	var b bytes.Buffer
	b.WriteString("{\n" + `  "$schema": "../tenant.schema.json"`)
	for _, m := range []struct {
		name  string
		value any
		there bool
	}{
		{"id", t.ID, true},
		{"name", t.Name, true},
		{"pool", t.Pool, t.Pool != ""},
		{"allowedHosts", t.Hosts, len(t.Hosts) > 0},
		{"auth", tenants.Auth{Mode: tenants.AuthMode(t.Auth)}, t.Auth != ""},
		{"cors", tenants.CORS{Origins: t.Origins}, len(t.Origins) > 0},
		{"models", models, models.Embedding != "" || models.Chat != "" || len(models.ChatAllowed) > 0},
		{"budgets", budgets, budgets != tenants.Budgets{}},
	} {
		if !m.there {
			continue
		}
		value, err := inline(m.value)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, ",\n  %q: %s", m.name, value)
	}
	b.WriteString("\n}\n")
	return b.Bytes(), nil
}

// inline is a value as JSON on one line, spaced as people write it.
func inline(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	text, err := hujson.Format(b.Bytes())
	return bytes.TrimSpace(text), err
}

// checkTenant holds a configuration against the rules and the other tenants, before anything is written. What was wrong before is
// not this command's business.
func (d *draft) checkTenant(id string, text []byte) error {
	folder := os.DirFS(filepath.Join(d.Root, tenantsFolder))
	rules := validate.Rules{Env: "dev", Models: llm.EmbeddingNames(), ChatModels: llm.GenerationNames(true)}
	_, before := validate.Load(folder, rules)
	_, after := validate.Load(withFile{folder, path.Join(id, validate.File), text}, rules)
	var found tenants.Problems
	for _, p := range after {
		if path.Dir(p.File) != id && slices.Contains(before, p) {
			continue
		}
		p.File = path.Join(tenantsFolder, p.File)
		found = append(found, p)
	}
	if len(found) > 0 {
		return &Refused{codeConfig, found}
	}
	return nil
}

// withFile is a folder with one file more, or another one in its place.
type withFile struct {
	fs.FS
	name string
	text []byte
}

// ReadFile implements fs.ReadFileFS.
func (w withFile) ReadFile(name string) ([]byte, error) {
	if name == w.name {
		return w.text, nil
	}
	return fs.ReadFile(w.FS, name)
}

// Glob implements fs.GlobFS.
func (w withFile) Glob(pattern string) ([]string, error) {
	names, err := fs.Glob(w.FS, pattern)
	if err != nil {
		return nil, err
	}
	if fits, _ := path.Match(pattern, w.name); fits && !slices.Contains(names, w.name) {
		names = append(names, w.name)
		slices.Sort(names)
	}
	return names, nil
}
