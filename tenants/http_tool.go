package tenants

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// HTTPTool is an endpoint outside that the tenant has called as a tool.
type HTTPTool struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`      // what it is for, to whoever chooses among tools
	URL         string          `json:"url"`              // in its path {name} stands for an argument: see Template
	Method      string          `json:"method,omitempty"` // POST when empty
	Input       json.RawMessage `json:"input"`            // JSON Schema of an object
	Output      json.RawMessage `json:"output,omitempty"` // the same; without it any object will do
	Auth        *ToolAuth       `json:"auth,omitempty"`

	TimeoutSeconds int         `json:"timeoutSeconds,omitempty"`
	Effects        ToolEffects `json:"effects,omitempty"`
	Needs          []APIScope  `json:"needs,omitempty"`   // what the caller's key holds besides the scope tools
	Private        bool        `json:"private,omitempty"` // also http and private networks; refused in prod
}

// ToolAuth is how a tool proves to its server that it may call.
type ToolAuth struct {
	Secret string  `json:"secret"`           // the name of what is sent
	Header string  `json:"header,omitempty"` // Authorization when empty
	Scheme *string `json:"scheme,omitempty"` // stands before the value; Bearer with Authorization, otherwise nothing
}

// ToolEffects are what a call of an HTTP tool changes.
type ToolEffects string

// The effects: nothing, or something.
const (
	ToolReads  ToolEffects = "reads"
	ToolWrites ToolEffects = "writes"
)

// defaults are those of one tool.
func (t *HTTPTool) defaults() {
	setDefault(&t.Method, http.MethodPost)
	setDefault(&t.TimeoutSeconds, 10)
	if t.Method == http.MethodGet {
		setDefault(&t.Effects, ToolReads)
	}
	setDefault(&t.Effects, ToolWrites)
	if a := t.Auth; a != nil {
		setDefault(&a.Header, authorization)
		if scheme := ""; a.Scheme == nil {
			if strings.EqualFold(a.Header, authorization) {
				scheme = "Bearer"
			}
			a.Scheme = &scheme
		}
	}
}

const authorization = "Authorization"

// InQuery reports whether arguments go as the query, and not as a body.
func (t *HTTPTool) InQuery() bool {
	return t.Method == http.MethodGet || t.Method == http.MethodDelete
}

// BaresSecret reports whether an address would have the tool's secret cross a network that anybody may read: over http, but to the machine itself.
func (t *HTTPTool) BaresSecret(u *url.URL) bool {
	host := strings.ToLower(u.Hostname())
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	return t.Auth != nil && u.Scheme != "https" && !loopback
}

// Template is the URL of an HTTP tool: what of it is fixed, and where its path has arguments.
type Template struct {
	Origin   *url.URL // scheme, host and port alone
	Segments [][]Part // of the path, which are joined by slashes
	Query    string   // as it is written
}

// Part is a text of a path, escaped, or the name of an argument.
type Part struct {
	Text     string
	Argument bool
}

// Arguments are the names of those in the path.
func (t Template) Arguments() (names []string) {
	for _, segment := range t.Segments {
		for _, p := range segment {
			if p.Argument {
				names = append(names, p.Text)
			}
		}
	}
	return names
}

// Fixed reports whether the URL itself says what a parameter of the query is.
func (t Template) Fixed(parameter string) bool {
	values, _ := url.ParseQuery(t.Query) // it was read before
	return values.Has(parameter)
}

// ParseTemplate reads the URL of an HTTP tool. The error says what is wrong with it, as the end of a sentence.
func ParseTemplate(raw string) (t Template, err error) {
	if len(raw) > maxURLBytes || strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '#' }) {
		return t, errors.New("is too long, or has a character that no address of a tool has")
	}
	base, query, _ := strings.Cut(raw, "?")
	scheme, rest, absolute := strings.Cut(base, "://")
	authority, route, _ := strings.Cut(rest, "/")
	if !absolute || scheme != "https" && scheme != "http" {
		return t, errors.New("is not an address of the web, https")
	}
	if t.Origin, err = url.Parse(scheme + "://" + authority); err != nil || t.Origin.User != nil || t.Origin.Hostname() == "" || strings.ContainsAny(authority, "{}") {
		return t, errors.New("has no host, or something besides that only a path may have")
	}
	if _, err := url.ParseQuery(query); err != nil || strings.ContainsAny(query, "{}") {
		return t, errors.New("has a query that is none; arguments stand in the path alone")
	}
	t.Query = query
	for text := range strings.SplitSeq(route, "/") {
		segment, err := parseSegment(text)
		if err != nil {
			return t, err
		}
		t.Segments = append(t.Segments, segment)
	}
	names := t.Arguments()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) < len(names) {
		return t, errors.New("has an argument twice")
	}
	return t, nil
}

// parseSegment reads what is between two slashes.
func parseSegment(text string) (parts []Part, err error) {
	whole := text
	for text != "" {
		before, rest, open := strings.Cut(text, "{")
		if plain, err := url.PathUnescape(before); err != nil || strings.Contains(before, "}") || DotPath(plain) && before == whole {
			return nil, errors.New("has a path that is none")
		}
		if before != "" {
			parts = append(parts, Part{Text: before})
		}
		if !open {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || !isMetadataName(name) {
			return nil, errors.New("has braces that are around no name of an argument, such as {order}")
		}
		parts, text = append(parts, Part{Text: name, Argument: true}), after
	}
	return parts, nil
}

// DotPath reports whether a part of a path, with nothing escaped, leads elsewhere: it is "." or "..", or has one of them between slashes.
func DotPath(plain string) bool {
	for part := range strings.SplitSeq(strings.ReplaceAll(plain, `\`, "/"), "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
