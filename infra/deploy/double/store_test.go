package double_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/deploy/double"
)

func TestStoresThatAreRefused(t *testing.T) {
	p := newPool(t)
	index := func(name string, config object) object { return object{"name": name, "config": config} }
	good := object{"dimensions": 3, "metric": "cosine"}
	const metadata = "/vectorize/v2/indexes/bge-m3/metadata_index"
	p.refuses(t, map[string]refused{
		"a bucket that is there":             {"POST", "/r2/buckets", object{"name": "corpus"}, 409, "exists"},
		"a bucket's name that is short":      {"POST", "/r2/buckets", object{"name": "ab"}, 400, `"ab"`},
		"a bucket's name that is long":       {"POST", "/r2/buckets", object{"name": strings.Repeat("a", 64)}, 400, "name"},
		"a bucket's name with capitals":      {"POST", "/r2/buckets", object{"name": "Corpus"}, 400, "Corpus"},
		"a bucket nowhere":                   {"POST", "/r2/buckets", object{"name": "new", "locationHint": "moon"}, 400, "moon"},
		"a bucket of no class":               {"POST", "/r2/buckets", object{"name": "new", "storageClass": "Gold"}, 400, "Gold"},
		"a bucket with a field":              {"POST", "/r2/buckets", object{"name": "new", "jurisdiction": "eu"}, 400, "jurisdiction"},
		"a bucket that is not":               {"GET", "/r2/buckets/none", nil, 404, "not exist"},
		"away with a bucket that is not":     {"DELETE", "/r2/buckets/none", nil, 404, "not exist"},
		"an index that is there":             {"POST", "/vectorize/v2/indexes", index("bge-m3", good), 409, "duplicate"},
		"an index without dimensions":        {"POST", "/vectorize/v2/indexes", index("new", object{"metric": "cosine"}), 400, "dimensions"},
		"an index with too many":             {"POST", "/vectorize/v2/indexes", index("new", object{"dimensions": 1537, "metric": "cosine"}), 400, "1536"},
		"an index without a metric":          {"POST", "/vectorize/v2/indexes", index("new", object{"dimensions": 3}), 400, "metric"},
		"an index of a metric that is not":   {"POST", "/vectorize/v2/indexes", index("new", object{"dimensions": 3, "metric": "dot"}), 400, `"dot"`},
		"an index of a preset and more":      {"POST", "/vectorize/v2/indexes", index("new", object{"preset": "@cf/baai/bge-base-en-v1.5", "dimensions": 768}), 400, "preset"},
		"an index of a preset that is not":   {"POST", "/vectorize/v2/indexes", index("new", object{"preset": "mine"}), 400, "mine"},
		"an index's name":                    {"POST", "/vectorize/v2/indexes", index("BGE", good), 400, "BGE"},
		"an index's name that is long":       {"POST", "/vectorize/v2/indexes", index(strings.Repeat("a", 65), good), 400, "64"},
		"an index that is not":               {"GET", "/vectorize/v2/indexes/none", nil, 410, "not_found"},
		"a property of an index that is not": {"POST", "/vectorize/v2/indexes/none/metadata_index/create", object{"propertyName": "a", "indexType": "string"}, 410, "not_found"},
		"a property that is there":           {"POST", metadata + "/create", object{"propertyName": "docId", "indexType": "string"}, 409, "docId"},
		"a property of no type":              {"POST", metadata + "/create", object{"propertyName": "a", "indexType": "text"}, 400, `"text"`},
		"a property without a name":          {"POST", metadata + "/create", object{"indexType": "string"}, 400, "propertyName"},
		"away with a property that is not":   {"POST", metadata + "/delete", object{"propertyName": "none"}, 404, "none"},
		"a Workflow of nobody":               {"PUT", "/workflows/new", object{"script_name": "nobody", "class_name": "New"}, 404, "nobody"},
		"a Workflow without a class":         {"PUT", "/workflows/new", object{"script_name": "api"}, 400, "class_name"},
		"a Workflow's name":                  {"PUT", "/workflows/-new", object{"script_name": "api", "class_name": "New"}, 400, "-new"},
		"a Workflow of too many steps":       {"PUT", "/workflows/new", object{"script_name": "api", "class_name": "New", "limits": object{"steps": 25_001}}, 400, "25000"},
		"a Workflow at no time":              {"PUT", "/workflows/new", object{"script_name": "api", "class_name": "New", "schedules": []object{{"cron": "daily"}}}, 400, "daily"},
		"a Workflow with a field":            {"PUT", "/workflows/new", object{"script_name": "api", "class_name": "New", "name": "new"}, 400, `"name"`},
		"a Workflow that is not":             {"GET", "/workflows/none", nil, 404, "not_found"},
	})
}

