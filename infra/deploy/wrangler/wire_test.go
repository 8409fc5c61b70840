package wrangler

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/deploy/double"
)

// wire is all that was written to an account: each value of a body by the request and the place in it, with names instead of ids.
type wire map[string]string

// onWire are the requests that wrote something, as a wire.
func onWire(requests []double.Request, names *strings.Replacer) wire {
	w, files := wire{}, filesOf(requests)
	for _, r := range requests {
		if !r.Write() || r.Status >= 400 {
			continue
		}
		key := names.Replace(r.Method + " " + r.Path)
		w[key] = ""
		if r.Query != "" {
			w[key+" ?"+r.Query] = ""
		}
		body := r.Body
		if u, ok := body.(double.Uploaded); ok {
			body = map[string]any{"metadata": u.Metadata, "modules": modules(u.Modules, files)}
		}
		if object, ok := body.(map[string]any); ok {
			for _, name := range []string{"queue_name", "title"} { // many are made at one path
				if object[name] != nil {
					key += " " + fmt.Sprint(object[name])
				}
			}
		}
		if manifest, ok := at[map[string]any](body, "manifest"); ok {
			named := map[string]any{}
			for path, file := range manifest {
				hash, _ := at[string](file, "hash")
				size, _ := at[float64](file, "size")
				named[path] = map[string]any{"hash": files[hash], "size": size}
			}
			body = map[string]any{"manifest": named}
		}
		w.flatten(key, body, names)
	}
	return w
}

// filesOf are names for the files that were offered, by their hashes, which everybody may make their own way: the first path that has the file.
func filesOf(requests []double.Request) map[string]string {
	files := map[string]string{}
	for _, r := range requests {
		manifest, _ := at[map[string]any](r.Body, "manifest")
		for path, file := range manifest {
			if hash, ok := at[string](file, "hash"); ok && (files[hash] == "" || path < files[hash]) {
				files[hash] = path
			}
		}
	}
	return files
}

// at is what an object has under a key, if it is of that type.
func at[T any](v any, key string) (T, bool) {
	object, _ := v.(map[string]any)
	x, ok := object[key].(T)
	return x, ok
}

func modules(all []double.Module, files map[string]string) map[string]any {
	byName := map[string]any{}
	for _, m := range all {
		name := m.Name
		if path, is := files[name]; is {
			name = "file " + path
		}
		byName[name] = m.Type + " " + m.SHA256
	}
	return byName
}

// flatten adds the values of a body. Of a list whose elements have names the order does not matter.
func (w wire) flatten(at string, v any, names *strings.Replacer) {
	switch x := v.(type) {
	case map[string]any:
		for key, inner := range x {
			w.flatten(at+" "+key, inner, names)
		}
	case []any:
		for i, inner := range x {
			name := strconv.Itoa(i)
			if object, ok := inner.(map[string]any); ok && object["name"] != nil {
				name = fmt.Sprint(object["name"])
			}
			w.flatten(at+" "+name, inner, names)
		}
	case nil:
	default:
		text, _ := json.Marshal(x)
		w[at] = names.Replace(string(text))
	}
}

// against are the places where what wrangler wrote is not what the other did.
func (w wire) against(ours wire) (differences []string) {
	places := slices.Concat(slices.Collect(maps.Keys(w)), slices.Collect(maps.Keys(ours)))
	slices.Sort(places)
	for _, place := range slices.Compact(places) {
		theirs, there := w[place]
		mine, here := ours[place]
		switch {
		case !there:
			differences = append(differences, "ours alone: "+place+" "+mine)
		case !here:
			differences = append(differences, "wrangler alone: "+place+" "+theirs)
		case mine != theirs:
			differences = append(differences, fmt.Sprintf("%s: wrangler %s, ours %s", place, theirs, mine))
		}
	}
	return differences
}

