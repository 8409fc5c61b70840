package tenants

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of HTTP tools. tenant.schema.json repeats them, but for those of schemas.
const (
	MaxHTTPTools        = 32
	MaxHTTPToolSeconds  = 30
	MaxToolSchemaBytes  = 64 << 10
	MaxToolSchemasBytes = 256 << 10 // of all tools of a tenant
	MaxToolSchemaParts  = 1_000     // see SchemaParts: what is compiled takes some 800 bytes for each, however short it is written
	MaxToolSchemasParts = 4_000     // of all tools of a tenant
	maxToolName         = 64
	maxToolDescription  = 1_000
	maxHeaderChars      = 64
	maxSchemeChars      = 32
)

// methods are those that an HTTP tool may be called by.
var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// ourHeaders are those that a tool's request has anyway, or that are the connection's, in lower case.
var ourHeaders = []string{"accept", "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "expect", "host",
	"idempotency-key", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "x-request-id"}

// httpToolProblems checks the declarations but for what only a compiler of schemas finds, which tenants/validate asks.
func (c *Config) httpToolProblems(ps *Problems) {
	all := c.Tools.HTTP
	if len(all) > MaxHTTPTools {
		ps.add("tools.http", "", "has %d elements, more than %d", len(all), MaxHTTPTools)
	}
	bytes, parts := 0, 0
	for i := range all {
		t, at := &all[i], fmt.Sprintf("tools.http[%d]", i)
		switch {
		case t.Name == "":
			ps.add(at+".name", "", "is required")
		case !IsToolName(t.Name):
			ps.add(at+".name", "such as order_status", "%.64q is not 1 to %d small letters, digits and underscores", t.Name, maxToolName)
		case slices.Contains(PlatformTools(), t.Name):
			ps.add(at+".name", "give it another", "%q is a tool of the platform", t.Name)
		case slices.ContainsFunc(all[:i], func(o HTTPTool) bool { return o.Name == t.Name }):
			ps.add(at+".name", "", "%q appears twice", t.Name)
		}
		t.problems(ps, at)
		if t.Auth != nil {
			c.toolSecretProblem(ps, at+".auth.secret", t.Auth.Secret)
		}
		bytes += len(t.Input) + len(t.Output)
		parts += SchemaParts(t.Input) + SchemaParts(t.Output)
	}
	if bytes > MaxToolSchemasBytes {
		ps.add("tools.http", "", "has schemas of %d bytes together, more than %d", bytes, MaxToolSchemasBytes)
	}
	if parts > MaxToolSchemasParts {
		ps.add("tools.http", partsHint, "has schemas of %d parts together, more than %d", parts, MaxToolSchemasParts)
	}
}

const partsHint = "each object, list, true and false in a schema is a part"

// SchemaParts is how many objects, lists, trues and falses a JSON text has: no fewer than the schemas that are made of it.
func SchemaParts(text []byte) (n int) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[', 't', 'f':
			n++
		}
	}
	return n
}

// IsToolName reports whether a tool can have the name: models' interfaces take no others.
func IsToolName(s string) bool { return len(s) <= maxToolName && consistsOf(s, "_", false) }

func (t *HTTPTool) problems(ps *Problems, at string) {
	if n := utf8.RuneCountInString(strings.TrimSpace(t.Description)); n == 0 {
		ps.add(at+".description", "say what it is for: models choose by it", "is required")
	} else if n > maxToolDescription {
		ps.add(at+".description", "", "is longer than %d characters", maxToolDescription)
	}
	if !slices.Contains(methods, t.Method) {
		ps.add(at+".method", didYouMean(t.Method, methods), "%.20q is not a method of a tool", t.Method)
	}
	if t.Effects != ToolReads && t.Effects != ToolWrites {
		ps.add(at+".effects", didYouMean(string(t.Effects), []ToolEffects{ToolReads, ToolWrites}), "%.20q is not what a tool changes", t.Effects)
	}
	between(ps, at+".timeoutSeconds", int64(t.TimeoutSeconds), MaxHTTPToolSeconds)
	for i, scope := range t.Needs {
		path := fmt.Sprintf("%s.needs[%d]", at, i)
		if !slices.Contains(AllScopes, scope) {
			ps.add(path, didYouMean(string(scope), AllScopes), "no right is called %.40q", scope)
		} else if slices.Contains(t.Needs[:i], scope) {
			ps.add(path, "", "%q appears twice", scope)
		}
	}
	if t.Auth != nil {
		t.Auth.problems(ps, at+".auth")
	}
	input := outline(ps, at+".input", t.Input, true)
	outline(ps, at+".output", t.Output, false)
	t.urlProblems(ps, at, input)
}

