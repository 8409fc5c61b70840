package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// diff says where have differs from want. What want does not name may be as it likes.
func diff(at string, want, have any) []string {
	w, h := plain(want), plain(have)
	if list, ok := w.([]any); ok {
		return diffList(at, list, h)
	}
	wanted, isObject := w.(map[string]any)
	if !isObject {
		if w == nil || reflect.DeepEqual(w, h) {
			return nil
		}
		return []string{fmt.Sprintf("%s %s -> %s", at, short(h), short(w))}
	}
	live, _ := h.(map[string]any)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(wanted)) {
		place := k
		if at != "" {
			place = at + "." + k
		}
		out = append(out, diff(place, wanted[k], live[k])...)
	}
	return out
}

// diffList compares lists place by place where they are as long as each other, so that the API may add to their objects.
func diffList(at string, want []any, have any) []string {
	live, _ := have.([]any)
	if len(live) != len(want) {
		return []string{fmt.Sprintf("%s %s -> %s", at, short(have), short(want))}
	}
	var out []string
	for i := range want {
		out = append(out, diff(fmt.Sprintf("%s[%d]", at, i), want[i], live[i])...)
	}
	return out
}

// plain is a value as JSON has it.
func plain(v any) any {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what comes here was or becomes JSON
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		panic(err)
	}
	return out
}

// counted is a number of things.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// short is a value as a plan shows it.
func short(v any) string {
	if v == nil {
		return "nothing"
	}
	text, _ := json.Marshal(v) // of what was JSON
	if len(text) > 60 {
		return string(text[:57]) + "..."
	}
	return string(text)
}
