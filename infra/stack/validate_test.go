package stack_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
)

func TestLevadaIsValid(t *testing.T) {
	s := stack.Levada(stack.Pool{Name: "demo"})
	require.NoError(t, s.Validate())
	for _, name := range []string{"fetch", "ingest", "embed", "index", "speech", "notify", "audit"} {
		assert.True(t, hasQueue(s, name) && hasQueue(s, name+"-dlq"), name)
	}
	for _, class := range []string{"Ledger", "Audit", "Quota", "Session", "Shelf", "Letters", "Calls", "Lexicon", "Speech", "Meters"} {
		assert.Contains(t, s.ObjectsOf(stack.Objects), stack.Object{Class: class, Role: stack.Objects})
	}
	for _, q := range s.Queues {
		_, there := s.Worker(q.Consumer)
		assert.True(t, there, q.Name)
		assert.True(t, q.DeadLetter != "" || strings.HasSuffix(q.Name, stack.DeadLetter), "%s has a dead-letter queue, or is one", q.Name)
	}
}

// Only a pool that wants it writes to Analytics Engine, and only Workers that count.
func TestAnalyticsAreBoundWhereTheyAreWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		s := stack.Levada(stack.Pool{Name: "demo", Analytics: wanted})
		require.NoError(t, s.Validate())
		var roles []stack.Role
		for _, w := range s.Workers {
			for _, b := range w.Bindings {
				if b.Kind == stack.Analytics {
					assert.Equal(t, stack.Binding{Name: stack.AnalyticsBinding, Kind: stack.Analytics, Target: "levada_meters"}, b)
					roles = append(roles, w.Role)
				}
			}
		}
		if wanted {
			assert.ElementsMatch(t, []stack.Role{stack.API, stack.Consumers, stack.Workflows}, roles)
		} else {
			assert.Empty(t, roles)
		}
	}
}

// Workers that count keep as many traces as the pool says, none where it says none, and what a Worker says of itself stays.
func TestWorkersThatCountAreToldHowManyTracesTheyKeep(t *testing.T) {
	for _, percent := range []int{0, 10, 100} {
		s := stack.Levada(stack.Pool{Name: "demo", Env: "prod"})
		s.Observability.Traces = percent
		for _, w := range s.Workers {
			want := map[string]string{"ENVIRONMENT": "prod"}
			if w.Role == stack.API || w.Role == stack.Consumers || w.Role == stack.Workflows {
				want[stack.TracesVar] = strconv.Itoa(percent)
			}
			assert.Equal(t, want, s.VarsOf(w), w.Role)
			assert.Equal(t, map[string]string{"ENVIRONMENT": "prod"}, w.Vars, "the table is as it was")
		}
	}
	s := stack.Levada(stack.Pool{Name: "demo"})
	api, _ := s.Worker(stack.API)
	assert.Equal(t, map[string]string{"TRACES": "10"}, s.VarsOf(api))
}

func hasQueue(s stack.Stack, name string) bool {
	for _, q := range s.Queues {
		if q.Name == name {
			return true
		}
	}
	return false
}

// A deployment reads the table as JSON, so it must survive the way there and back.
func TestTableIsJSON(t *testing.T) {
	want := stack.Levada(stack.Pool{Name: "demo"})
	data, err := json.Marshal(want)
	require.NoError(t, err)
	var got stack.Stack
	require.NoError(t, json.Unmarshal(data, &got))
	assert.Equal(t, want, got)
}

func TestValidateRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(*stack.Stack)
		want  string // a part of the message
	}{
		{"worker twice", func(s *stack.Stack) { s.Workers = append(s.Workers, s.Workers[1]) }, `worker "consumers" is there twice`},
		{"two public workers", func(s *stack.Stack) { s.Workers[1].Public = true }, "2 workers are public"},
		{"queue twice", func(s *stack.Stack) { s.Queues = append(s.Queues, s.Queues[0]) }, `queue "fetch" is there twice`},
		{"index twice", func(s *stack.Stack) { s.Indexes = append(s.Indexes, s.Indexes[0]) }, `vectorize index "bge-m3" is there twice`},
		{"binding twice", func(s *stack.Stack) { bind(s, "AI", stack.AI, "") }, `binding "AI" is there twice`},
		{"bad binding name", func(s *stack.Stack) { bind(s, "lower", stack.AI, "") }, `binding "lower" does not match`},
		{"binding to no namespace", func(s *stack.Stack) { bind(s, "X", stack.KV, "nowhere") }, `no kv_namespace "nowhere"`},
		{"binding to no bucket", func(s *stack.Stack) { bind(s, "X", stack.R2, "nowhere") }, `no r2_bucket "nowhere"`},
		{"binding to no queue", func(s *stack.Stack) { bind(s, "X", stack.Producer, "nowhere") }, `no queue "nowhere"`},
		{"binding to no object", func(s *stack.Stack) { bind(s, "X", stack.Class, "Nobody") }, `no durable_object_namespace "Nobody"`},
		{"binding to no workflow", func(s *stack.Stack) { bind(s, "X", stack.Flow, "nowhere") }, `no workflow "nowhere"`},
		{"binding to no index", func(s *stack.Stack) { bind(s, "X", stack.Vectorize, "nowhere") }, `no vectorize "nowhere"`},
		{"binding to no worker", func(s *stack.Stack) { bind(s, "X", stack.Service, "nowhere") }, `no service "nowhere"`},
		{"ai with target", func(s *stack.Stack) { bind(s, "X", stack.AI, "model") }, "ai has no target"},
		{"unknown kind", func(s *stack.Stack) { bind(s, "X", "d1", "x") }, `unknown type "d1"`},
		{"var over a binding", func(s *stack.Stack) { s.Workers[0].Vars = map[string]string{"AI": "x"} }, `var "AI" has the name of a binding`},
		{"var too long", func(s *stack.Stack) { s.Workers[0].Vars = map[string]string{"X": strings.Repeat("x", 5121)} }, "5121 bytes, allowed are 5120: https://"},
		{"secret over a binding", func(s *stack.Stack) { s.Workers[0].Secrets = []string{"AI"} }, `secret "AI" has the name of a binding`},
		{"secret twice", func(s *stack.Stack) { s.Workers[0].Secrets = []string{"X", "X"} }, `secret "X" has the name of`},
		{"bad secret name", func(s *stack.Stack) { s.Workers[0].Secrets = []string{"lower"} }, `secret "lower" does not match`},
		{"cpu", func(s *stack.Stack) { s.Workers[0].CPUMillis = 300_001 }, "cpu_ms is 300001, allowed are 0 to 300000: https://"},
		{"memory", func(s *stack.Stack) { s.Workers[0].MemoryMiB = 129 }, "memory_mib is 129, allowed are 1 to 128: https://"},
		{"date", func(s *stack.Stack) { s.Workers[0].CompatibilityDate = "soon" }, "compatibility_date"},
		{"queue without consumer", func(s *stack.Stack) { s.Queues[0].Consumer = "" }, `queue "fetch": no consumer`},
		{"unknown consumer", func(s *stack.Stack) { s.Queues[0].Consumer = "nobody" }, `no worker "nobody" to consume it`},
		{"batch", func(s *stack.Stack) { s.Queues[0].MaxBatchSize = 101 }, "max_batch_size is 101, allowed are 1 to 100: https://"},
		{"wait", func(s *stack.Stack) { s.Queues[0].MaxWaitTime = 61 * time.Second }, "max_wait_time in seconds is 61"},
		{"part of a second", func(s *stack.Stack) { s.Queues[0].MaxWaitTime = time.Millisecond }, "allowed are whole seconds"},
		{"retries", func(s *stack.Stack) { s.Queues[0].MaxRetries = -1 }, "max_retries is -1"},
		{"retry delay", func(s *stack.Stack) { s.Queues[0].RetryDelay = 25 * time.Hour }, "retry_delay in seconds is 90000"},
		{"retention of seconds", func(s *stack.Stack) { s.Queues[0].Retention = 59 * time.Second }, "message_retention_period in seconds is 59, allowed are 60 to 1209600: https://"},
		{"retention", func(s *stack.Stack) { s.Queues[1].Retention = 15 * 24 * time.Hour }, "message_retention_period in seconds is 1296000"},
		{"concurrency", func(s *stack.Stack) { s.Queues[0].MaxConcurrency = 251 }, "max_concurrency is 251"},
		{"own dead letters", func(s *stack.Stack) { s.Queues[0].DeadLetter = "fetch" }, "its own dead-letter queue"},
		{"no dead-letter queue", func(s *stack.Stack) { s.Queues[0].DeadLetter = "nowhere" }, `no dead-letter queue "nowhere"`},
		{"class of no worker", func(s *stack.Stack) { s.Objects[0].Role = "nobody" }, `no worker "nobody" to export it`},
		{"class name", func(s *stack.Stack) { s.Objects[0].Class = "ledger" }, `durable object class "ledger" does not match`},
		{"two exports of one name", func(s *stack.Stack) {
			s.Workflows = append(s.Workflows, stack.Workflow{Name: "x", Class: "Ledger", Role: stack.Objects})
		}, "exports that name already"},
		{"dimensions", func(s *stack.Stack) { s.Indexes[0].Dimensions = 2048 }, "dimensions is 2048, allowed are 1 to 1536: https://"},
		{"metric", func(s *stack.Stack) { s.Indexes[0].Metric = "hamming" }, "hamming"},
		{"metadata type", func(s *stack.Stack) { s.Indexes[0].Metadata[0].Type = "date" }, `type "date"`},
		{"no dataset", func(s *stack.Stack) { bind(s, "X", stack.Analytics, "") }, `dataset "" does not match`},
		{"dataset with a hyphen", func(s *stack.Stack) { bind(s, "X", stack.Analytics, "a-b") }, `dataset "a-b" does not match`},
		{"version with target", func(s *stack.Stack) { bind(s, "X", stack.Version, "x") }, "version_metadata has no target"},
		{"binding to no gateway", func(s *stack.Stack) { bind(s, "X", stack.GatewayID, "other") }, `no ai_gateway "other"`},
		{"gateway name", func(s *stack.Stack) { s.Gateway.Name = strings.Repeat("x", 65) }, "length of the name is 65, allowed are 1 to 64: https://"},
		{"spend limits", func(s *stack.Stack) { s.Gateway.Spend = make([]stack.Spend, 21) }, "number of spend limits is 21"},
		{"a destination of nothing", func(s *stack.Stack) { s.Observability = stack.Observability{Logs: 5, TracesTo: "tempo"} }, "nothing to export"},
		{"logs", func(s *stack.Stack) { s.Observability.Logs = 101 }, "logs in percent is 101"},
		{"nobody is public", func(s *stack.Stack) { s.Domains, s.Workers[0].Public = []string{"a.example.com"}, false }, "no worker is public"},
		{"domain twice", func(s *stack.Stack) { s.Domains = []string{"a.example.com", "a.example.com"} }, `custom domain "a.example.com" is there twice`},
		{"route of another zone", func(s *stack.Stack) { s.Routes = []stack.Route{{Pattern: "a.example.com/*", Zone: "ample.com"}} }, `not in the zone "ample.com"`},
		{"assets of a hidden worker", func(s *stack.Stack) { s.Workers[1].Assets = s.Workers[0].Assets }, `worker "consumers": it has assets and is not public`},
		{"assets of no folder", func(s *stack.Stack) { s.Workers[0].Assets.Folder = "" }, "assets: the folder is missing"},
		{"assets at the root", func(s *stack.Stack) { s.Workers[0].Assets.Path = "/" }, `assets: path "/" does not match`},
		{"assets below no folder", func(s *stack.Stack) { s.Workers[0].Assets.Path = "/console" }, `assets: path "/console" does not match`},
		{"assets of html", func(s *stack.Stack) { s.Workers[0].Assets.HTMLHandling = "pretty" }, `html_handling "pretty" is none of auto-trailing-slash, `},
		{"assets that are not there", func(s *stack.Stack) { s.Workers[0].Assets.NotFoundHandling = "index" }, `not_found_handling "index" is none of none, 404-page, `},
		{"bucket name", func(s *stack.Stack) { s.Buckets[0].Name = "c" }, "length of the name is 1, allowed are 3 to 63"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stack.Levada(stack.Pool{Name: "demo"})
			test.spoil(&s)
			assert.ErrorContains(t, s.Validate(), test.want)
		})
	}
}

