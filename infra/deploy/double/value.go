package double

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// value is what a key of KV has.
type value struct {
	value      []byte
	metadata   json.RawMessage
	expiration int64 // seconds since 1970; 0 is never. Nothing expires in the double.
}

// pair is one of a bulk write.
type pair struct {
	Key        string          `json:"key"`
	Value      *string         `json:"value"`
	Base64     bool            `json:"base64"`
	Metadata   json.RawMessage `json:"metadata"`
	Expiration int64           `json:"expiration"`
	TTL        int64           `json:"expiration_ttl"`
}

const (
	maxPairs    = 10_000
	maxGet      = 100
	maxKey      = 512
	maxMetadata = 1024
	maxValue    = 25 << 20
	minTTL      = 60
	maxKeys     = 1000
	minKeys     = 10
	codePairs   = 10033
	codeNoKey   = 10009
)

func valueRoutes() []route {
	const one = "/accounts/{account}/storage/kv/namespaces/{namespace}"
	return []route{
		{pattern: "PUT " + one + "/bulk", group: groupKV, handle: onNamespace(putBulk)},
		{pattern: "DELETE " + one + "/bulk", group: groupKV, handle: onNamespace(deleteBulk)},
		{pattern: "POST " + one + "/bulk/delete", group: groupKV, handle: onNamespace(deleteBulk)},
		{pattern: "POST " + one + "/bulk/get", group: groupKV, readOnly: true, handle: onNamespace(getBulk)},
		{pattern: "GET " + one + "/keys", group: groupKV, handle: onNamespace(listKeys)},
		{pattern: "GET " + one + "/values/{key}", group: groupKV, handle: onKey(func(_ *namespace, _ string, v value) (any, error) {
			return raw{"application/octet-stream", v.value}, nil
		})},
		{pattern: "GET " + one + "/metadata/{key}", group: groupKV, handle: onKey(func(_ *namespace, _ string, v value) (any, error) { return v.metadata, nil })},
		{pattern: "PUT " + one + "/values/{key}", group: groupKV, handle: onNamespace(putValue)},
		{pattern: "DELETE " + one + "/values/{key}", group: groupKV, handle: onNamespace(func(c *call, n *namespace) (any, error) {
			delete(n.values, c.PathValue("key"))
			return nil, nil
		})},
	}
}

func onKey(do func(n *namespace, key string, v value) (any, error)) func(*call) (any, error) {
	return onNamespace(func(c *call, n *namespace) (any, error) {
		v, ok := n.values[c.PathValue("key")]
		if !ok {
			return nil, refuse(http.StatusNotFound, codeNoKey, "get: 'key not found'")
		}
		return do(n, c.PathValue("key"), v)
	})
}

func checkKey(key string) error {
	if key == "" || key == "." || key == ".." || len(key) > maxKey {
		return refuse(http.StatusBadRequest, codeKV, "The key %q is not valid: 1 to %d bytes, and neither . nor ..", key, maxKey)
	}
	return nil
}

// made checks a pair and makes its value.
func (p pair) made(now int64) (value, error) {
	if err := checkKey(p.Key); err != nil {
		return value{}, err
	}
	if p.Value == nil {
		return value{}, refuse(http.StatusBadRequest, codeKV, "The key %q has no value.", p.Key)
	}
	v := value{value: []byte(*p.Value), metadata: p.Metadata, expiration: p.Expiration}
	if p.Base64 {
		var err error
		if v.value, err = base64.StdEncoding.DecodeString(*p.Value); err != nil {
			return value{}, refuse(http.StatusBadRequest, codeKV, "The value of the key %q is no base64.", p.Key)
		}
	}
	if string(v.metadata) == "null" {
		v.metadata = nil
	}
	switch {
	case len(v.value) > maxValue:
		return value{}, refuse(http.StatusRequestEntityTooLarge, codeKV, "The value of the key %q has %d bytes, allowed are %d.", p.Key, len(v.value), maxValue)
	case len(v.metadata) > maxMetadata:
		return value{}, refuse(http.StatusRequestEntityTooLarge, codeKV, "The metadata of the key %q has %d bytes, allowed are %d.", p.Key, len(v.metadata), maxMetadata)
	case p.TTL != 0 && p.TTL < minTTL:
		return value{}, refuse(http.StatusBadRequest, codeKV, "expiration_ttl has to be at least %d, is %d.", minTTL, p.TTL)
	case p.TTL != 0:
		v.expiration = now + p.TTL
	}
	return v, nil
}

