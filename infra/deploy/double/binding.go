package double

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
)

// binding is one thing that a version is given, as it was sent.
type binding map[string]any

func (b binding) text(field string) string {
	text, _ := b[field].(string)
	return text
}

// kind is what a type of binding has beside its name, and what it leads to.
type kind struct {
	needs, may []string
	target     func(a *Account, s *script, b binding) error
}

// kinds are the types of bindings. Objects are json's and simple's values.
var kinds = map[string]kind{
	"ai":                       {},
	"version_metadata":         {},
	"plain_text":               {needs: []string{"text"}, target: shortText},
	"secret_text":              {needs: []string{"text"}, target: shortText},
	"json":                     {needs: []string{"json"}},
	"analytics_engine":         {needs: []string{"dataset"}},
	"ratelimit":                {needs: []string{"namespace_id", "simple"}},
	"kv_namespace":             {needs: []string{"namespace_id"}, target: bindKV},
	"queue":                    {needs: []string{"queue_name"}, may: []string{"delivery_delay"}, target: bindQueue},
	"r2_bucket":                {needs: []string{"bucket_name"}, may: []string{"jurisdiction"}, target: bindBucket},
	"vectorize":                {needs: []string{"index_name"}, target: bindIndex},
	"service":                  {needs: []string{"service"}, may: []string{"environment", "entrypoint", "props"}, target: bindService},
	"durable_object_namespace": {may: []string{"class_name", "script_name", "environment", "namespace_id"}, target: bindClass},
	"workflow":                 {needs: []string{"workflow_name"}, may: []string{"class_name", "script_name"}, target: bindWorkflow},
	"inherit":                  {may: []string{"old_name", "version_id"}},
}

var bindingName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// check refuses a binding that is not of its kind, each field by name.
func (b binding) check() error {
	name := b.text("name")
	if !bindingName.MatchString(name) {
		return refuse(http.StatusBadRequest, codeInvalid, "The binding's name %q is not valid.", name)
	}
	k, ok := kinds[b.text("type")]
	if !ok {
		return refuse(http.StatusBadRequest, codeInvalid, "The binding %s has the type %q, which there is not.", name, b.text("type"))
	}
	for _, field := range k.needs {
		value, ok := b[field]
		if text, isText := value.(string); !ok || value == nil || isText && text == "" && field != "text" {
			return refuse(http.StatusBadRequest, codeInvalid, "binding %s of type %s must have a valid `%s` specified", name, b["type"], field)
		}
	}
	for field := range b {
		if field != "name" && field != "type" && !slices.Contains(k.needs, field) && !slices.Contains(k.may, field) {
			return refuse(http.StatusBadRequest, codeInvalid, "The binding %s of type %s has a field %q, which there is not.", name, b["type"], field)
		}
	}
	return nil
}

const maxBindings = 128

