package api

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// kind is a kind of JSON value, named as messages name it.
type kind string

const (
	isObject  kind = "an object"
	isArray   kind = "an array"
	isString  kind = "a string"
	isNumber  kind = "a number"
	isWhole   kind = "a whole number"
	isBoolean kind = "a boolean"
	isNull    kind = "null"
	isAny     kind = "any value"
)

// shape is what a JSON value must look like, made once from a Go type, so that no request pays for reflection.
type shape struct {
	kind     kind
	optional bool              // null stands for absence
	fields   map[string]*shape // of an object with fixed fields
	elem     *shape            // of an array, or of an object with any fields
	hint     string            // of an object with fixed fields: which they are
}

// anything is the shape of free JSON: nothing is asked of it but that it is JSON and names no field twice.
var anything = &shape{kind: isAny, optional: true}

func shapeOf[T any]() *shape { return shapeOfType(reflect.TypeFor[T]()) }

func shapeOfType(t reflect.Type) *shape {
	if t == reflect.TypeFor[json.RawMessage]() {
		return anything
	}
	if t == reflect.TypeFor[text]() {
		return &shape{kind: isString}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return shapeOfType(t.Elem())
	case reflect.Interface:
		return anything
	case reflect.String:
		return &shape{kind: isString}
	case reflect.Bool:
		return &shape{kind: isBoolean}
	case reflect.Int, reflect.Int64: // as wide: Workers have 64 bits
		return &shape{kind: isWhole}
	case reflect.Float64:
		return &shape{kind: isNumber}
	case reflect.Slice:
		return &shape{kind: isArray, elem: shapeOfType(t.Elem())}
	case reflect.Map:
		return &shape{kind: isObject, elem: shapeOfType(t.Elem())}
	case reflect.Struct:
		return shapeOfStruct(t)
	}
	panic("api: no JSON shape for " + t.String())
}

func shapeOfStruct(t reflect.Type) *shape {
	sh := &shape{kind: isObject, fields: map[string]*shape{}}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			panic("api: field " + f.Name + " of a body has no JSON name")
		}
		member := *shapeOfType(f.Type)
		member.optional = true
		sh.fields[name] = &member
	}
	sh.hint = "fields are " + strings.Join(slices.Sorted(maps.Keys(sh.fields)), ", ")
	return sh
}

func (sh *shape) takes(k kind) bool {
	return sh.kind == k || sh.kind == isAny || k == isNull && sh.optional
}

// member is the shape of a field, nil when the object has none of that name.
func (sh *shape) member(name []byte) *shape {
	switch {
	case sh.fields != nil:
		return sh.fields[string(name)]
	case sh.elem != nil:
		return sh.elem
	}
	return anything
}

func (sh *shape) element() *shape {
	if sh.elem != nil {
		return sh.elem
	}
	return anything
}

// names are the fields an object has had so far: a list while they are few, a set from then on.
type names struct {
	few  [][]byte
	many map[string]struct{}
}

// add reports whether the name is new.
func (n *names) add(name []byte) bool {
	if n.many != nil {
		_, had := n.many[string(name)]
		n.many[string(name)] = struct{}{}
		return !had
	}
	for _, had := range n.few {
		if string(had) == string(name) {
			return false
		}
	}
	if n.few = append(n.few, name); len(n.few) > 16 {
		n.many = make(map[string]struct{}, 64)
		for _, had := range n.few {
			n.many[string(had)] = struct{}{}
		}
	}
	return true
}
