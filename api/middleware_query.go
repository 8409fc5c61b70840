package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"levada.dev/events/fault"
)

// checkQuery refuses parameters that the route does not have, as the decoder does fields of a body: who misspells one is not to be
// answered as if it had not been there.
func (rt *route) checkQuery(raw string) error {
	if raw == "" || rt.anyQuery {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return fault.Invalidf("", "invalid_query", "the query is malformed")
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(rt.query, name) {
			return fault.Invalidf(name, "unknown_parameter", "there is no parameter %.64q", name).WithHint(rt.takes())
		}
	}
	return nil
}

func (rt *route) takes() string {
	if len(rt.query) == 0 {
		return "the route takes none"
	}
	return "parameters are " + strings.Join(rt.query, ", ")
}