// ids replaces what an API made up.
func (l *lab) ids(t *testing.T) *strings.Replacer {
	t.Helper()
	replace := []string{"/accounts/" + l.account, ""}
	var queues []struct {
		ID        string `json:"queue_id"`
		Name      string `json:"queue_name"`
		Consumers []struct {
			ID string `json:"consumer_id"`
		}
	}
	l.get(t, "/queues", &queues)
	for _, q := range queues {
		replace = append(replace, q.ID, q.Name)
		for _, c := range q.Consumers {
			replace = append(replace, c.ID, "consumer")
		}
	}
	for name, id := range l.namespaces(t) {
		replace = append(replace, id, name)
	}
	l.edit(func(a *double.Account) {
		for _, script := range a.Scripts() {
			for i, id := range a.Versions(script) {
				replace = append(replace, id, fmt.Sprintf("version %d", i+1))
			}
		}
	})
	return strings.NewReplacer(replace...)
}

// meant are the differences between what wrangler and this project write that there are to be, and why.
var meant = []struct{ place, why string }{
	{`^wrangler alone: \S+ /workers/scripts/\S+ \?excludeScript=true`, "whether the answer has the code in it"},
	{`^ours alone: \S+ /workers/scripts/\S+ \?bindings_inherit=strict`, "the same query without that"},
	{`^wrangler alone: \S+ \S+ (metadata )?code_update_strategy `, "newer than the API's documents; without it new code is there at once, and the gate asks for it at once"},
	{`^ours alone: P\S+ /workers/scripts/\S+ (metadata )?annotations workers/(tag|message) `, "the release, and what a version was made from"},
	{`^ours alone: P\S+ /workers/scripts/\S+ (metadata )?tags \d `, "whose Worker it is, and what was wanted: there is no other state"},
	{`^ours alone: PATCH /workers/scripts/\S+/script-settings (observability .*)?$`, "tags name the version, which is there only after the upload; what versions do not have goes with them"},
	{`^wrangler alone: POST /workers/scripts/\S+/versions metadata observability `, "versions do not have it: it is sent with the tags"},
	{`^wrangler alone: \S+ /workers/scripts/\S+ metadata keep_bindings `, "secrets are given with each upload; without their values we keep them, too"},
	{`^POST /workers/scripts/\S+/versions metadata bindings SEAL_KEY type: wrangler "inherit", ours "secret_text"$`, "likewise"},
	{`^POST /workers/scripts/\S+/versions metadata bindings \S+ type: wrangler "inherit", ours "(queue|r2_bucket)"$`, "what is wanted is said, whatever the version before had"},
	{`^ours alone: POST /workers/scripts/\S+/versions metadata bindings \S+ (queue_name|bucket_name) `, "likewise"},
	{`^wrangler alone: PUT /workers/scripts/\S+-(behind|workflows) metadata bindings [A-Z_]+ (name|type|class_name|workflow_name) `, "wrangler makes the Workflows that a Worker binds"},
	{`^wrangler alone: PUT /workers/scripts/\S+/schedules `, "schedules are written when they are others than before, and so is no list of none"},
	{`^wrangler alone: \S+ /workers/scripts/\S+/(routes|domains/changeset|domains/records) `, "no document of the API has it"},
	{`^ours alone: (POST /zones/\w+/workers/routes|PUT /workers/domains) `, "the documented way to the same"},
	{`^wrangler alone: POST /workers/scripts/\S+/subdomain `, "written when it is other than before"},
	{`^wrangler alone: PUT /queues/\S+/consumers/consumer `, "written when it is other than before"},
	{`^wrangler alone: PUT /workflows/\S+ `, "written when it is other than before"},
	{`^ours alone: POST /ai-gateway/gateways `, "wrangler makes none"},
	{`^ours alone: PUT /storage/kv/namespaces/config/bulk `, "what the release was, for the way back"},
}

// agree holds what wrangler wrote against what we did, and notes which of the differences that are meant were there.
func agree(t *testing.T, theirs, ours wire, seen map[string]bool) {
	t.Helper()
	for _, d := range theirs.against(ours) {
		known := false
		for _, m := range meant {
			if regexp.MustCompile(m.place).MatchString(d) {
				seen[m.place], known = true, true
			}
		}
		assert.True(t, known, d)
	}
}
