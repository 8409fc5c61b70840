package nx_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const commented = `{
  // where branches come from
  "defaultBase": "trunk",
  "targetDefaults": {
    "@levada/nx:drift": { "cache": true } // ours: we ask too often
  }, /* more to come */
}
`

func TestInitAddsWhatIsMissingAndKeepsTheRest(t *testing.T) {
	t.Parallel()
	files := checkout(".")
	files["nx.json"] = commented
	files["project.json"] = "{\n  // the platform\n  \"name\": \"platform\",\n  \"targets\": {\"dev\": {\"command\": \"true\"}}\n}\n"
	files[".gitignore"] = "/bin/"
	w := newWorkspace(t, files)

	code, out := w.nx("g", "@levada/nx:init", "--dry-run")
	require.Zero(t, code, out)
	assert.Contains(t, out, "UPDATE nx.json")
	assert.Equal(t, commented, w.read("nx.json"), "a dry run writes nothing")

	code, out = w.nx("g", "@levada/nx:init")
	require.Zero(t, code, out)
	nx := w.read("nx.json")
	for _, kept := range []string{"// where branches come from", `"defaultBase": "trunk"`, "    \"@levada/nx:drift\": { \"cache\": true } // ours: we ask too often\n", "/* more to come */"} {
		assert.Contains(t, nx, kept)
	}
	assert.Contains(t, nx, `"@levada/nx:deploy": {`)
	project := w.read("project.json")
	assert.Contains(t, project, "// the platform")
	assert.Contains(t, project, `"command": "true"`, "a target that is there is somebody's own")
	assert.Contains(t, project, `"executor": "@levada/nx:deploy-all"`)
	assert.Equal(t, "/bin/\n/.nx/\n", w.read(".gitignore"))

	code, out = w.nx("g", "@levada/nx:init")
	require.Zero(t, code, out)
	assert.NotContains(t, out, "UPDATE")
	assert.NotContains(t, out, "CREATE")
	assert.Equal(t, []string{nx, project}, []string{w.read("nx.json"), w.read("project.json")})
}

// TestTenantsAreProjects in a monorepo that has the checkout in a folder.
func TestTenantsAreProjects(t *testing.T) {
	t.Parallel()
	files := checkout("apps/levada")
	files["elsewhere/tenants/acme/tenant.config.json"] = `{}` // of no checkout
	w := newWorkspace(t, files)
	w.env = append(w.env, "NX_ISOLATE_PLUGINS=true") // as it is where nobody says otherwise
	code, out := w.nx("g", "@levada/nx:init", "--directory", "apps/levada", "--name", "platform")
	require.Zero(t, code, out)

	code, out = w.nx("show", "projects", "--json")
	require.Zero(t, code, out)
	var projects []string
	require.NoError(t, json.Unmarshal([]byte(out), &projects), out)
	assert.ElementsMatch(t, []string{"platform", "tenant-acme", "tenant-globex"}, projects)

	code, out = w.nx("show", "project", "tenant-globex", "--json")
	require.Zero(t, code, out)
	var project struct {
		Root    string
		Targets map[string]struct {
			Executor    string
			Options     map[string]string
			Parallelism *bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &project), out)
	assert.Equal(t, "apps/levada/tenants/globex", project.Root)
	require.Contains(t, project.Targets, "deploy")
	deploy := project.Targets["deploy"]
	assert.Equal(t, map[string]string{"tenant": "globex"}, deploy.Options)
	require.NotNil(t, deploy.Parallelism)
	assert.False(t, *deploy.Parallelism, "tenants may share a pool")
}

func TestInitRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		files map[string]string
		args  string
		says  string
	}{
		{"what is no checkout", nil, "", ".: no checkout of levada.dev; --directory FOLDER"},
		{"another module", map[string]string{"go.mod": "module example.com/levada.dev\n"}, "", "no checkout of levada.dev"},
		{"a folder that is not there", checkout("."), "--directory nowhere", "nowhere: no checkout of levada.dev"},
		{"a broken project", map[string]string{"go.mod": "module levada.dev\n", "sub/go.mod": "module levada.dev\n", "sub/project.json": "{\n  \"name\": \"x\"\n  \"targets\": {}\n}"}, "--directory sub", "project.json"},
		{"an option it does not have", checkout("."), "--folder .", "'folder' is not found in schema"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorkspace(t, test.files)
			before := w.read("nx.json")
			code, out := w.nx(append([]string{"g", "@levada/nx:init"}, strings.Fields(test.args)...)...)
			assert.Equal(t, 1, code)
			assert.Contains(t, out, test.says)
			assert.Equal(t, before, w.read("nx.json"))
		})
	}
}
