package double_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQueuesThatAreRefused(t *testing.T) {
	p := newPool(t)
	settings := func(s object) object { return object{"queue_name": "new", "settings": s} }
	consumer := func(s object) object { return object{"type": "worker", "script_name": "api", "settings": s} }
	cases := map[string]refused{
		"a name with capitals":            {"POST", "/queues", object{"queue_name": "Jobs"}, 400, `"Jobs"`},
		"a name that is too long":         {"POST", "/queues", object{"queue_name": strings.Repeat("a", 64)}, 400, "63"},
		"no name":                         {"POST", "/queues", object{}, 400, "name"},
		"a name that is taken":            {"POST", "/queues", object{"queue_name": "jobs"}, 409, "already taken"},
		"a field that there is not":       {"POST", "/queues", object{"name": "new"}, 400, `"name"`},
		"a delay of more than a day":      {"POST", "/queues", settings(object{"delivery_delay": 86_401}), 400, "delivery_delay"},
		"a retention of seconds":          {"POST", "/queues", settings(object{"message_retention_period": 59}), 400, "message_retention_period"},
		"a retention of a month":          {"PATCH", "/queues/{queue}", object{"settings": object{"message_retention_period": 1_209_601}}, 400, "message_retention_period"},
		"another's name":                  {"PATCH", "/queues/{dead}", object{"queue_name": "jobs"}, 409, "already taken"},
		"another name of one in use":      {"PUT", "/queues/{queue}", object{"queue_name": "work"}, 400, "bound"},
		"one that there is not":           {"GET", "/queues/none", nil, 404, "none"},
		"one by its name":                 {"GET", "/queues/jobs", nil, 404, "jobs"},
		"away with one that is bound":     {"DELETE", "/queues/{queue}", nil, 400, "the Worker api"},
		"away with one of dead letters":   {"DELETE", "/queues/{dead}", nil, 400, "the queue jobs"},
		"a second consumer":               {"POST", "/queues/{queue}/consumers", consumer(nil), 400, "already has"},
		"a consumer of no type":           {"POST", "/queues/{dead}/consumers", object{"script_name": "api"}, 400, "type"},
		"a consumer that is no Worker":    {"POST", "/queues/{dead}/consumers", object{"type": "worker", "script_name": "nobody"}, 404, "nobody"},
		"a consumer that pulls, and is":   {"POST", "/queues/{dead}/consumers", object{"type": "http_pull", "script_name": "api"}, 400, "pulls"},
		"dead letters to nowhere":         {"POST", "/queues/{dead}/consumers", object{"type": "worker", "script_name": "api", "dead_letter_queue": "none"}, 404, "none"},
		"dead letters in a circle":        {"POST", "/queues/{dead}/consumers", object{"type": "worker", "script_name": "api", "dead_letter_queue": "jobs-dlq"}, 400, "its own"},
		"a consumer that there is not":    {"PUT", "/queues/{queue}/consumers/none", consumer(nil), 404, "none"},
		"a consumer of another queue":     {"PUT", "/queues/{dead}/consumers/{consumer}", consumer(nil), 404, "does not exist"},
		"away with no consumer":           {"DELETE", "/queues/{queue}/consumers/none", nil, 404, "none"},
		"seconds where they are millis":   {"PUT", "/queues/{queue}/consumers/{consumer}", consumer(object{"max_wait_time": 5}), 400, "max_wait_time"},
		"a page that is none":             {"GET", "/queues?page=0", nil, 400, "page"},
		"a consumer with a queue's field": {"PUT", "/queues/{queue}/consumers/{consumer}", consumer(object{"delivery_delay": 5}), 400, "delivery_delay"},
	}
	for name, values := range map[string][]int{
		"batch_size": {0, 101}, "max_retries": {-1, 101}, "max_wait_time_ms": {-1, 60_001}, "max_concurrency": {0, 251}, "retry_delay": {-1, 86_401},
	} {
		for _, v := range values {
			cases[fmt.Sprintf("%s of %d", name, v)] = refused{"PUT", "/queues/{queue}/consumers/{consumer}", consumer(object{name: v}), 400, name}
			cases[fmt.Sprintf("%s of %d, new", name, v)] = refused{"POST", "/queues/{dead}/consumers", consumer(object{name: v}), 400, name}
		}
	}
	p.refuses(t, cases)
}