// What is below the path is never the Worker's, and what is not always.
func TestRunWorkerFirst(t *testing.T) {
	assert.Equal(t, []string{"/*", "!/console", "!/console/*"}, (&stack.Assets{Path: "/console/"}).RunWorkerFirst())
}

func TestSpendLimits(t *testing.T) {
	few := stack.Levada(stack.Pool{Budgets: []stack.Budget{{Tenant: "acme", USDPerDay: 10, USDPerMonth: 100}, {Tenant: "globex", USDPerMonth: 7}, {Tenant: "demo"}}})
	const day = 24 * time.Hour
	assert.Equal(t, []stack.Spend{{Tenant: "acme", USD: 10, Window: day}, {Tenant: "acme", USD: 100, Window: 31 * day}, {Tenant: "globex", USD: 7, Window: 31 * day}}, few.Gateway.Spend)
	var budgets []stack.Budget
	for i := range 12 {
		budgets = append(budgets, stack.Budget{Tenant: fmt.Sprint("t", i), USDPerDay: int64(i + 1), USDPerMonth: int64(100 - i)})
	}
	many := stack.Levada(stack.Pool{Budgets: budgets})
	require.NoError(t, many.Validate())
	assert.Equal(t, []stack.Spend{{USD: 12, Window: day}, {USD: 100, Window: 31 * day}}, many.Gateway.Spend, "each for itself")
}

// bind adds a binding to the first Worker.
func bind(s *stack.Stack, name string, kind stack.Kind, target string) {
	s.Workers[0].Bindings = append(s.Workers[0].Bindings, stack.Binding{Name: name, Kind: kind, Target: target})
}

func TestValidateReportsEveryFault(t *testing.T) {
	s := stack.Levada(stack.Pool{Name: "demo"})
	s.Queues[0].MaxBatchSize = 0
	s.Indexes[0].Dimensions = 0
	err := s.Validate()
	assert.ErrorContains(t, err, "max_batch_size")
	assert.ErrorContains(t, err, "dimensions")
}
