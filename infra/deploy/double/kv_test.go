package double_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKVThatIsRefused(t *testing.T) {
	p := newPool(t)
	one := func(more object) []object {
		pair := object{"key": "a", "value": "1"}
		for k, v := range more {
			pair[k] = v
		}
		return []object{pair}
	}
	many := make([]object, 10_001)
	keys := make([]string, 10_001)
	for i := range many {
		keys[i] = fmt.Sprint(i)
		many[i] = object{"key": keys[i], "value": ""}
	}
	const kv = "/storage/kv/namespaces/{kv}"
	p.refuses(t, map[string]refused{
		"a title that is taken":       {"POST", "/storage/kv/namespaces", object{"title": "config"}, 400, "already exists"},
		"no title":                    {"POST", "/storage/kv/namespaces", object{"title": ""}, 400, "title"},
		"a title that is too long":    {"POST", "/storage/kv/namespaces", object{"title": strings.Repeat("x", 513)}, 400, "512"},
		"a namespace that is not":     {"GET", "/storage/kv/namespaces/none", nil, 404, "not found"},
		"away with one that is bound": {"DELETE", kv, nil, 400, "the Worker api"},
		"too many pairs":              {"PUT", kv + "/bulk", many, 400, "10000"},
		"an object for pairs":         {"PUT", kv + "/bulk", object{"a": "1"}, 400, "parse"},
		"a pair without a key":        {"PUT", kv + "/bulk", one(object{"key": ""}), 400, "512"},
		"a key of points":             {"PUT", kv + "/bulk", one(object{"key": ".."}), 400, `".."`},
		"a key that is too long":      {"PUT", kv + "/bulk", one(object{"key": strings.Repeat("k", 513)}), 400, "512"},
		"a pair without a value":      {"PUT", kv + "/bulk", []object{{"key": "a"}}, 400, "no value"},
		"a value that is no text":     {"PUT", kv + "/bulk", one(object{"value": object{"a": 1}}), 400, "parse"},
		"a value of no base64":        {"PUT", kv + "/bulk", one(object{"base64": true, "value": "?"}), 400, "base64"},
		"metadata that is too large":  {"PUT", kv + "/bulk", one(object{"metadata": strings.Repeat("x", 1024)}), 413, "1024"},
		"a life of seconds":           {"PUT", kv + "/bulk", one(object{"expiration_ttl": 59}), 400, "expiration_ttl"},
		"a field that there is not":   {"PUT", kv + "/bulk", one(object{"ttl": 60}), 400, "ttl"},
		"one wrong of two":            {"PUT", kv + "/bulk", []object{{"key": "a", "value": "1"}, {"key": "", "value": "1"}}, 400, "key"},
		"too many keys to delete":     {"POST", kv + "/bulk/delete", keys, 400, "10000"},
		"too many keys to read":       {"POST", kv + "/bulk/get", object{"keys": keys[:101]}, 400, "100"},
		"a key that there is not":     {"GET", kv + "/values/none", nil, 404, "key not found"},
		"a key in two segments":       {"GET", kv + "/values/a/b", nil, 404, "Could not route"},
		"a limit that is too small":   {"GET", kv + "/keys?limit=9", nil, 400, "limit"},
		"a limit that is too large":   {"GET", kv + "/keys?limit=1001", nil, 400, "limit"},
		"a cursor of one's own":       {"GET", kv + "/keys?cursor=5!", nil, 400, "cursor"},
	})
}

func TestKV(t *testing.T) {
	p := newPool(t)
	kv := "/storage/kv/namespaces/" + p.kv
	w := p.world
	w.acme("PUT", kv+"/bulk", []object{{"key": "tenants/acme", "value": "{}", "metadata": object{"hash": "1"}}, {"key": "bytes", "value": "AAE=", "base64": true}}).ok()
	assert.Equal(t, map[string]string{"tenants/acme": "{}", "bytes": "\x00\x01"}, p.api.KV(acme, "config"))
	assert.Nil(t, p.api.KV(acme, "nothing"))
	assert.Nil(t, p.api.KV(globex, "config"), "another account has none of it")

	got := w.acme("GET", kv+"/values/"+url.PathEscape("tenants/acme"), nil)
	assert.Equal(t, "{}", string(got.body), "as it is, without an envelope")
	var metadata map[string]string
	w.acme("GET", kv+"/metadata/"+url.PathEscape("tenants/acme"), nil).ok(&metadata)
	assert.Equal(t, "1", metadata["hash"])
	var read struct{ Values map[string]any }
	w.acme("POST", kv+"/bulk/get", object{"keys": []string{"tenants/acme", "none"}, "type": "json"}).ok(&read)
	assert.Equal(t, map[string]any{"tenants/acme": map[string]any{}, "none": nil}, read.Values)

	w.acme("PUT", kv+"/values/"+url.PathEscape("a b/ü?"), `{"value": "a JSON body is the value"}`).ok()
	assert.Equal(t, `{"value": "a JSON body is the value"}`, p.api.KV(acme, "config")["a b/ü?"])
	w.acme("PUT", kv+"/values/form", upload{nil, []file{{"value", "text/plain", "1"}, {"metadata", "", `{"a":1}`}}}).ok()
	assert.Equal(t, "1", p.api.KV(acme, "config")["form"])
	w.acme("DELETE", kv+"/values/form", nil).ok()
	w.acme("DELETE", kv+"/values/never", nil).ok()
	w.acme("POST", kv+"/bulk/delete", []string{"bytes", "a b/ü?", "never"}).ok()
	assert.Equal(t, map[string]string{"tenants/acme": "{}"}, p.api.KV(acme, "config"))
}

func TestKeysComeInPages(t *testing.T) {
	p := newPool(t)
	kv := "/storage/kv/namespaces/" + p.kv
	var pairs []object
	for i := range 2_500 {
		pairs = append(pairs, object{"key": fmt.Sprintf("a/%04d", i), "value": "x", "metadata": i})
	}
	p.acme("PUT", kv+"/bulk", append(pairs, object{"key": "b", "value": "x"})).ok()
	var names []string
	cursor, pages := "", 0
	for {
		var some []struct {
			Name     string
			Metadata int
		}
		a := p.acme("GET", kv+"/keys?prefix=a/&cursor="+url.QueryEscape(cursor), nil).ok(&some)
		for _, k := range some {
			assert.Equal(t, fmt.Sprintf("a/%04d", k.Metadata), k.Name)
			names = append(names, k.Name)
		}
		pages++
		if cursor = a.Info["cursor"].(string); cursor == "" {
			break
		}
	}
	require.Len(t, names, 2_500)
	assert.Equal(t, 3, pages)
}

func TestNamespacesHaveTitles(t *testing.T) {
	p := newPool(t)
	p.acme("POST", "/storage/kv/namespaces", object{"title": "archive"}).ok()
	titles := func(query string) (all []string) {
		var list []struct{ Title string }
		p.acme("GET", "/storage/kv/namespaces?"+query, nil).ok(&list)
		for _, n := range list {
			all = append(all, n.Title)
		}
		return all
	}
	assert.Equal(t, []string{"config", "archive"}, titles(""))
	assert.Equal(t, []string{"archive", "config"}, titles("order=title"))
	assert.Equal(t, []string{"config", "archive"}, titles("order=title&direction=desc"))
	p.acme("PUT", "/storage/kv/namespaces/"+p.kv, object{"title": "archive"}).refused(400, "already exists")
	p.acme("PUT", "/storage/kv/namespaces/"+p.kv, object{"title": "settings"}).ok()
	assert.Equal(t, []string{"settings", "archive"}, titles(""))
}
