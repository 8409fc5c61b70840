package deploy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"levada.dev/infra/stack"
)

// metadata is what is said of a Worker beside its modules, as the API takes it.
// https://developers.cloudflare.com/workers/configuration/multipart-upload-metadata/
type metadata struct {
	MainModule         string            `json:"main_module"`
	CompatibilityDate  string            `json:"compatibility_date"`
	CompatibilityFlags []string          `json:"compatibility_flags,omitempty"`
	Bindings           []binding         `json:"bindings"`
	KeepBindings       []string          `json:"keep_bindings,omitempty"`
	Limits             *limits           `json:"limits,omitempty"`
	Observability      *observability    `json:"observability,omitempty"`
	Tags               []string          `json:"tags,omitempty"`
	Migrations         *migrations       `json:"migrations,omitempty"`
	Annotations        map[string]string `json:"annotations,omitempty"`
	Assets             *assetsMetadata   `json:"assets,omitempty"`
}

type limits struct {
	CPUMillis int `json:"cpu_ms,omitempty"`
}

// observability is what is logged and traced; a rate is a part of 1.
type observability struct {
	Enabled bool          `json:"enabled"`
	Rate    float64       `json:"head_sampling_rate,omitempty"`
	Logs    *observedPart `json:"logs,omitempty"`
	Traces  *observedPart `json:"traces,omitempty"`
}

type observedPart struct {
	Enabled     bool    `json:"enabled"`
	Rate        float64 `json:"head_sampling_rate,omitempty"`
	Invocations *bool   `json:"invocation_logs,omitempty"` // of logs, where the API's document requires it: a line for each event beside what is logged, with the request's address and headers

	// Destinations of the account's, by name, that it is exported to: https://developers.cloudflare.com/workers/observability/opentelemetry-export/
	Destinations []string `json:"destinations,omitempty"`
}

type migrations struct {
	OldTag string          `json:"old_tag,omitempty"`
	NewTag string          `json:"new_tag"`
	Steps  []migrationStep `json:"steps"`
}

type migrationStep struct {
	NewSQLiteClasses []string `json:"new_sqlite_classes,omitempty"`
}

// binding is a binding of any kind. While it is planned, a namespace has its title; the id is filled in for the upload.
type binding struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Text       string `json:"text,omitempty"`
	Namespace  string `json:"namespace_id,omitempty"`
	Bucket     string `json:"bucket_name,omitempty"`
	Queue      string `json:"queue_name,omitempty"`
	Class      string `json:"class_name,omitempty"`
	Script     string `json:"script_name,omitempty"`
	Workflow   string `json:"workflow_name,omitempty"`
	Index      string `json:"index_name,omitempty"`
	Service    string `json:"service,omitempty"`
	Dataset    string `json:"dataset,omitempty"`
	namespaced bool   // Namespace is a title
}

const (
	plainText  = "plain_text"
	secretText = "secret_text"
)

// describe is a Worker as it is wanted, without what only the account knows.
func (d *Desired) describe(w stack.Worker) metadata {
	m := metadata{
		MainModule: mainModule, CompatibilityDate: w.CompatibilityDate, CompatibilityFlags: w.CompatibilityFlags,
		Observability: observed(d.Stack.Observability), Assets: d.describeAssets(w),
	}
	if w.CPUMillis > 0 {
		m.Limits = &limits{CPUMillis: w.CPUMillis}
	}
	vars := d.Stack.VarsOf(w)
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		m.Bindings = append(m.Bindings, binding{Name: name, Type: plainText, Text: vars[name]})
	}
	for _, b := range w.Bindings {
		m.Bindings = append(m.Bindings, d.bind(w.Role, b))
	}
	return m
}

// observed is never with the platform's own line for each event, which has what docs/logs.md keeps out.
func observed(o stack.Observability) *observability {
	part := func(percent int, to string) *observedPart {
		p := &observedPart{Enabled: percent > 0, Rate: float64(percent) / 100}
		if to != "" {
			p.Destinations = []string{to}
		}
		return p
	}
	all := &observability{Enabled: o.Logs > 0 || o.Traces > 0, Logs: part(o.Logs, o.LogsTo), Traces: part(o.Traces, o.TracesTo)}
	all.Logs.Invocations = new(bool)
	return all
}

// bind is a binding of the table in the account's names.
func (d *Desired) bind(role stack.Role, b stack.Binding) binding {
	out := binding{Name: b.Name, Type: string(b.Kind)}
	name := d.Unit.Name(b.Target)
	switch b.Kind {
	case stack.KV:
		out.Namespace, out.namespaced = name, true
	case stack.R2:
		out.Bucket = name
	case stack.Producer:
		out.Queue = name
	case stack.Vectorize:
		out.Index = name
	case stack.Service:
		out.Service = name
	case stack.Analytics:
		out.Dataset = d.Unit.Dataset(b.Target)
	case stack.GatewayID:
		out.Type, out.Text = plainText, name
	case stack.Class:
		out.Class, out.Script = b.Target, d.elsewhere(role, b)
	case stack.Flow:
		out.Workflow, out.Script = name, d.elsewhere(role, b)
		for _, f := range d.Stack.Workflows {
			if f.Name == b.Target {
				out.Class = f.Class
			}
		}
	}
	return out
}

// elsewhere names the script that has the class of a binding, unless it is the Worker's own.
func (d *Desired) elsewhere(role stack.Role, b stack.Binding) string {
	if on := d.Stack.Home(b); on != role {
		return d.Unit.Script(on)
	}
	return ""
}

// spec is the digest of all that is wanted of a Worker but its secrets. It goes into a tag.
func (d *Desired) spec(w stack.Worker) string {
	if v, back := d.Versions[w.Role]; back {
		return v.Spec
	}
	h := sha256.New()
	text, err := json.Marshal(struct {
		Metadata metadata
		Classes  []stack.Object
	}{d.describe(w), d.Stack.ObjectsOf(w.Role)})
	if err != nil {
		panic(err) // strings and numbers
	}
	h.Write(text)
	h.Write([]byte(d.Code[w.Role].Digest))
	if files := d.Code[w.Role].Assets; files != nil {
		h.Write([]byte(files.Digest))
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// fingerprint tells whether a Worker's secrets are others than those it has; it is empty when they are not given. Each value is a key of
// many random bits, so that nobody finds it out by trying.
func (d *Desired) fingerprint(w stack.Worker) string {
	if v, back := d.Versions[w.Role]; back {
		return v.Secrets
	}
	given := d.secrets(w)
	if len(given) < len(w.Secrets) || len(given) == 0 {
		return ""
	}
	all := sha256.New()
	for _, b := range given {
		mac := hmac.New(sha256.New, []byte(b.Text))
		fmt.Fprintf(mac, "levada secret %s of %s", b.Name, d.Unit.Script(w.Role))
		all.Write(mac.Sum(nil))
	}
	return hex.EncodeToString(all.Sum(nil))[:16]
}

// secrets are the bindings of the Worker's secrets whose values are given.
func (d *Desired) secrets(w stack.Worker) []binding {
	var given []binding
	for _, name := range slices.Sorted(slices.Values(w.Secrets)) {
		if value := d.Secrets[name]; value != "" {
			given = append(given, binding{Name: name, Type: secretText, Text: value})
		}
	}
	return given
}
