package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	metering "levada.dev/events/meter"
)

var (
	heading     = regexp.MustCompile(`(?m)^## (.*)$`)
	proof       = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	proofFolder = regexp.MustCompile(`\(([a-z0-9/]+)\)`)
	metricName  = regexp.MustCompile(`levada_[a-z_]+`)
	alertName   = regexp.MustCompile("`(Levada[A-Za-z]+)`")
	pageLink    = regexp.MustCompile(`\]\(([a-z0-9./-]+\.md)(#[a-z0-9-]+)?\)`)
	titleSigns  = regexp.MustCompile(`[^a-z0-9 -]`)
	anyHeading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	commandLine = regexp.MustCompile(`(?m)^\$ `)
)

// Each dependency has a page by the template, the tests that prove it exist, and so do the metrics, the alerts and the pages that it names.
func TestPagesOfDependencies(t *testing.T) {
	read := func(file string) string {
		t.Helper()
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		return string(b)
	}
	headings := func(text string, of *regexp.Regexp) (all []string) {
		for _, m := range of.FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		return all
	}
	template := headings(read(filepath.Join(runbooks, "failure-mode-template.md")), heading)
	require.Len(t, template, 6)
	alerts := read("../../docs/dashboards/alerts.yaml")
	incident := read(filepath.Join(runbooks, "incident.md"))
	for _, name := range []string{"ai-gateway", "workers-ai", "vectorize", "queues", "durable-objects", "kv", "r2"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(runbooks, "dependencies", name+".md")
			text := read(file)
			assert.Equal(t, template, headings(text, heading))
			assert.Contains(t, incident, "(dependencies/"+name+".md)", "the page of an incident leads to it")
			assert.Regexp(t, commandLine, text, "what to do is commands")

			_, proofs, _ := strings.Cut(text, "## What proves it")
			named := 0
			for line := range strings.Lines(proofs) {
				of := proofFolder.FindStringSubmatch(line)
				for _, test := range proof.FindAllStringSubmatch(line, -1) {
					named++
					if assert.NotNil(t, of, "the folder of %s", line) {
						assert.True(t, hasTest(t, filepath.Join("../..", of[1]), test[1]), "there is no %s in %s", test[1], of[1])
					}
				}
			}
			assert.NotZero(t, named)
			for _, metric := range metricName.FindAllString(text, -1) {
				assert.True(t, counted(metric), "nothing is counted as %s", metric)
			}
			for _, m := range alertName.FindAllStringSubmatch(text, -1) {
				assert.Contains(t, alerts, "alert: "+m[1]+"\n")
			}
			for _, link := range pageLink.FindAllStringSubmatch(text, -1) {
				to := read(filepath.Join(filepath.Dir(file), link[1]))
				if link[2] == "" {
					continue
				}
				var anchors []string
				for _, title := range headings(to, anyHeading) {
					anchors = append(anchors, "#"+strings.ReplaceAll(titleSigns.ReplaceAllString(strings.ToLower(title), ""), " ", "-"))
				}
				assert.Contains(t, anchors, link[2], link[1])
			}
		})
	}
}

// hasTest reports whether a package has a test of the name.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(b), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}

// counted reports whether a metric is told under a name: with an ending where it is a counter's or a histogram's, and the gauges of budgets.
func counted(name string) bool {
	if name == "levada_budget_used" || name == "levada_budget_limit" {
		return true
	}
	for _, ending := range []string{"_total", "_bucket"} {
		if base, ok := strings.CutSuffix(name, ending); ok {
			m, known := metering.Named(base)
			return known && m.Spec().Histogram == (ending == "_bucket")
		}
	}
	return false
}