// urlProblems checks the URL, and that the schema requires what its path needs.
func (t *HTTPTool) urlProblems(ps *Problems, at string, input *schemaOutline) {
	if t.URL == "" {
		ps.add(at+".url", "", "is required")
		return
	}
	template, err := ParseTemplate(t.URL)
	if err != nil {
		ps.add(at+".url", "such as https://shop.example.com/orders/{order}", "%s", err)
		return
	}
	if template.Origin.Scheme != "https" && !t.Private {
		ps.add(at+".url", `"private": true opens http on the local platform`, "is not https")
	}
	if t.BaresSecret(template.Origin) {
		ps.add(at+".auth", "use https", "is not sent over http, but to the machine itself")
	}
	if input == nil {
		return
	}
	inPath := template.Arguments()
	for _, name := range inPath {
		switch {
		case input.Properties[name] == nil:
			ps.add(at+".url", "describe it in input.properties", "has an argument %q that input does not", name)
		case !slices.Contains(input.Required, name):
			ps.add(at+".input.required", "an address is not without it", "does not have %q, which is in the path of the url", name)
		case typeOf(input.Properties[name]) == "object" || typeOf(input.Properties[name]) == "array":
			ps.add(join(at+".input.properties", name), "", "is in the path of the url, so it has to be a text, a number or a boolean")
		}
	}
	for name, property := range input.Properties {
		if !t.InQuery() || slices.Contains(inPath, name) {
			continue
		}
		if typeOf(property) == "object" {
			ps.add(join(at+".input.properties", name), "use POST, or members of their own", "is an object, which a query cannot hold")
		}
		if template.Fixed(name) {
			ps.add(join(at+".input.properties", name), "", "is a parameter that the url has already")
		}
	}
}

// schemaOutline is what of a schema is looked at without a compiler.
type schemaOutline struct {
	Required   []string                   `json:"required"`
	Properties map[string]json.RawMessage `json:"properties"`
}

// outline checks that a text may be a schema of an object. It is nil when it may not, or when it is not known to be one.
func outline(ps *Problems, path string, text json.RawMessage, required bool) *schemaOutline {
	switch {
	case len(text) == 0 && !required:
		return nil
	case len(text) == 0:
		ps.add(path, `a JSON Schema; of a tool without arguments {"type": "object", "additionalProperties": false}`, "is required")
	case len(text) > MaxToolSchemaBytes:
		ps.add(path, "", "has %d bytes, more than %d", len(text), MaxToolSchemaBytes)
	case typeOf(text) != "object":
		ps.add(join(path, "type"), "", `has to be "object"`)
	case SchemaParts(text) > MaxToolSchemaParts:
		ps.add(path, partsHint, "has %d parts, more than %d", SchemaParts(text), MaxToolSchemaParts)
	default:
		var o schemaOutline
		if json.Unmarshal(text, &o) == nil { // else the compiler says why
			return &o
		}
	}
	return nil
}

// typeOf is the type that a schema asks for, when it is one.
func typeOf(schema json.RawMessage) string {
	var s struct {
		Type any `json:"type"`
	}
	_ = json.Unmarshal(schema, &s) // a schema may be true or false
	name, _ := s.Type.(string)
	return name
}

func (a *ToolAuth) problems(ps *Problems, at string) {
	if a.Secret == "" {
		ps.add(at+".secret", "the name of a secret: "+idHint, "is required")
	} else if !isID(a.Secret) {
		ps.add(at+".secret", idHint, "%.40q is not the name of a secret", a.Secret)
	}
	if len(a.Header) > maxHeaderChars || !consistsOf(a.Header, "-_", true) || slices.Contains(ourHeaders, strings.ToLower(a.Header)) {
		ps.add(at+".header", "such as Authorization or X-Api-Key", "%.64q is not a header that a secret can be in", a.Header)
	}
	if a.Scheme != nil && *a.Scheme != "" && (len(*a.Scheme) > maxSchemeChars || !consistsOf(*a.Scheme, "-_", true)) {
		ps.add(at+".scheme", `such as Bearer; "" is for the value alone`, "%.40q is not the name of a scheme", *a.Scheme)
	}
}

// toolSecretProblem refuses a secret that signs webhooks: what a sender knows must not open another server, nor the other way round.
func (c *Config) toolSecretProblem(ps *Problems, path, name string) {
	for _, s := range c.Sources {
		if s.Webhook != nil && slices.Contains(s.Webhook.Secrets, name) {
			ps.add(path, "give the tool a secret of its own", "%q is a secret of the source %q", name, s.ID)
			return
		}
	}
}
