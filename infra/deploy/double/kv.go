package double

import (
	"net/http"
	"slices"
	"strings"
)

// namespace is a namespace of KV.
type namespace struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	URLs   bool   `json:"supports_url_encoding"`
	values map[string]value
}

const (
	groupKV      = "Workers KV Storage"
	maxTitle     = 512
	codeNoSpace  = 10013
	codeKV       = 10019 // a title or a key that cannot be
	codeKVTaken  = 10014
	maxKVSpaces  = 1000
	codeKVSpaces = 10018
)

func kvRoutes() []route {
	const namespaces = "/accounts/{account}/storage/kv/namespaces"
	const one = namespaces + "/{namespace}"
	return []route{
		{pattern: "GET " + namespaces, group: groupKV, handle: listNamespaces},
		{pattern: "POST " + namespaces, group: groupKV, handle: postNamespace},
		{pattern: "GET " + one, group: groupKV, handle: onNamespace(func(_ *call, n *namespace) (any, error) { return n, nil })},
		{pattern: "PUT " + one, group: groupKV, handle: onNamespace(func(c *call, n *namespace) (any, error) {
			title, err := c.title()
			if err == nil {
				n.Title = title
			}
			return n, err
		})},
		{pattern: "DELETE " + one, group: groupKV, handle: onNamespace(deleteNamespace)},
	}
}

func onNamespace(do func(*call, *namespace) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if n := c.account.namespace(c.PathValue("namespace")); n != nil {
			return do(c, n)
		}
		return nil, refuse(http.StatusNotFound, codeNoSpace, "namespace not found")
	}
}

func (a *Account) namespace(id string) *namespace {
	for _, n := range a.namespaces {
		if n.ID == id {
			return n
		}
	}
	return nil
}

func (a *Account) namespaceTitled(title string) *namespace {
	for _, n := range a.namespaces {
		if n.Title == title {
			return n
		}
	}
	return nil
}

// listNamespaces sorts only when it is asked to.
func listNamespaces(c *call) (any, error) {
	all := slices.Clone(c.account.namespaces)
	key := map[string]func(*namespace) string{
		"id": func(n *namespace) string { return n.ID }, "title": func(n *namespace) string { return n.Title },
	}[c.URL.Query().Get("order")]
	if key != nil {
		slices.SortFunc(all, func(a, b *namespace) int { return strings.Compare(key(a), key(b)) })
		if c.URL.Query().Get("direction") == "desc" {
			slices.Reverse(all)
		}
	}
	return paged(c, all)
}

// title reads the title that a namespace is to have, which no other has.
func (c *call) title() (string, error) {
	given, err := decode[struct {
		Title string `json:"title"`
	}](c)
	if err != nil {
		return "", err
	}
	if given.Title == "" || len(given.Title) > maxTitle {
		return "", refuse(http.StatusBadRequest, codeKV, "A namespace's title has 1 to %d bytes, not %d.", maxTitle, len(given.Title))
	}
	if c.account.namespaceTitled(given.Title) != nil {
		return "", refuse(http.StatusBadRequest, codeKVTaken, "create namespace: 'a namespace with this account ID and title already exists'")
	}
	return given.Title, nil
}

func postNamespace(c *call) (any, error) {
	title, err := c.title()
	if err != nil {
		return nil, err
	}
	if len(c.account.namespaces) >= maxKVSpaces {
		return nil, refuse(http.StatusBadRequest, codeKVSpaces, "An account has at most %d namespaces.", maxKVSpaces)
	}
	n := &namespace{ID: c.api.id(32), Title: title, URLs: true, values: map[string]value{}}
	c.account.namespaces = append(c.account.namespaces, n)
	return n, nil
}

// deleteNamespace refuses while a Worker that answers is bound to it.
func deleteNamespace(c *call, n *namespace) (any, error) {
	if by := c.account.bound("namespace_id", n.ID); by != "" {
		return nil, refuse(http.StatusBadRequest, codeKV, "The namespace %q cannot be deleted: %s.", n.Title, by)
	}
	c.account.namespaces = slices.DeleteFunc(c.account.namespaces, func(o *namespace) bool { return o == n })
	return nil, nil
}

// bound says which Worker has a live version whose binding says this.
func (a *Account) bound(field, value string) string {
	for _, s := range sorted(a.scripts) {
		for _, v := range s.live() {
			for _, b := range v.bindings {
				if b.text(field) == value {
					return "the Worker " + s.name + " is bound to it"
				}
			}
		}
	}
	return ""
}