func TestBucketsComeByCursor(t *testing.T) {
	w := newWorld(t)
	for i := range 25 {
		w.acme("POST", "/r2/buckets", object{"name": fmt.Sprintf("b%02d", i), "locationHint": "EEUR"}).ok()
	}
	var list struct {
		Buckets []struct{ Name, Location string }
	}
	a := w.acme("GET", "/r2/buckets", nil).ok(&list)
	assert.Len(t, list.Buckets, 20)
	assert.Equal(t, "eeur", list.Buckets[0].Location)
	w.acme("GET", "/r2/buckets?cursor="+url.QueryEscape(a.Info["cursor"].(string)), nil).ok(&list)
	assert.Len(t, list.Buckets, 5)
	a = w.acme("GET", "/r2/buckets?direction=desc&order=name&per_page=24", nil).ok(&list)
	assert.Equal(t, "b24", list.Buckets[0].Name)
	a = w.acme("GET", "/r2/buckets?direction=desc&cursor="+url.QueryEscape(a.Info["cursor"].(string)), nil).ok(&list)
	assert.Equal(t, []string{"b00"}, []string{list.Buckets[0].Name})
	assert.NotContains(t, a.Info, "cursor", "the last page has none")
	for _, wrong := range []string{"cursor=*", "order=size", "direction=up", "page=2", "per_page=1001"} {
		w.acme("GET", "/r2/buckets?"+wrong, nil).refused(400)
	}
	w.acme("GET", "/r2/buckets?name_contains=2&per_page=1000", nil).ok(&list)
	assert.Len(t, list.Buckets, 7)
	w.api.Edit(acme, func(a *double.Account) { a.FillBucket("b00") })
	w.acme("DELETE", "/r2/buckets/b00", nil).refused(409, "not empty")
	w.acme("DELETE", "/r2/buckets/b01", nil).ok()
}

func TestIndexesHaveTenProperties(t *testing.T) {
	p := newPool(t)
	const metadata = "/vectorize/v2/indexes/bge-m3/metadata_index"
	for i := range 9 {
		p.acme("POST", metadata+"/create", object{"propertyName": fmt.Sprint("meta.", i), "indexType": "number"}).ok()
	}
	p.acme("POST", metadata+"/create", object{"propertyName": "more", "indexType": "number"}).refused(400, "10")
	p.acme("POST", metadata+"/delete", object{"propertyName": "docId"}).ok()
	p.acme("POST", metadata+"/create", object{"propertyName": "more", "indexType": "boolean"}).ok()
	var list struct {
		MetadataIndexes []struct{ PropertyName, IndexType string }
	}
	p.acme("GET", metadata+"/list", nil).ok(&list)
	assert.Len(t, list.MetadataIndexes, 10)
	var preset struct{ Config struct{ Dimensions int } }
	p.acme("POST", "/vectorize/v2/indexes", object{"name": "base", "config": object{"preset": "@cf/baai/bge-base-en-v1.5"}}).ok(&preset)
	assert.Equal(t, 768, preset.Config.Dimensions)
	p.acme("DELETE", "/vectorize/v2/indexes/base", nil).ok()
	p.acme("GET", "/vectorize/v2/indexes/base/info", nil).refused(410, "not_found")
}

func TestWorkflowsKeepTheirIDs(t *testing.T) {
	p := newPool(t)
	var before, after object
	p.acme("GET", "/workflows/import", nil).ok(&before)
	p.acme("PUT", "/workflows/import", object{"script_name": "api", "class_name": "Import2", "limits": object{"steps": 20_000}}).ok(&after)
	assert.Equal(t, before["id"], after["id"])
	assert.NotEqual(t, before["version_id"], after["version_id"])
	p.acme("GET", "/workflows/import", nil).ok(&after)
	assert.Equal(t, object{"steps": 20_000.}, after["limits"])
	p.acme("DELETE", "/workflows/import", nil).ok()
	p.acme("GET", "/workflows/import", nil).refused(404)
}
