package double

import (
	"net/http"
	"slices"
)

// secret is one as it is sent; nil takes it away where many are.
type secret struct {
	Name string `json:"name"`
	Type string `json:"type"`
	Text string `json:"text"`
}

func secretRoutes() []route {
	const secrets = "/accounts/{account}/workers/scripts/{script}/secrets"
	return []route{
		{pattern: "GET " + secrets, group: groupScripts, handle: on(func(_ *call, s *script) (any, error) { return s.secrets(), nil })},
		{pattern: "GET " + secrets + "/{secret}", group: groupScripts, handle: on(func(c *call, s *script) (any, error) {
			for _, b := range s.secrets() {
				if b["name"] == c.PathValue("secret") {
					return b, nil
				}
			}
			return nil, noSecret(c.PathValue("secret"))
		})},
		{pattern: "PUT " + secrets, group: groupScripts, handle: on(func(c *call, s *script) (any, error) {
			given, err := decode[secret](c)
			if err != nil {
				return nil, err
			}
			if err := c.editSecrets(s, map[string]*secret{given.Name: &given}); err != nil {
				return nil, err
			}
			return map[string]string{"name": given.Name, "type": given.Type}, nil
		})},
		{pattern: "DELETE " + secrets + "/{secret}", group: groupScripts, handle: on(func(c *call, s *script) (any, error) {
			return nil, c.editSecrets(s, map[string]*secret{c.PathValue("secret"): nil})
		})},
	}
}

func noSecret(name string) error {
	return refuse(http.StatusNotFound, 10056, "There is no secret %q.", name)
}

// secrets are the names of those of the newest version.
func (s *script) secrets() []binding {
	return slices.DeleteFunc(shown(s.latest().bindings), func(b binding) bool { return b.text("type") != "secret_text" })
}

// editSecrets makes a version of the newest one with other secrets, and deploys it. It refuses when the newest version is not the one that is
// live: what was not meant to be would be, then.
func (c *call) editSecrets(s *script, edits map[string]*secret) error {
	last := s.latest()
	if live := s.live(); len(live) != 1 || live[0] != last {
		return refuse(http.StatusBadRequest, 10215, "Secret edit failed. You attempted to modify a secret, but the latest version of your Worker isn't currently deployed.")
	}
	next := *last
	next.bindings = nil
	var gone []string
	for _, b := range last.bindings {
		if _, ok := edits[b.text("name")]; !ok {
			next.bindings = append(next.bindings, b)
		} else if b.text("type") != "secret_text" {
			return refuse(http.StatusBadRequest, 10053, "Binding name '%s' already in use.", b["name"])
		} else {
			gone = append(gone, b.text("name"))
		}
	}
	for _, name := range sortedNames(edits) {
		e := edits[name]
		if e == nil {
			if !slices.Contains(gone, name) {
				return noSecret(name)
			}
			continue
		}
		b := binding{"name": e.Name, "type": e.Type, "text": e.Text}
		if e.Name != name || e.Type != "secret_text" {
			return refuse(http.StatusBadRequest, codeInvalid, "The secret %q has to have its name and the type secret_text.", name)
		}
		if err := b.check(); err != nil {
			return err
		}
		if err := shortText(nil, nil, b); err != nil {
			return err
		}
		next.bindings = append(next.bindings, b)
	}
	next.id, next.created, next.annotations = c.api.uuid(), c.api.now(), map[string]string{"workers/triggered_by": "secret"}
	s.add(&next)
	s.deploy(c.api, []share{{VersionID: next.id, Percentage: 100}}, next.annotations)
	return nil
}
