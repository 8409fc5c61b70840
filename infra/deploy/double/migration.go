package double

import (
	"fmt"
	"maps"
	"net/http"
)

// class is a class of Durable Objects, as a namespace that has its objects.
type class struct {
	id     string
	sqlite bool
}

// migrations are steps, or one step beside the tags.
type migrations struct {
	OldTag string          `json:"old_tag"`
	NewTag string          `json:"new_tag"`
	Steps  []migrationStep `json:"steps"`
	migrationStep
}

type migrationStep struct {
	NewClasses         []string        `json:"new_classes"`
	NewSQLiteClasses   []string        `json:"new_sqlite_classes"`
	DeletedClasses     []string        `json:"deleted_classes"`
	RenamedClasses     []renamedClass  `json:"renamed_classes"`
	TransferredClasses []transferClass `json:"transferred_classes"`
}

type renamedClass struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type transferClass struct {
	From       string `json:"from"`
	FromScript string `json:"from_script"`
	To         string `json:"to"`
}

// migrate is what classes a Worker has after migrations, and their tag. The Worker itself is not changed.
func (a *Account) migrate(s *script, m *migrations) (map[string]class, string, error) {
	classes := maps.Clone(s.classes)
	if m == nil {
		return classes, s.migration, nil
	}
	if m.OldTag != s.migration {
		return nil, "", refuse(http.StatusPreconditionFailed, 10079, "migration tag precondition failed; expected tag %q, but the Worker has %q", m.OldTag, s.migration)
	}
	if m.NewTag == "" || m.NewTag == s.migration {
		return nil, "", refuse(http.StatusBadRequest, codeInvalid, "migrations need a new_tag that is not the old one.")
	}
	for _, step := range append([]migrationStep{m.migrationStep}, m.Steps...) {
		if err := a.step(s, classes, step); err != nil {
			return nil, "", err
		}
	}
	return classes, m.NewTag, nil
}

func (a *Account) step(s *script, classes map[string]class, step migrationStep) error {
	add := func(name string, c class) error {
		if _, ok := classes[name]; ok || name == "" {
			return refuse(http.StatusBadRequest, 10074, "Cannot apply new-class migration to class '%s' that is already depended on by existing Durable Objects.", name)
		}
		classes[name] = c
		return nil
	}
	gone := func(name string) error {
		return refuse(http.StatusBadRequest, 10073, "Cannot apply a migration to class '%s', which there is not.", name)
	}
	for _, name := range step.NewClasses {
		if err := add(name, class{id: a.api.id(32)}); err != nil {
			return err
		}
	}
	for _, name := range step.NewSQLiteClasses {
		if err := add(name, class{id: a.api.id(32), sqlite: true}); err != nil {
			return err
		}
	}
	for _, r := range step.RenamedClasses {
		c, ok := classes[r.From]
		if !ok {
			return gone(r.From)
		}
		delete(classes, r.From)
		if err := add(r.To, c); err != nil {
			return err
		}
	}
	if len(step.TransferredClasses) > 0 {
		return refuse(http.StatusNotImplemented, codeInvalid, "The double transfers no classes between Workers.")
	}
	for _, name := range step.DeletedClasses {
		if _, ok := classes[name]; !ok {
			return gone(name)
		}
		if by := a.boundTo(s, name); by != "" {
			return refuse(http.StatusBadRequest, 10064, "Cannot delete class '%s': it is bound by %s.", name, by)
		}
		delete(classes, name)
	}
	return nil
}

// boundTo says which other Worker is bound to a class.
func (a *Account) boundTo(s *script, class string) string {
	for _, other := range sorted(a.scripts) {
		for _, v := range other.live() {
			for _, b := range v.bindings {
				if other != s && b.text("script_name") == s.name && b.text("class_name") == class {
					return fmt.Sprintf("the Worker %s (binding %s)", other.name, b["name"])
				}
			}
		}
	}
	return ""
}

func objectRoutes() []route {
	return []route{{pattern: "GET /accounts/{account}/workers/durable_objects/namespaces", group: groupScripts, handle: listObjects}}
}

func listObjects(c *call) (any, error) {
	all := []map[string]any{}
	for _, s := range sorted(c.account.scripts) {
		for _, name := range sortedNames(s.classes) {
			k := s.classes[name]
			all = append(all, map[string]any{"id": k.id, "name": s.name + "_" + name, "script": s.name, "class": name, "use_sqlite": k.sqlite})
		}
	}
	return paged(c, all)
}
