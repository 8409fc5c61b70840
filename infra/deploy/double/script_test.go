package double_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptsThatAreRefused(t *testing.T) {
	p := newPool(t)
	const settings = "/workers/scripts/api/script-settings"
	tags := func(all ...string) object { return object{"tags": all} }
	crons := func(all ...string) []object {
		list := []object{}
		for _, c := range all {
			list = append(list, object{"cron": c})
		}
		return list
	}
	cases := map[string]refused{
		"eleven tags":                    {"PATCH", settings, tags(strings.Split("a b c d e f g h i j k", " ")...), 400, "10 tags"},
		"a tag that is too long":         {"PATCH", settings, tags(strings.Repeat("x", 1025)), 400, "1024"},
		"a tag with a comma":             {"PATCH", settings, tags("a,b"), 400, "a,b"},
		"an empty tag":                   {"PATCH", settings, tags(""), 400, "Tag"},
		"a tag twice":                    {"PATCH", settings, tags("a", "a"), 400, "twice"},
		"a setting that there is not":    {"PATCH", settings, object{"bindings": []object{}}, 400, "bindings"},
		"a rate in percent":              {"PATCH", settings, object{"observability": object{"enabled": true, "traces": object{"enabled": true, "head_sampling_rate": 10}}}, 400, "head_sampling_rate"},
		"an address for a name":          {"PATCH", settings, object{"observability": object{"enabled": true, "traces": object{"enabled": true, "destinations": []string{"https://otlp.example.com/v1/traces"}}}}, 400, "no destination"},
		"something else to observe":      {"PATCH", settings, object{"observability": object{"enabled": true, "metrics": true}}, 400, "metrics"},
		"logs to nobody":                 {"PATCH", settings, object{"tail_consumers": []object{{"service": "nobody"}}}, 400, "nobody"},
		"settings of nobody":             {"PATCH", "/workers/scripts/nobody/script-settings", object{}, 404, "does not exist"},
		"settings of nobody, read":       {"GET", "/workers/scripts/nobody/settings", nil, 404, "does not exist"},
		"a cron twice":                   {"PUT", "/workers/scripts/api/schedules", crons("* * * * *", "* * * * *"), 400, "twice"},
		"a cron in an object":            {"PUT", "/workers/scripts/api/schedules", object{"schedules": crons("* * * * *")}, 400, "parse"},
		"a host without a word":          {"POST", "/workers/scripts/api/subdomain", object{}, 400, "enabled"},
		"a host with a field":            {"POST", "/workers/scripts/api/subdomain", object{"enabled": true, "host": "x"}, 400, "host"},
		"away with what is bound":        {"DELETE", "/workers/scripts/objects", nil, 400, "the Worker api (binding"},
		"away with what consumes":        {"DELETE", "/workers/scripts/api", nil, 400, "the queue jobs"},
		"away with nobody":               {"DELETE", "/workers/scripts/nobody", nil, 404, "does not exist"},
		"something that there is not":    {"GET", "/workers/scripts/api/tail-settings", nil, 404, "Could not route"},
		"a method that there is not":     {"POST", "/workers/scripts/api", worker(nil), 404, "Could not route"},
		"away with a secret that is not": {"DELETE", "/workers/scripts/objects/secrets/NONE", nil, 404, "NONE"},
	}
	for _, c := range []string{"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * * 0", "* * * * 8", "*/0 * * * *", "*/x * * * *",
		"5-1 * * * *", "a * * * *", "* * * FOO *", "* *  * *", "@daily", "* * * * MON-SUN", "* * * * 2#6", "1,,2 * * * *"} {
		cases[fmt.Sprintf("a cron %q", c)] = refused{"PUT", "/workers/scripts/api/schedules", crons(c), 400, "cron"}
	}
	p.refuses(t, cases)
	p.acme("PUT", "/workers/scripts/api/schedules", crons("*/5 * * * *", "0 0 L * *", "30 4 1,15 JAN-MAR *", "0 9 * * MON-FRI", "0 0 15W * *", "0-59/2 8-18 * * 2", "0 0 * * 6L", "0 0 * * FRI#2")).ok()
}

// Settings that are not named stay, and null takes one away.
func TestSettingsAreSetOneByOne(t *testing.T) {
	p := newPool(t)
	const path = "/workers/scripts/api/script-settings"
	var s object
	p.acme("PATCH", path, object{"observability": object{"enabled": true, "logs": object{"enabled": true, "invocation_logs": false}}, "tail_consumers": []object{{"service": "objects"}}}).ok(&s)
	traces := object{"enabled": false, "head_sampling_rate": 1., "persist": true}
	assert.Equal(t, object{
		"logpush": false, "tags": []any{"managed-by=levada"}, "tail_consumers": []any{object{"service": "objects"}},
		"observability": object{
			"enabled": true, "head_sampling_rate": 1., "traces": traces,
			"logs": object{"enabled": true, "invocation_logs": false, "head_sampling_rate": 1., "persist": true},
		},
	}, s, "it is told with what nobody said")
	s = object{}
	p.acme("PATCH", path, object{"observability": object{"enabled": false}, "tail_consumers": nil}).ok(&s)
	assert.Equal(t, object{
		"logpush": false, "tags": []any{"managed-by=levada"}, "tail_consumers": nil,
		"observability": object{
			"enabled": false, "head_sampling_rate": 1., "traces": traces,
			"logs": object{"enabled": false, "invocation_logs": true, "head_sampling_rate": 1., "persist": true},
		},
	}, s, "nothing is merged")
	p.acme("PATCH", path, s).ok(&s)
	var both object
	p.acme("GET", "/workers/scripts/api/settings", nil).ok(&both)
	assert.Equal(t, s["tags"], both["tags"])
	assert.NotEmpty(t, both["bindings"])
	assert.NotContains(t, both, "migration_tag", "that is in the list of Workers only")
}

// A schedule that stays keeps its day.
func TestSchedulesThatStay(t *testing.T) {
	p := newPool(t)
	type list struct {
		Schedules []struct{ Cron, Created_on string }
	}
	var before, after list
	p.acme("GET", "/workers/scripts/api/schedules", nil).ok(&before)
	p.acme("PUT", "/workers/scripts/api/schedules", []object{{"cron": "0 0 * * *"}, {"cron": "*/5 * * * *"}}).ok(&after)
	require.Len(t, after.Schedules, 2)
	assert.Equal(t, before.Schedules[0], after.Schedules[1])
	p.acme("PUT", "/workers/scripts/api/schedules", []object{}).ok(&after)
	assert.Empty(t, after.Schedules)
}

// What is forced goes with all that it had; the Workers that are bound to it stay as they are.
func TestAWorkerIsDeletedByForce(t *testing.T) {
	p := newPool(t)
	p.acme("DELETE", "/workers/scripts/api?force=true", nil).ok()
	var list []object
	for _, path := range []string{"/workers/domains", "/queues/" + p.queue + "/consumers", "/zones/" + acmeZone + "/workers/routes"} {
		p.acme("GET", path, nil).ok(&list)
		assert.Empty(t, list, path)
	}
	p.acme("DELETE", "/workers/scripts/objects", nil).ok()
	p.acme("GET", "/workers/scripts", nil).ok(&list)
	assert.Empty(t, list)
}
