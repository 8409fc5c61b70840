package tenants

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Shape compares a JSON text with the struct it is to become. It is stricter than encoding/json and finds
// everything, not only the first: members that the struct does not have (also in another case), that appear
// twice or are null, values of a wrong type, and zero values, which would silently become defaults. A field that is
// a pointer may be zero: it tells zero from nothing. A json.RawMessage is any object.
func Shape(b []byte, t reflect.Type) Problems {
	if problem, bad := syntaxProblem(b); bad {
		return Problems{problem}
	}
	w := &walker{dec: json.NewDecoder(bytes.NewReader(b))}
	w.dec.UseNumber()
	w.value("", t, "")
	return w.found
}

// syntaxProblem finds the first place where b is no JSON.
func syntaxProblem(b []byte) (Problem, bool) {
	var v any
	err := json.Unmarshal(b, &v)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return Problem{}, false
	}
	before := b[:min(max(int(syntax.Offset)-1, 0), len(b))]
	return Problem{
		Line:    1 + bytes.Count(before, []byte("\n")),
		Column:  len(before) - bytes.LastIndexByte(before, '\n'),
		Message: "is not JSON: " + syntax.Error(),
	}, true
}

// walker reads the tokens of a text that is known to be JSON, so they never fail.
type walker struct {
	dec   *json.Decoder
	found Problems
}

// value reads one value that is to become a t; a nil type takes anything. What is wrong with a zero value is said
// by ifZero, unless that is empty.
func (w *walker) value(path string, t reflect.Type, ifZero string) {
	if t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	token, _ := w.dec.Token()
	kind := kindOf(token)
	if t != nil && kind != wanted(t) {
		w.found.add(path, "", "must be %s, not %s", article(wanted(t)), article(kind))
		t = nil
	}
	if t == rawObject {
		t = nil
	}
	switch {
	case token == json.Delim('{'):
		w.object(path, t)
	case token == json.Delim('['):
		w.array(path, t)
	case t == nil:
	case kind == "number" && !isWhole(token):
		w.found.add(path, "", "must be a whole number")
	case ifZero != "" && (token == "" || token == json.Number("0") || token == json.Number("-0")):
		w.found.add(path, "", "%s", ifZero)
	}
}

func isWhole(token json.Token) bool {
	number, _ := token.(json.Number)
	_, err := strconv.ParseInt(string(number), 10, 64)
	return err == nil
}

func (w *walker) object(path string, t reflect.Type) {
	var seen []string
	for w.dec.More() {
		token, _ := w.dec.Token()
		name, _ := token.(string)
		at := join(path, name)
		if slices.Contains(seen, name) {
			w.found.add(at, "", "appears twice")
		}
		seen = append(seen, name)
		switch {
		case t == nil:
			w.value(at, nil, "")
		case t.Kind() == reflect.Map:
			w.value(at, t.Elem(), "")
		default:
			w.field(at, name, t)
		}
	}
	_, _ = w.dec.Token() // the closing brace
}

// field reads the value of a struct's field.
func (w *walker) field(path, name string, t reflect.Type) {
	for f := range t.Fields() {
		known, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if known != name {
			continue
		}
		switch {
		case f.Type.Kind() == reflect.Pointer:
			w.value(path, f.Type, "")
		case strings.HasPrefix(options, "omit"):
			w.value(path, f.Type, "must not be empty or 0: leave it out for the default")
		default:
			w.value(path, f.Type, "is required")
		}
		return
	}
	hint := ""
	if best, ok := Closest(name, fieldNames(t)); ok {
		hint = "did you mean " + strconv.Quote(best) + "?"
	}
	w.found.add(path, hint, "is not a known field")
	w.value(path, nil, "")
}

func (w *walker) array(path string, t reflect.Type) {
	for i := 0; w.dec.More(); i++ {
		var elem reflect.Type
		if t != nil {
			elem = t.Elem()
		}
		w.value(path+"["+strconv.Itoa(i)+"]", elem, "")
	}
	_, _ = w.dec.Token() // the closing bracket
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func fieldNames(t reflect.Type) []string {
	var names []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// kindOf names the JSON type of the value that a token is or begins.
func kindOf(token json.Token) string {
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return "object"
		}
		return "array"
	case string:
		return "string"
	case json.Number:
		return "number"
	case bool:
		return "boolean"
	}
	return "null"
}

// rawObject is an object of which only the names are looked at: a JSON Schema.
var rawObject = reflect.TypeFor[json.RawMessage]()

// wanted names the JSON type that becomes a t.
func wanted(t reflect.Type) string {
	if t == rawObject {
		return "object"
	}
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	}
	return "number"
}

func article(kind string) string {
	switch kind {
	case "null":
		return kind
	case "object", "array":
		return "an " + kind
	}
	return "a " + kind
}
