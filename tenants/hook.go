package tenants

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Hook is a server that is told what happens to the tenant.
type Hook struct {
	URL     string   `json:"url"`
	Secrets []string `json:"secrets"`           // by name; each signs
	Private bool     `json:"private,omitempty"` // also http and private networks
}

// SpeechHook is told that a job of speech has ended; nil: nobody is.
func (c *Config) SpeechHook() *Hook { return cmp.Or(c.Speech.Webhook, c.Webhook) }

// AlertHook is told of alerts; nil: nobody is.
func (c *Config) AlertHook() *Hook { return cmp.Or(c.Webhook, c.Speech.Webhook) }

// NamedHook is a hook and its path in the configuration.
type NamedHook struct {
	Path string
	*Hook
}

// Hooks are those of the configuration, by their paths.
func (c *Config) Hooks() []NamedHook {
	all := []NamedHook{{"speech.webhook", c.Speech.Webhook}, {"webhook", c.Webhook}}
	return slices.DeleteFunc(all, func(h NamedHook) bool { return h.Hook == nil })
}

func (c *Config) hookProblems(ps *Problems, w NamedHook) {
	at := w.Path
	switch {
	case w.URL == "":
		ps.add(at+".url", "", "is required")
	case !isURL(w.URL) || strings.Contains(w.URL, "#"):
		ps.add(at+".url", "such as https://app.example.com/hooks/levada", "%.80q is not an address that can be called", w.URL)
	case !strings.HasPrefix(w.URL, "https://") && !w.Private:
		ps.add(at+".url", `"private": true opens http on the local platform`, "is not https")
	}
	list(ps, at+".secrets", w.Secrets, MaxSecrets, isID, "the name of a secret: "+idHint)
	if len(w.Secrets) == 0 {
		ps.add(at+".secrets", `name at least one, such as "told-1"`, "is required")
	}
	for i, name := range w.Secrets {
		c.hookSecretProblem(ps, fmt.Sprintf("%s.secrets[%d]", at, i), name)
	}
}

// hookSecretProblem refuses a secret that somebody else has: whoever receives what we sign could sign as a source, or as who calls a tool.
func (c *Config) hookSecretProblem(ps *Problems, path, name string) {
	const hint = "give what is sent a secret of its own"
	for _, s := range c.Sources {
		if s.Webhook != nil && slices.Contains(s.Webhook.Secrets, name) {
			ps.add(path, hint, "%q is a secret of the source %q", name, s.ID)
			return
		}
	}
	for _, t := range c.Tools.HTTP {
		if t.Auth != nil && t.Auth.Secret == name {
			ps.add(path, hint, "%q is the secret of the tool %q", name, t.Name)
			return
		}
	}
}
