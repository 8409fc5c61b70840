package target

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/validate"
)

// agreement is files that are right or wrong by the schema. What it cannot say is not in it: what two members or two pools have to do with
// each other, names of pools that are reserved, patterns of routes, times.
var agreement = map[string]struct {
	members string // of a pool, besides account and token, unless they are in it
	valid   bool
}{
	"nothing else":         {`"workersDev": true`, true},
	"all there is":         {`"vault": "file:/v", "sharedAccount": false, "exclude": ["globex"], "domains": ["a.example.com"], "routes": [{"pattern": "b.example.com/*", "zone": "example.com"}], "workersDev": false, "canary": {"steps": [0, 99], "bake": "1s"}, "observability": {"logs": 1, "traces": 100, "logsTo": "loki", "tracesTo": "tempo_1"}`, true},
	"empty lists":          {`"workersDev": true, "exclude": [], "domains": [], "routes": [], "canary": {"steps": []}, "observability": {}`, true},
	"unknown":              {`"workersDev": true, "x": 1`, false},
	"a destination's URL":  {`"workersDev": true, "observability": {"logsTo": "https://otlp.example.com"}`, false},
	"unknown, in depth":    {`"workersDev": true, "canary": {"x": 1}`, false},
	"null":                 {`"workersDev": true, "vault": null`, false},
	"account capital":      {`"workersDev": true, "account": "` + strings.Repeat("A", 32) + `"`, false},
	"account long":         {`"workersDev": true, "account": "` + strings.Repeat("a", 33) + `"`, false},
	"account empty":        {`"workersDev": true, "account": ""`, false},
	"account number":       {`"workersDev": true, "account": 5`, false},
	"token no reference":   {`"workersDev": true, "token": "abc"`, false},
	"token env":            {`"workersDev": true, "token": "env:A_1"`, true},
	"token file":           {`"workersDev": true, "token": "file:/run/x"`, true},
	"token op":             {`"workersDev": true, "token": "op://a/b/c"`, true},
	"token keyring":        {`"workersDev": true, "token": "keyring:a/b"`, true},
	"token exec":           {`"workersDev": true, "token": "exec:[\"a\"]"`, true},
	"vault empty":          {`"workersDev": true, "vault": ""`, false},
	"exclude no id":        {`"workersDev": true, "exclude": ["No"]`, false},
	"exclude short":        {`"workersDev": true, "exclude": ["a"]`, false},
	"exclude twice":        {`"workersDev": true, "exclude": ["aa", "aa"]`, false},
	"exclude many":         {`"workersDev": true, "exclude": [` + many(maxExclude+1, `"t%d"`) + `]`, false},
	"exclude as many":      {`"workersDev": true, "exclude": [` + many(maxExclude, `"t%d"`) + `]`, true},
	"domains many":         {`"domains": [` + many(maxDomains+1, `"d%d.example.com"`) + `]`, false},
	"domains as many":      {`"domains": [` + many(maxDomains, `"d%d.example.com"`) + `]`, true},
	"domain single":        {`"domains": ["localhost"]`, false},
	"domain capital":       {`"domains": ["A.example.com"]`, false},
	"domain port":          {`"domains": ["a.example.com:443"]`, false},
	"routes many":          {`"routes": [` + many(maxRoutes+1, `{"pattern": "r%d.example.com/*", "zone": "example.com"}`) + `]`, false},
	"routes as many":       {`"routes": [` + many(maxRoutes, `{"pattern": "r%d.example.com/*", "zone": "example.com"}`) + `]`, true},
	"route without zone":   {`"routes": [{"pattern": "a.example.com/*"}]`, false},
	"route without any":    {`"routes": [{"zone": "example.com"}]`, false},
	"route string":         {`"routes": ["a.example.com/*"]`, false},
	"analytics":            {`"workersDev": true, "analytics": true`, true},
	"analytics string":     {`"workersDev": true, "analytics": "yes"`, false},
	"workersDev string":    {`"workersDev": "true"`, false},
	"steps 100":            {`"workersDev": true, "canary": {"steps": [100]}`, false},
	"steps negative":       {`"workersDev": true, "canary": {"steps": [-1]}`, false},
	"steps half":           {`"workersDev": true, "canary": {"steps": [0.5]}`, false},
	"steps many":           {`"workersDev": true, "canary": {"steps": [` + many(maxSteps+1, `%d`) + `]}`, false},
	"steps as many":        {`"workersDev": true, "canary": {"steps": [` + many(maxSteps, `%d`) + `]}`, true},
	"bake empty":           {`"workersDev": true, "canary": {"bake": ""}`, false},
	"bake number":          {`"workersDev": true, "canary": {"bake": 5}`, false},
	"observability string": {`"workersDev": true, "observability": "all"`, false},
	"logs 101":             {`"workersDev": true, "observability": {"logs": 101}`, false},
	"traces -1":            {`"workersDev": true, "observability": {"traces": -1}`, false},
}

