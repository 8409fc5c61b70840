package target

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"

	"levada.dev/tenants"
)

// KeysFile is the name of the file of a tenant's API keys, beside its configuration: a list of Key.
const KeysFile = "keys.json"

// Key is an API key of a tenant in an environment. The key itself is kept by whoever uses it, and nowhere here.
type Key struct {
	Name   string             `json:"name"` // for people, one of a kind in its environment
	Env    string             `json:"env"`
	Hash   string             `json:"hash"` // tenants.HashKey
	Scopes []tenants.APIScope `json:"scopes"`
	Also   []tenants.ID       `json:"also,omitempty"` // other tenants of the pool that it opens: an operator's key
}

const (
	maxKeys     = 1_000
	maxKeyChars = 64 // of a name
)

// Keys reads the API keys of a tenant, in the order of the file. None is none; the problems are those of this file alone.
func Keys(dir fs.FS, tenant tenants.ID) ([]Key, tenants.Problems) {
	d, keys := readKeys(dir, tenant)
	return keys, d.placed()
}

// Grants is what an environment publishes of the API keys of some tenants, by hash. The problems are those of their files, together.
func Grants(dir fs.FS, env string, configs []tenants.Config) (map[string]tenants.Grant, tenants.Problems) {
	grants := map[string]tenants.Grant{}
	all, problems := allKeys(dir, configs)
	for id, keys := range all {
		for _, k := range keys {
			if k.Env == env {
				grants[k.Hash] = tenants.Grant{Tenant: id, Name: k.Name, Scopes: k.Scopes, Also: k.Also}
			}
		}
	}
	return grants, problems
}

// allKeys reads the keys of tenants, and refuses a key that two have, or one has twice.
func allKeys(dir fs.FS, configs []tenants.Config) (map[tenants.ID][]Key, tenants.Problems) {
	all, first := map[tenants.ID][]Key{}, map[string]string{}
	var problems tenants.Problems
	for _, c := range configs {
		d, keys := readKeys(dir, c.ID)
		for i, k := range keys {
			checkAlso(d, fmt.Sprintf("[%d].also", i), c.ID, k.Also, configs)
			at := fmt.Sprintf("[%d].hash", i)
			if other, taken := first[k.Hash]; taken && !d.has(at) {
				d.add(at, "a key is in one place: make another with levada key new", "is also in %s", other)
			} else if !taken {
				first[k.Hash] = d.name
			}
		}
		all[c.ID] = keys
		problems = append(problems, d.placed()...)
	}
	return all, problems
}

func readKeys(dir fs.FS, tenant tenants.ID) (*document, []Key) {
	d := readDocument(dir, path.Join(string(tenant), KeysFile))
	if !d.whole() {
		return d, nil
	}
	return d, checkKeys(d)
}

func checkKeys(d *document) (keys []Key) {
	d.problems = tenants.Shape(d.standard, reflect.TypeFor[[]Key]())
	_ = json.Unmarshal(d.standard, &keys) // what does not fit has its problem already
	if len(keys) > maxKeys {
		d.say("", "", "has %d keys, more than %d", len(keys), maxKeys)
	}
	for i, k := range keys {
		at := fmt.Sprintf("[%d]", i)
		same := func(o Key) bool { return o.Name == k.Name && o.Env == k.Env }
		switch {
		case k.Name == "":
			d.say(at+".name", "for people, such as ci", "is required")
		case !isKeyName(k.Name):
			d.say(at+".name", fmt.Sprintf("letters, digits, spaces and . _ -, a letter or digit first and last, %d at most", maxKeyChars), "%.80q is not the name of a key", k.Name)
		case slices.ContainsFunc(keys[:i], same):
			d.say(at+".name", "revoke one of them, or call it otherwise", "%q appears twice in %s", k.Name, k.Env)
		}
		switch {
		case k.Env == "":
			d.say(at+".env", "one of "+strings.Join(Environments, ", "), "is required")
		case !slices.Contains(Environments, k.Env):
			d.say(at+".env", didYouMean(k.Env, Environments), "%.40q is not an environment", k.Env)
		}
		switch {
		case k.Hash == "":
			d.say(at+".hash", "levada key new writes it", "is required")
		case !tenants.IsHash(k.Hash):
			d.say(at+".hash", "levada key new writes it", "is not the SHA-256 of a key: 64 hexadecimal digits in small letters")
		}
		checkScopes(d, at+".scopes", k.Scopes)
	}
	return keys
}

func checkScopes(d *document, at string, scopes []tenants.APIScope) {
	if len(scopes) == 0 {
		d.say(at, "such as [\"chat\", \"search\"]", "is required: a key without rights opens nothing")
	}
	for i, s := range scopes {
		path := fmt.Sprintf("%s[%d]", at, i)
		if !slices.Contains(tenants.AllScopes, s) {
			names := make([]string, len(tenants.AllScopes))
			for j, known := range tenants.AllScopes {
				names[j] = string(known)
			}
			d.say(path, didYouMean(string(s), names), "no right is called %.40q", s)
		} else if slices.Contains(scopes[:i], s) {
			d.say(path, "", "%q appears twice", s)
		}
	}
}

// checkAlso looks at the other tenants that a key opens.
func checkAlso(d *document, at string, own tenants.ID, also []tenants.ID, configs []tenants.Config) {
	var known []string
	for _, c := range configs {
		known = append(known, string(c.ID))
	}
	for i, id := range also {
		path := fmt.Sprintf("%s[%d]", at, i)
		switch {
		case id == own:
			d.say(path, "leave it out", "is the key's own tenant")
		case slices.Contains(also[:i], id):
			d.say(path, "", "%q appears twice", id)
		case !slices.Contains(known, string(id)):
			d.say(path, didYouMean(string(id), known), "%.80q is not a tenant of this environment", id)
		}
	}
}

func isKeyName(s string) bool {
	if len(s) > maxKeyChars || strings.TrimSpace(s) != s {
		return false
	}
	for i, c := range []byte(s) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !plain && (i == 0 || i == len(s)-1 || strings.IndexByte(" ._-", c) < 0) {
			return false
		}
	}
	return s != ""
}