type queueView struct {
	ID        string `json:"queue_id"`
	Name      string `json:"queue_name"`
	Settings  map[string]any
	Producers []struct{ Script string }
	Consumers []struct {
		ID         string `json:"consumer_id"`
		Script     string `json:"script_name"`
		DeadLetter string `json:"dead_letter_queue"`
		Settings   map[string]any
	}
}

func TestQueues(t *testing.T) {
	p := newPool(t)
	var q queueView
	p.acme("GET", "/queues/"+p.queue, nil).ok(&q)
	assert.Equal(t, map[string]any{"delivery_delay": 5., "delivery_paused": false, "message_retention_period": 345_600.}, q.Settings)
	require.Len(t, q.Producers, 1)
	assert.Equal(t, "api", q.Producers[0].Script)
	require.Len(t, q.Consumers, 1)
	assert.Equal(t, map[string]any{"batch_size": 10., "max_retries": 3., "max_wait_time_ms": 5000., "retry_delay": 0., "max_concurrency": 2.}, q.Consumers[0].Settings)

	p.acme("PATCH", "/queues/"+p.queue, object{"settings": object{"delivery_paused": true}}).ok(&q)
	assert.Equal(t, map[string]any{"delivery_delay": 5., "delivery_paused": true, "message_retention_period": 345_600.}, q.Settings, "a patch leaves the rest")
	q = queueView{}
	p.acme("PUT", "/queues/"+p.queue, object{"settings": object{"delivery_delay": 1}}).ok(&q)
	assert.Equal(t, map[string]any{"delivery_delay": 1., "delivery_paused": false, "message_retention_period": 345_600.}, q.Settings, "a put does not")

	p.acme("PUT", "/queues/"+p.queue+"/consumers/"+p.consumer, object{"type": "worker", "script_name": "objects", "settings": object{"max_concurrency": nil}}).ok()
	q = queueView{}
	p.acme("GET", "/queues?name=jobs&page=1", nil).ok(&[]any{&q})
	assert.Equal(t, "objects", q.Consumers[0].Script)
	assert.Empty(t, q.Consumers[0].DeadLetter, "a consumer is set whole")
	assert.NotContains(t, q.Consumers[0].Settings, "max_concurrency")

	p.acme("DELETE", "/queues/"+p.dead, nil).ok()
	p.acme("DELETE", "/queues/"+p.queue+"/consumers/"+p.consumer, nil).ok()
	p.acme("POST", "/workers/scripts/api/deployments", split(p.acme("POST", "/workers/scripts/api/versions", worker(nil)).id("id"), 100)).ok()
	p.acme("DELETE", "/queues/"+p.queue, nil).ok()
	var all []queueView
	p.acme("GET", "/queues", nil).ok(&all)
	assert.Empty(t, all)
}

func TestListsComeInPages(t *testing.T) {
	w := newWorld(t)
	for i := range 230 {
		w.acme("POST", "/queues", object{"queue_name": fmt.Sprintf("q%03d", i)}).ok()
	}
	var names []string
	for page := 1; page <= 3; page++ {
		var some []queueView
		a := w.acme("GET", fmt.Sprintf("/queues?page=%d&per_page=100", page), nil).ok(&some)
		for _, q := range some {
			names = append(names, q.Name)
		}
		assert.Equal(t, map[string]any{"page": float64(page), "per_page": 100., "count": float64(len(some)), "total_count": 230., "total_pages": 3.}, a.Info)
	}
	require.Len(t, names, 230)
	assert.Equal(t, "q229", names[229])
	w.api.MaxPage = 7
	var some []queueView
	w.acme("GET", "/queues?page=2&per_page=100", nil).ok(&some)
	require.Len(t, some, 7)
	assert.Equal(t, "q007", some[0].Name)
	var none []queueView
	w.acme("GET", "/queues?page=34&per_page=100", nil).ok(&none)
	assert.Empty(t, none)
}