// putBulk writes all pairs or none.
func putBulk(c *call, n *namespace) (any, error) {
	pairs, err := decode[[]pair](c)
	c.kept = keptPairs(pairs)
	if err != nil {
		return nil, err
	}
	if len(pairs) > maxPairs {
		return nil, refuse(http.StatusBadRequest, codePairs, "A bulk write has at most %d pairs, this has %d.", maxPairs, len(pairs))
	}
	made := make([]value, len(pairs))
	for i, p := range pairs {
		if made[i], err = p.made(epoch.Unix()); err != nil {
			return nil, err
		}
	}
	for i, p := range pairs {
		n.values[p.Key] = made[i]
	}
	return bulkResult(len(pairs)), nil
}

func bulkResult(n int) any {
	return map[string]any{"successful_key_count": n, "unsuccessful_keys": []string{}}
}

// keptPairs is what is remembered of pairs: not what their values are.
func keptPairs(pairs []pair) any {
	kept := []any{}
	for _, p := range pairs {
		size := 0
		if p.Value != nil {
			size = len(*p.Value)
		}
		k := map[string]any{"key": p.Key, "value": size}
		if p.Metadata != nil {
			k["metadata"] = p.Metadata
		}
		kept = append(kept, k)
	}
	return kept
}

func deleteBulk(c *call, n *namespace) (any, error) {
	keys, err := decode[[]string](c)
	if err != nil {
		return nil, err
	}
	if len(keys) > maxPairs {
		return nil, refuse(http.StatusBadRequest, codePairs, "At most %d keys are deleted at once, these are %d.", maxPairs, len(keys))
	}
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return nil, err
		}
	}
	for _, key := range keys {
		delete(n.values, key)
	}
	return bulkResult(len(keys)), nil
}

func getBulk(c *call, n *namespace) (any, error) {
	given, err := decode[struct {
		Keys         []string `json:"keys"`
		Type         string   `json:"type"`
		WithMetadata bool     `json:"withMetadata"`
	}](c)
	if err != nil {
		return nil, err
	}
	if len(given.Keys) < 1 || len(given.Keys) > maxGet || given.Type != "" && given.Type != "text" && given.Type != "json" {
		return nil, refuse(http.StatusBadRequest, codePairs, "1 to %d keys are read at once, as text or json.", maxGet)
	}
	values := map[string]any{}
	for _, key := range given.Keys {
		v, ok := n.values[key]
		if !ok {
			values[key] = nil
			continue
		}
		var read any = string(v.value)
		if given.Type == "json" && json.Unmarshal(v.value, &read) != nil {
			return nil, refuse(http.StatusBadRequest, codePairs, "The value of the key %q is no JSON.", key)
		}
		if given.WithMetadata {
			read = map[string]any{"value": read, "metadata": v.metadata}
		}
		values[key] = read
	}
	return map[string]any{"values": values}, nil
}

// listKeys lists keys by their bytes. The cursor is where the next page begins; with the last page there is none.
func listKeys(c *call, n *namespace) (any, error) {
	q := c.URL.Query()
	limit, err := c.number("limit", maxKeys, minKeys, maxKeys)
	if err != nil {
		return nil, err
	}
	if c.api.MaxPage > 0 {
		limit = min(limit, c.api.MaxPage)
	}
	after, err := base64.URLEncoding.DecodeString(q.Get("cursor"))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, codeKV, "The cursor is not one of the API.")
	}
	keys := slices.DeleteFunc(sortedNames(n.values), func(key string) bool {
		return !strings.HasPrefix(key, q.Get("prefix")) || len(after) > 0 && key <= string(after)
	})
	cursor := ""
	if len(keys) > limit {
		keys = keys[:limit]
		cursor = base64.URLEncoding.EncodeToString([]byte(keys[limit-1]))
	}
	items := []map[string]any{}
	for _, key := range keys {
		v, item := n.values[key], map[string]any{"name": key}
		if v.metadata != nil {
			item["metadata"] = v.metadata
		}
		if v.expiration != 0 {
			item["expiration"] = v.expiration
		}
		items = append(items, item)
	}
	return page{items, map[string]any{"count": len(items), "cursor": cursor}}, nil
}

// putValue writes one value: the body as it is, or the parts value and metadata. A JSON body is no form: it is the value.
func putValue(c *call, n *namespace) (any, error) {
	c.kept = len(c.body)
	text := string(c.body)
	p := pair{Key: c.PathValue("key"), Value: &text}
	if c.parts != nil {
		p.Value = nil
		for _, part := range c.parts {
			switch part.name {
			case "value":
				text = string(part.body)
				p.Value = &text
			case "metadata":
				p.Metadata = part.body
			}
		}
		if p.Metadata != nil && !json.Valid(bytes.TrimSpace(p.Metadata)) {
			return nil, refuse(http.StatusBadRequest, codeKV, "The metadata of the key %q is no JSON.", p.Key)
		}
	}
	v, err := p.made(epoch.Unix())
	if err != nil {
		return nil, err
	}
	n.values[p.Key] = v
	return nil, nil
}