// bind makes the bindings of an upload: each checked and led to what it names, those that are inherited taken from the newest version, and
// those kept whose type the upload says.
func (a *Account) bind(s *script, m metadata, strict bool) ([]binding, error) {
	if len(m.Bindings) > maxBindings {
		return nil, refuse(http.StatusBadRequest, codeInvalid, "A Worker has at most %d bindings, these are %d.", maxBindings, len(m.Bindings))
	}
	var before []binding
	if len(s.versions) > 0 {
		before = s.latest().bindings
	}
	named := map[string]bool{}
	var all []binding
	for _, b := range m.Bindings {
		if err := b.check(); err != nil {
			return nil, err
		}
		if named[b.text("name")] {
			return nil, refuse(http.StatusBadRequest, codeInvalid, "Binding name '%s' already in use. Please use a different name and try again.", b["name"])
		}
		named[b.text("name")] = true
		if b.text("type") == "inherit" {
			b = s.inherited(b, before)
			if b == nil && strict {
				return nil, refuse(http.StatusBadRequest, 10057, "inherit binding '%s' is invalid: the version before has none of that name", m.Bindings[len(named)-1]["name"])
			}
			if b == nil {
				continue
			}
		}
		b = maps.Clone(b)
		if err := a.lead(s, b); err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	for _, b := range before {
		if slices.Contains(m.KeepBindings, b.text("type")) && !named[b.text("name")] {
			all = append(all, b)
		}
	}
	return all, nil
}

// inherited is the binding that another one stands for.
func (s *script) inherited(b binding, before []binding) binding {
	if id := b.text("version_id"); id != "" {
		before = nil
		if v := s.version(id); v != nil {
			before = v.bindings
		}
	}
	from := b.text("old_name")
	if from == "" {
		from = b.text("name")
	}
	for _, old := range before {
		if old.text("name") == from {
			next := maps.Clone(old)
			next["name"] = b["name"]
			return next
		}
	}
	return nil
}

// lead finds what a binding names.
func (a *Account) lead(s *script, b binding) error {
	if target := kinds[b.text("type")].target; target != nil {
		return target(a, s, b)
	}
	return nil
}

// shown are bindings as they are told: the text of a secret never is.
func shown(all []binding) []binding {
	out := []binding{}
	for _, b := range all {
		if b.text("type") == "secret_text" {
			b = binding{"name": b["name"], "type": b["type"]}
		}
		out = append(out, b)
	}
	return out
}

const maxText = 5 << 10

func shortText(_ *Account, _ *script, b binding) error {
	if _, ok := b["text"].(string); !ok || len(b.text("text")) > maxText {
		return refuse(http.StatusBadRequest, codeInvalid, "The binding %s has to have a text of at most %d bytes.", b["name"], maxText)
	}
	return nil
}

func bindKV(a *Account, _ *script, b binding) error {
	if a.namespace(b.text("namespace_id")) == nil {
		return refuse(http.StatusBadRequest, 10041, "KV namespace '%s' is not valid: there is none on this account.", b["namespace_id"])
	}
	return nil
}

func bindQueue(a *Account, _ *script, b binding) error {
	if a.queueNamed(b.text("queue_name")) == nil {
		return refuse(http.StatusBadRequest, codeNoQueue, "Queue %q does not exist.", b["queue_name"])
	}
	return nil
}

func bindBucket(a *Account, _ *script, b binding) error {
	if _, ok := a.buckets[b.text("bucket_name")]; !ok {
		return refuse(http.StatusBadRequest, 10085, "R2 bucket '%s' not found.", b["bucket_name"])
	}
	return nil
}

func bindIndex(a *Account, _ *script, b binding) error {
	if a.indexes[b.text("index_name")] == nil {
		return refuse(http.StatusBadRequest, 10159, "Vectorize binding '%s' references index '%s' which was not found.", b["name"], b["index_name"])
	}
	return nil
}

func bindService(a *Account, s *script, b binding) error {
	if b.text("service") != s.name && a.scripts[b.text("service")] == nil {
		return refuse(http.StatusBadRequest, 10143, "Could not resolve service binding '%s'. Target script '%s' not found.", b["name"], b["service"])
	}
	b["environment"] = "production" // so it is told, the only one that there is
	return nil
}

// bindClass also tells the namespace's id, which is how the API shows such a binding.
func bindClass(a *Account, s *script, b binding) error {
	owner := s
	if name := b.text("script_name"); name != "" && name != s.name {
		if owner = a.scripts[name]; owner == nil {
			return refuse(http.StatusBadRequest, 10061, "Cannot create binding for class '%s' because script '%s' does not exist.", b["class_name"], name)
		}
	}
	c, ok := owner.classes[b.text("class_name")]
	if !ok {
		return refuse(http.StatusBadRequest, 10061, "Cannot create binding for class '%s' that is not currently configured to implement Durable Objects. Did you forget to apply a migration?", b["class_name"])
	}
	b["namespace_id"] = c.id
	return nil
}

// bindWorkflow asks for no Workflow: one is made after its Worker, which is bound to it. But the Worker has to be there.
func bindWorkflow(a *Account, s *script, b binding) error {
	name := b.text("script_name")
	if name != "" && name != s.name && a.scripts[name] == nil {
		return refuse(http.StatusBadRequest, 10200, "The Workflow binding '%s' names the Worker '%s', which does not exist.", b["name"], name)
	}
	return nil
}
