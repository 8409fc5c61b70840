package double_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/double"
)

// record is a request that wrangler sent, and what it was content with.
type record struct {
	N                         int
	Step, Method, Path, Query string
	Text                      string
	JSON                      any
	Parts                     []struct {
		Name, FileName, Text string
		ContentType          string `json:"content_type"`
		Size                 int
		JSON                 any
	}
	Status   int
	Response json.RawMessage
}

// result is that of the recorded answer; nil of what is in no envelope.
func (r record) result() any {
	var envelope struct{ Result any }
	_ = json.Unmarshal(r.Response, &envelope)
	return envelope.Result
}

// The double is not meant to have D1, assets and containers.
func (r record) outside() bool {
	return strings.Contains(r.Path, "/d1/") || strings.Contains(r.Path, "assets") || strings.Contains(r.Path, "/containers/")
}

// Requests of wrangler, as they were recorded: each is taken, and its answer has all that the recorded one had.
// LEVADA_WRANGLER_RECORDS names the folder with all.json.
func TestRecordedRequestsOfWrangler(t *testing.T) {
	folder := os.Getenv("LEVADA_WRANGLER_RECORDS")
	if folder == "" {
		t.Skip("LEVADA_WRANGLER_RECORDS names no folder of recorded requests")
	}
	text, err := os.ReadFile(filepath.Join(folder, "all.json"))
	require.NoError(t, err)
	var records []record
	require.NoError(t, json.Unmarshal(text, &records))
	w := newWorld(t)
	w.api.Zone("c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0", "example.com", acme)
	w.api.Token(acmeToken, double.Token{Accounts: []string{acme}, User: true})
	ours := map[string]string{} // ids by the recorded ones
	replayed := 0
	for _, r := range records {
		if r.outside() {
			continue
		}
		replayed++
		name := fmt.Sprintf("%d %s: %s %s", r.N, r.Step, r.Method, r.Path)
		path := r.Path
		if key, ok := strings.CutPrefix(r.Path, path[:strings.Index(path+"/values/", "/values/")]+"/values/"); ok {
			path = strings.TrimSuffix(path, key) + strings.ReplaceAll(key, "/", "%2F") // the record has it decoded
		}
		if r.Query != "" {
			path += "?" + r.Query
		}
		got := w.as(acmeToken, r.Method, renamed(path, ours), r.body(t, ours))
		if !assert.Equal(t, r.Status, got.status, "%s: %s", name, got.body) || r.Status >= 400 {
			continue
		}
		var result any
		if len(got.Result) > 0 {
			require.NoError(t, json.Unmarshal(got.Result, &result))
		}
		learn(ours, r.result(), result)
		for _, missing := range lacks(r.result(), result, "result") {
			t.Errorf("%s: the answer has no %s: %s", name, missing, got.body)
		}
	}
	t.Logf("%d of %d requests", replayed, len(records))
}

func renamed(text string, ours map[string]string) string {
	var pairs []string
	for recorded, id := range ours {
		pairs = append(pairs, recorded, id)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// body makes the body again: what was too long to be recorded is as long as it was.
func (r record) body(t *testing.T, ours map[string]string) any {
	t.Helper()
	if r.Parts == nil {
		if r.JSON == nil {
			return nil
		}
		text, err := json.Marshal(r.JSON)
		require.NoError(t, err)
		return renamed(string(text), ours)
	}
	var u upload
	for _, p := range r.Parts {
		if p.Name == "metadata" {
			m := p.JSON.(map[string]any)
			delete(m, "assets")
			m["bindings"] = slices.DeleteFunc(m["bindings"].([]any), func(b any) bool {
				kind := b.(map[string]any)["type"]
				return kind == "d1" || kind == "assets"
			})
			text, err := json.Marshal(m)
			require.NoError(t, err)
			u.metadata = renamed(string(text), ours)
			continue
		}
		text := p.Text
		if text == "" {
			text = strings.Repeat(" ", p.Size)
		}
		u.modules = append(u.modules, file{p.FileName, p.ContentType, text})
	}
	return u
}

// learn finds out which id of ours is which of the record's, by where they are.
func learn(ours map[string]string, recorded, result any) {
	switch r := recorded.(type) {
	case map[string]any:
		o, _ := result.(map[string]any)
		for name, value := range r {
			id, isText := value.(string)
			if other, ok := o[name].(string); isText && ok && strings.HasSuffix(name, "id") && len(id) >= 32 {
				ours[id] = other
				continue
			}
			learn(ours, value, o[name])
		}
	case []any:
		o, _ := result.([]any)
		for i := range min(len(r), len(o)) {
			learn(ours, r[i], o[i])
		}
	}
}

// loose are fields that need not be there: they are left out when they are empty, and one recording has them so.
var loose = []string{"annotations"}

// lacks lists what a result has not of a recorded one: the names of fields, not what is in them.
func lacks(recorded, result any, at string) []string {
	switch r := recorded.(type) {
	case map[string]any:
		o, ok := result.(map[string]any)
		if !ok {
			return []string{at}
		}
		var all []string
		for _, name := range slices.Sorted(maps.Keys(r)) {
			if _, ok := o[name]; !ok && !slices.Contains(loose, name) {
				all = append(all, at+"."+name)
			} else if r[name] != nil && !slices.Contains(loose, name) {
				all = append(all, lacks(r[name], o[name], at+"."+name)...)
			}
		}
		return all
	case []any:
		o, ok := result.([]any)
		if !ok || len(o) < len(r) && !hasOutside(r) {
			return []string{fmt.Sprintf("%s (%d of %d)", at, len(o), len(r))}
		}
		var all []string
		for i := range min(len(r), len(o)) {
			if !hasOutside(r) {
				all = append(all, lacks(r[i], o[i], fmt.Sprintf("%s[%d]", at, i))...)
			}
		}
		return all
	}
	return nil
}

// hasOutside reports whether a list of bindings has some that the double has not.
func hasOutside(list []any) bool {
	return slices.ContainsFunc(list, func(b any) bool {
		m, _ := b.(map[string]any)
		return m["type"] == "d1" || m["type"] == "assets"
	})
}

var _ http.Handler = (*double.API)(nil)
