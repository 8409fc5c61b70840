package tenants

import (
	"slices"
	"strings"

	"levada.dev/events/fault"
)

// SecretKind says where a secret comes from, and so what form it has.
type SecretKind string

// The kinds.
const (
	SourceSecret  SecretKind = "source"  // signs what a source sends; it is made here
	ToolSecret    SecretKind = "tool"    // opens an outside server, which gave it
	WebhookSecret SecretKind = "webhook" // signs what is sent to the tenant; it is made here
)

// A tool's secret is shown nowhere, and what is shorter could not be told from other words.
const (
	minToolSecret = 8
	maxToolSecret = 4_096
)

// Made reports whether secrets of the kind are made here. Others are given by whoever takes them.
func (k SecretKind) Made() bool { return k == SourceSecret || k == WebhookSecret }

// Check refuses a value that is no secret of the kind. The error does not quote it.
func (k SecretKind) Check(value string) error {
	if k.Made() {
		_, err := ParseSecret(value)
		return err
	}
	visible := !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f })
	if !visible || len(value) < minToolSecret || len(value) > maxToolSecret {
		return fault.Invalidf("", "secret_invalid", "is not %d to %d visible ASCII characters", minToolSecret, maxToolSecret)
	}
	return nil
}

// NamedSecret is a secret that a configuration needs.
type NamedSecret struct {
	Name string
	Kind SecretKind
}

// Secrets are the secrets that the tenant's sources, its HTTP tools and what it is told by need, by name. No name is of two kinds.
func (c *Config) Secrets() []NamedSecret {
	var all []NamedSecret
	for _, s := range c.Sources {
		if s.Webhook == nil {
			continue
		}
		for _, name := range s.Webhook.Secrets {
			all = append(all, NamedSecret{name, SourceSecret})
		}
	}
	for _, t := range c.Tools.HTTP {
		if t.Auth != nil {
			all = append(all, NamedSecret{t.Auth.Secret, ToolSecret})
		}
	}
	for _, w := range c.Hooks() {
		for _, name := range w.Secrets {
			all = append(all, NamedSecret{name, WebhookSecret})
		}
	}
	slices.SortFunc(all, func(a, b NamedSecret) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(all)
}
