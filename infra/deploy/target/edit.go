package target

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/tailscale/hujson"

	"levada.dev/events/fault"
)

// blank is a deploy.json that says nothing yet.
const blank = `{
  "$schema": "deploy.schema.json",
  "environments": {}
}
`

// AddPool is a deploy.json with an entry for a pool in an environment; every comment and everything else stays as it was. An empty text is
// a new file. An entry that is there already is left alone, and so is the text; another one for the same pool is fault.Conflict, code
// pool_exists. What the result would be wrong in because of the entry is fault.Invalid.
func AddPool(src []byte, env, pool string, entry Entry) ([]byte, error) {
	if len(bytes.TrimSpace(src)) == 0 {
		src = []byte(blank)
	}
	d := &document{name: File, text: src}
	d.parse()
	if err := d.problems.Err(); err != nil {
		return nil, err
	}
	if e := decode(d.standard).of(env); e != nil {
		if there, ok := e.Pools[pool]; ok {
			if reflect.DeepEqual(there, entry) {
				return src, nil
			}
			return nil, fault.New(fault.Conflict, "pool_exists", "environments."+env+".pools."+pool+" is there already, and says something else", nil)
		}
	}
	at := &d.tree
	for depth, name := range []string{"environments", env, "pools"} {
		var err error
		if at, err = descend(at, depth, name); err != nil {
			return nil, err
		}
	}
	if _, ok := at.Value.(*hujson.Object); !ok {
		return nil, errNoObject("pools")
	}
	if err := add(at.Value.(*hujson.Object), 3, pool, entry); err != nil {
		return nil, err
	}
	out := d.tree.Pack()
	after := &document{name: File, text: out}
	after.parse()
	checkForm(after)
	for _, p := range after.placed() {
		if inside(p.Path, "environments."+env+".pools."+pool) || inside("environments."+env, p.Path) {
			return nil, fault.Invalidf(p.Path, "config_invalid", "%s", p.Message).WithHint(p.Hint)
		}
	}
	return out, nil
}

func errNoObject(name string) error {
	return fault.Invalidf(name, "config_invalid", "is no object in %s", File)
}

// descend is the member of an object, which is made when it is not there.
func descend(v *hujson.Value, depth int, name string) (*hujson.Value, error) {
	obj, ok := v.Value.(*hujson.Object)
	if !ok {
		return nil, errNoObject(name)
	}
	for i := range obj.Members {
		if nameOf(obj.Members[i]) == name {
			return &obj.Members[i].Value, nil
		}
	}
	if err := add(obj, depth, name, struct{}{}); err != nil {
		return nil, err
	}
	return &obj.Members[len(obj.Members)-1].Value, nil
}

// add appends a member to an object so many levels deep, on lines of its own, with the indentation of the others. What stands between the
// last member and the end, such as the comment on it, stays behind it.
func add(obj *hujson.Object, depth int, name string, value any) error {
	indent := strings.Repeat("  ", depth+1)
	trailing := false
	if n := len(obj.Members); n > 0 {
		last := obj.Members[n-1]
		if i := bytes.LastIndexByte(last.Name.BeforeExtra, '\n'); i >= 0 {
			indent = blanks(last.Name.BeforeExtra[i+1:])
		}
		trailing = last.Value.AfterExtra != nil
	}
	text, err := json.MarshalIndent(value, indent, "  ")
	if err != nil {
		return err
	}
	member, err := hujson.Parse(text)
	if err != nil {
		return err
	}
	member.BeforeExtra = hujson.Extra(" ")
	if trailing {
		member.AfterExtra = hujson.Extra{}
	}
	obj.AfterExtra = appendAfter(obj.AfterExtra, depth, func(before hujson.Extra) {
		key := hujson.Value{BeforeExtra: append(before, indent...), Value: hujson.String(name)}
		obj.Members = append(obj.Members, hujson.ObjectMember{Name: key, Value: member})
	})
	return nil
}

// appendAfter divides what stands at the end of a composite: the part before what is appended, which ends its line, and what is left for
// the end.
func appendAfter(end hujson.Extra, depth int, put func(before hujson.Extra)) hujson.Extra {
	closing := hujson.Extra("\n" + strings.Repeat("  ", depth))
	before := hujson.Extra("\n")
	if i := bytes.LastIndexByte(end, '\n'); i >= 0 {
		closing = append(hujson.Extra("\n"), end[i+1:]...)
		before = append(hujson.Extra{}, end[:i+1]...)
	} else if !end.IsStandard() {
		before = append(append(hujson.Extra{}, end...), '\n') // /* a comment in the same line */
	}
	put(before)
	return closing
}

// blanks is the indentation that a line begins with.
func blanks(line []byte) string {
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}
