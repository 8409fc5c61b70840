package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"levada.dev/tenants"
	"levada.dev/tenants/validate"
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

	Speech string // the model that speaks; without one speech is off

	TokensPerDay, TokensPerMonth, CharactersPerDay, CharactersPerMonth, USDPerDay, USDPerMonth int64

	Deploy Deploy
}

// NewTenant plans a tenant: its configuration, and where its pool is deployed. Both are held against all rules and all other tenants first.
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
	if t.Pool == "" {
		t.Pool = string(id)
	}
	for _, err := range []error{d.own(file, text), d.deploy(t.Pool, t.Deploy)} {
		if err != nil {
			return nil, err
		}
	}
	if err := d.checkTenants(string(id)); err != nil {
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
	budgets := tenants.Budgets{
		TokensPerDay: t.TokensPerDay, TokensPerMonth: t.TokensPerMonth, CharactersPerDay: t.CharactersPerDay, CharactersPerMonth: t.CharactersPerMonth,
		USDPerDay: t.USDPerDay, USDPerMonth: t.USDPerMonth,
	}
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
		{"speech", tenants.Speech{Enabled: true, Model: t.Speech}, t.Speech != ""},
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

// oneLine takes line feeds out of indented JSON, whose texts have none.
var oneLine = strings.NewReplacer("{\n", "{", "\n}", "}", "[\n", "[", "\n]", "]", ",\n", ", ")

// inline is a value as JSON on one line, spaced as people write it.
func inline(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, bytes.TrimSpace(b.Bytes()), "", ""); err != nil {
		return nil, err
	}
	return []byte(oneLine.Replace(lines.String())), nil
}
