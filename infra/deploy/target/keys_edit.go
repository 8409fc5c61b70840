package target

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/tailscale/hujson"

	"levada.dev/events/fault"
)

// AddKey is a keys.json with one key more; everything else stays as it was. An empty text is a new file. A name that the environment has
// already is fault.Conflict, code key_exists.
func AddKey(src []byte, k Key) ([]byte, error) {
	d, list, keys, err := editKeys(src)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(keys, func(o Key) bool { return o.Name == k.Name && o.Env == k.Env }) {
		return nil, fault.New(fault.Conflict, "key_exists", "there is a key "+k.Name+" in "+k.Env+" already", nil).
			WithHint("call it otherwise, or revoke the other first")
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	element, err := hujson.Parse(text)
	if err != nil {
		return nil, err
	}
	space(&element)
	indent := "  "
	if n := len(list.Elements); n > 0 {
		last := list.Elements[n-1]
		if i := bytes.LastIndexByte(last.BeforeExtra, '\n'); i >= 0 {
			indent = blanks(last.BeforeExtra[i+1:])
		}
		if last.AfterExtra != nil {
			element.AfterExtra = hujson.Extra{} // the comma that trails
		}
	}
	list.AfterExtra = appendAfter(list.AfterExtra, 0, func(before hujson.Extra) {
		element.BeforeExtra = append(before, indent...)
		list.Elements = append(list.Elements, element)
	})
	return checked(d.tree.Pack())
}

// RemoveKey is a keys.json without a key, and without the comment on it. That it is not there is fault.NotFound, code key_not_found.
func RemoveKey(src []byte, env, name string) ([]byte, error) {
	d, list, keys, err := editKeys(src)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, k := range keys {
		if k.Env == env {
			names = append(names, k.Name)
		}
	}
	i := slices.IndexFunc(keys, func(k Key) bool { return k.Name == name && k.Env == env })
	if i < 0 {
		missing := fault.Missing("key_not_found", "there is no key %.64q in %s", name, env)
		if len(names) > 0 {
			return nil, missing.WithHint(didYouMean(name, names))
		}
		return nil, missing
	}
	removed := list.Elements[i]
	switch {
	case i+1 < len(list.Elements):
		next := &list.Elements[i+1]
		next.BeforeExtra = bridge(removed.BeforeExtra, next.BeforeExtra)
	default:
		list.AfterExtra = bridge(removed.BeforeExtra, list.AfterExtra)
		if i > 0 {
			list.Elements[i-1].AfterExtra = removed.AfterExtra // whether a comma trails
		}
	}
	list.Elements = slices.Delete(list.Elements, i, i+1)
	return checked(d.tree.Pack())
}

// bridge is what stands between the neighbours of an element that goes. What follows a thing in its line is about it, so the line before
// stays, and the element's own goes.
func bridge(before, after hujson.Extra) hujson.Extra {
	var kept hujson.Extra
	if i := bytes.IndexByte(before, '\n'); i >= 0 {
		kept = append(kept, before[:i]...)
	}
	if i := bytes.IndexByte(after, '\n'); i >= 0 {
		after = after[i:]
	}
	return append(kept, after...)
}

// space puts a space behind every comma and colon of a value that has none.
func space(v *hujson.Value) {
	switch x := v.Value.(type) {
	case *hujson.Object:
		for i := range x.Members {
			if i > 0 {
				x.Members[i].Name.BeforeExtra = hujson.Extra(" ")
			}
			space(&x.Members[i].Value)
			x.Members[i].Value.BeforeExtra = hujson.Extra(" ")
		}
	case *hujson.Array:
		for i := range x.Elements {
			space(&x.Elements[i])
			if i > 0 {
				x.Elements[i].BeforeExtra = hujson.Extra(" ")
			}
		}
	}
}

// editKeys reads a keys.json that has no mistake in it.
func editKeys(src []byte) (*document, *hujson.Array, []Key, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		src = []byte("[\n]\n")
	}
	d := &document{name: KeysFile, text: src}
	d.parse()
	if err := d.problems.Err(); err != nil {
		return nil, nil, nil, err
	}
	keys := checkKeys(d)
	if err := d.placed().Err(); err != nil {
		return nil, nil, nil, err
	}
	return d, d.tree.Value.(*hujson.Array), keys, nil
}

// checked is a keys.json that was edited, if it is right.
func checked(text []byte) ([]byte, error) {
	if _, _, _, err := editKeys(text); err != nil {
		return nil, err
	}
	return text, nil
}