func many(n int, form string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(form, i)
	}
	return strings.Join(all, ", ")
}

func TestGoAndTheSchemaAgree(t *testing.T) {
	for name, test := range agreement {
		t.Run(name, func(t *testing.T) {
			members := test.members
			for field, value := range map[string]string{"account": strings.Repeat("0", 32), "token": "env:A"} {
				if !strings.Contains(members, `"`+field+`":`) {
					members += fmt.Sprintf(`, %q: %q`, field, value)
				}
			}
			agree(t, `{"environments": {"prod": {"pools": {"acme": {`+members+`}}}}}`, test.valid)
		})
	}
	for text, valid := range map[string]bool{
		`{"environments": {}}`: true, `{}`: false, `{"$schema": "deploy.schema.json", "environments": {"dev": {"pools": {}}}}`: true,
		`{"$schema": "", "environments": {}}`: false, `{"environments": {"prod": {}}}`: false, `{"environments": {"test": {"pools": {}}}}`: false,
		`{"environments": {"prod": {"canary": {"steps": [1]}, "pools": {}}}}`: true, `{"environments": {"prod": {"pools": {"A": {}}}}}`: false,
		`{"environments": {"prod": {"pools": {"acme": {}}}}}`: false, `[]`: false, `null`: false, `{"environments": []}`: false,
	} {
		agree(t, text, valid)
	}
}

// agree holds a file against both, which say the same once.
func agree(t *testing.T, text string, valid bool) {
	t.Helper()
	d := &document{name: File, text: []byte(text)}
	d.parse()
	require.Empty(t, d.problems, text)
	bySchema := schema.Problems(d.standard)
	assert.Equal(t, valid, len(bySchema) == 0, "the schema on %s: %v", text, bySchema)
	checkRules(d)
	assert.Equal(t, valid, len(d.problems) == 0, "Go on %s: %v", text, d.problems)
	assert.Len(t, validate.Merge(d.problems, bySchema), len(d.problems), "both find it, so it is said once: %v", bySchema)
	for _, p := range d.problems {
		assert.NotContains(t, p.Message, "does not match pattern", "the words are Go's: %v", p)
	}
}

func TestTheSchemaHasGosBoundsAndDefaults(t *testing.T) {
	var s struct {
		Defs map[string]struct {
			Properties map[string]struct {
				MaxItems   int
				Default    any
				Items      struct{ Maximum int }
				Properties map[string]struct{ Default, Maximum int }
			}
		} `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(tenants.DeploySchema(), &s))
	pool, canary := s.Defs["pool"].Properties, s.Defs["canary"].Properties
	assert.Equal(t, []int{maxExclude, maxDomains, maxRoutes, maxSteps}, []int{pool["exclude"].MaxItems, pool["domains"].MaxItems, pool["routes"].MaxItems, canary["steps"].MaxItems})
	assert.Equal(t, fmt.Sprint(defaultCanary.Steps), fmt.Sprint(canary["steps"].Default))
	assert.Equal(t, defaultCanary.Bake.String(), canary["bake"].Default)
	table := Target{Pool: "acme", Env: Prod}.Stack()
	assert.Equal(t, table.Observability.Logs, pool["observability"].Properties["logs"].Default)
	assert.Equal(t, table.Observability.Traces, pool["observability"].Properties["traces"].Default)
}
