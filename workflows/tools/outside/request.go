package outside

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/web"
	"levada.dev/workflows/tools"
)

// maxAddress is how long an address may be, with all arguments: less than what servers take in a line.
const maxAddress = 8_192

// parcel is what goes out for a call.
type parcel struct {
	address string
	header  http.Header // without the secret
	body    []byte      // nil with a method that has none
}

// pack makes the request of a call: its arguments in the path, and the others in the query or the body. A mistake is fault.Invalid at the argument.
func (e *endpoint) pack(c *tools.Call) (parcel, error) {
	var arguments map[string]any
	dec := json.NewDecoder(bytes.NewReader(c.Input))
	dec.UseNumber() // in canonical form
	if err := dec.Decode(&arguments); err != nil {
		return parcel{}, fault.New(fault.Internal, "arguments_encoding", "", err) // they fit the schema of an object
	}
	path, err := expand(e.template, arguments)
	if err != nil {
		return parcel{}, err
	}
	for _, name := range e.template.Arguments() {
		delete(arguments, name)
	}
	p := parcel{address: e.template.Origin.String() + path, header: e.header(c)}
	query := e.template.Query
	if e.declared.InQuery() {
		if query, err = e.query(arguments); err != nil {
			return parcel{}, err
		}
	} else if p.body, err = encode(arguments); err != nil {
		return parcel{}, err
	}
	if query != "" {
		p.address += "?" + query
	}
	if len(p.address) > maxAddress {
		return parcel{}, fault.Invalidf("", "address_too_long", "make an address of %d bytes, above %d", len(p.address), maxAddress)
	}
	return p, nil
}

// header is all that is said beside the arguments and the secret.
func (e *endpoint) header(c *tools.Call) http.Header {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {web.UserAgent}}
	if !e.declared.InQuery() {
		h.Set("Content-Type", "application/json")
	}
	if e.declared.Effects == tenants.ToolWrites {
		h.Set("Idempotency-Key", c.Once)
	}
	if c.RequestID != "" {
		h.Set("X-Request-Id", c.RequestID)
	}
	return h
}

// expand is the path with its arguments, level 1 of RFC 6570. One that would lead to another path is refused.
func expand(t tenants.Template, arguments map[string]any) (string, error) {
	var path strings.Builder
	for _, parts := range t.Segments {
		segment, last := "", ""
		for _, p := range parts {
			if !p.Argument {
				segment += p.Text
				continue
			}
			text, ok := scalar(arguments[p.Text])
			if !ok {
				return "", fault.Invalidf(p.Text, "argument_refused", "is in an address, so it has to be a text, a number or a boolean")
			}
			segment, last = segment+escape(text), p.Text
		}
		plain, err := url.PathUnescape(segment)
		if last != "" && (err != nil || plain == "" || tenants.DotPath(plain)) {
			return "", fault.Invalidf(last, "argument_refused", "would lead to another address").WithHint("it is a part of a path: not empty, and without . or .. as a part of its own")
		}
		path.WriteString("/" + segment)
	}
	return path.String(), nil
}

// query is that of the URL, and the arguments behind it.
func (e *endpoint) query(arguments map[string]any) (string, error) {
	var pairs []string
	if e.template.Query != "" {
		pairs = append(pairs, e.template.Query)
	}
	for _, name := range names(arguments) {
		if e.template.Fixed(name) {
			return "", fault.Invalidf(name, "argument_refused", "is said by the tool itself")
		}
		items, list := arguments[name].([]any)
		if !list {
			items = []any{arguments[name]}
		}
		for i, item := range items {
			if item == nil {
				continue
			}
			text, ok := scalar(item)
			if !ok {
				at := name
				if list {
					at += "[" + strconv.Itoa(i) + "]"
				}
				return "", fault.Invalidf(at, "argument_refused", "is in a query, so it has to be a text, a number or a boolean")
			}
			pairs = append(pairs, escape(name)+"="+escape(text))
		}
	}
	return strings.Join(pairs, "&"), nil
}

func names(arguments map[string]any) []string {
	all := make([]string, 0, len(arguments))
	for name := range arguments {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// scalar is a text, a number or a boolean as it is written.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return string(v), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

const hexDigits = "0123456789ABCDEF"

// escape writes everything in percent but the unreserved characters of RFC 3986.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hexDigits[c>>4], hexDigits[c&15]})
	}
	return b.String()
}

// encode is a value as JSON, with no more escapes than it needs.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fault.New(fault.Internal, "json_encoding", "", err) // of what was JSON
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
