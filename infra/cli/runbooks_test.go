package cli

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runbooks is the folder whose pages are run.
const runbooks = "../../docs/runbooks"

// TestRunbooks runs each page from its first command to its last in a world of its own, and holds what they print against what the page says.
func TestRunbooks(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	dependencies, err := filepath.Glob(filepath.Join(runbooks, "dependencies", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	require.NotEmpty(t, dependencies)
	for _, file := range append(files, dependencies...) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".md"), func(t *testing.T) {
			noEnvironment(t)
			p := readPage(t, file)
			synctest.Test(t, func(t *testing.T) { p.run(t, newTerminal(t)) })
		})
	}
}

// A page sends people to no route that is not there.
func TestRunbooksNameRoutesThatAreThere(t *testing.T) {
	b, err := os.ReadFile("../../api/openapi.json")
	require.NoError(t, err)
	var api struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(b, &api))
	named := 0
	require.NoError(t, filepath.WalkDir(runbooks, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(file)
		for _, r := range unknownRoutes(string(text), func(method, path string) bool {
			named++
			return api.Paths[path][strings.ToLower(method)] != nil
		}) {
			assert.Fail(t, "there is no such route in api/openapi.yaml", "%s: %s", file, r)
		}
		return err
	}))
	assert.Greater(t, named, 20)
	known := func(method, path string) bool { return method+path == "GET/jobs/{id}" }
	assert.Empty(t, unknownRoutes("`GET /jobs/{id}`, GET /jobs/{id}?wait=5.", known))
	assert.Equal(t, []string{"DELETE /jobs/{id}", "GET /jobs/{id}/text"}, unknownRoutes("`DELETE /jobs/{id}` and `GET /jobs/{id}/text`", known))
}

var routeName = regexp.MustCompile(`\b(GET|HEAD|POST|PUT|PATCH|DELETE) (/[A-Za-z0-9_{}./-]*)`)

// unknownRoutes are the routes that a text names and that are not known.
func unknownRoutes(text string, known func(method, path string) bool) (all []string) {
	for _, m := range routeName.FindAllStringSubmatch(text, -1) {
		if !known(m[1], strings.TrimRight(m[2], ".")) {
			all = append(all, m[0])
		}
	}
	return all
}

func (p page) run(t *testing.T, on *terminal) {
	for _, s := range p.steps {
		if s.world {
			on.world(p.file, s)
			continue
		}
		out, code := on.run(s.text)
		at := fmt.Sprintf("%s:%d", filepath.Base(p.file), s.line)
		t.Logf("%s\n$ %s\n%sexit %d", at, s.text, out, code)
		got := strings.Split(strings.TrimRight(out, "\n"), "\n")
		if out == "" {
			got = nil
		}
		want := s.want
		for len(want) > 0 && want[len(want)-1] == "" {
			want = want[:len(want)-1] // an empty line before the next command
		}
		assert.Equal(t, s.code, code, "%s: the exit code of $ %s", at, s.text)
		if !prints(want, got) {
			assert.Fail(t, "it prints something else", "%s: $ %s\n---- it prints\n%s\n---- the page has\n%s", at, s.text, out, strings.Join(want, "\n"))
		}
	}
}

func TestWhatAPageSaysIsHeldAgainstWhatIsPrinted(t *testing.T) {
	for _, test := range []struct {
		want, got string
		fine      bool
	}{
		{"a", "a", true},
		{"a", "b", false},
		{"a", "a\nb", false},
		{"a\nb", "a", false},
		{"a …", "a 17 s", true},
		{"a … s", "a 17 m", false},
		{"a.c", "abc", false},
		{"…", "", true},
		{"…\nc", "a\nb\nc", true},
		{"a\n…", "b\nc", false},
		{"a\n…\nc", "a\nc", true},
	} {
		var got []string
		if test.got != "" {
			got = strings.Split(test.got, "\n")
		}
		assert.Equal(t, test.fine, prints(strings.Split(test.want, "\n"), got), "%q, %q", test.want, test.got)
	}
}
