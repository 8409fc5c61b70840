package deploy

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/stack"
)

func TestDifferencesAreThoseOfWhatIsWanted(t *testing.T) {
	have := json.RawMessage(`{"a": 1, "b": {"c": [1, 2], "d": "x"}, "more": true}`)
	assert.Empty(t, diff("", map[string]any{"a": 1, "b": map[string]any{"c": []int{1, 2}}}, have))
	assert.Equal(t, []string{"at.a 1 -> 2", "at.b.c[0] 1 -> 2", "at.b.c[1] 2 -> 1", `at.b.e nothing -> "y"`},
		diff("at", map[string]any{"a": 2, "b": map[string]any{"c": []int{2, 1}, "e": "y"}}, have))
	assert.Equal(t, []string{"b.c [1,2] -> [1]"}, diff("", map[string]any{"b": map[string]any{"c": []int{1}}}, have))
	assert.Empty(t, diff("at", (*limits)(nil), have), "nothing is wanted")
	assert.Equal(t, []string{"at.cpu_ms nothing -> 5"}, diff("at", &limits{5}, nil))
}

func TestWhatHasTheTraffic(t *testing.T) {
	a, b := share{"3dec58410000", 50}, share{"a1b2c3d40000", 50}
	for says, of := range map[string][]share{"no version": nil, "version 3dec5841": {a}, "traffic divided between 2 versions": {a, b}} {
		assert.Equal(t, says, (&liveScript{deployment: of}).serves())
	}
	assert.Equal(t, []string{"1 Worker", "0 Workers"}, []string{counted(1, "Worker", "Workers"), counted(0, "Worker", "Workers")})
}

func TestMigrations(t *testing.T) {
	classes := []stack.Object{{Class: "A"}, {Class: "B"}, {Class: "C"}}
	assert.Equal(t, &migrations{NewTag: "v3", Steps: []migrationStep{{[]string{"A"}}, {[]string{"B"}}, {[]string{"C"}}}}, migrate(classes, ""))
	assert.Equal(t, &migrations{OldTag: "v2", NewTag: "v3", Steps: []migrationStep{{[]string{"C"}}}}, migrate(classes, "v2"))
	assert.Nil(t, migrate(classes, "v3"))
	assert.Nil(t, migrate(nil, ""))
}
