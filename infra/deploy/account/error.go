package account

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// Error is what the API refused. It has neither request nor header, so it may be shown.
type Error struct {
	Method, Path string
	Status, Code int
	Message      string
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %d", e.Method, e.Path, e.Status)
	if e.Code != 0 {
		text += fmt.Sprintf(" (code %d)", e.Code)
	}
	if group := e.Group(); group != "" {
		return text + ": " + e.Message + ": the token lacks the permission " + group + ", or is another account's"
	}
	return text + ": " + e.Message
}

// IsStatus reports whether an error is a refusal with one of the statuses.
func IsStatus(err error, statuses ...int) bool {
	var refused *Error
	if errors.As(err, &refused) {
		for _, s := range statuses {
			if refused.Status == s {
				return true
			}
		}
	}
	return false
}

// groups are the permission groups of a token by what a path goes to, the longest first.
// https://developers.cloudflare.com/fundamentals/api/reference/permissions/
var groups = []struct{ part, group string }{
	{"/workers/routes", "Workers Routes"}, // of the zone
	{"/workers/durable_objects", "Workers Scripts"},
	{"/workers/", "Workers Scripts"},
	{"/workflows", "Workers Scripts"},
	{"/queues", "Queues"},
	{"/storage/kv", "Workers KV Storage"},
	{"/r2/", "Workers R2 Storage"},
	{"/vectorize/", "Vectorize"},
	{"/ai-gateway/", "AI Gateway"},
	{"/analytics_engine/", "Account Analytics"},
}

// Group is the permission group that a denied request needs; "" for other refusals.
func (e *Error) Group() string {
	if e.Status != http.StatusForbidden && e.Status != http.StatusUnauthorized {
		return ""
	}
	may := " Write"
	if e.Method == http.MethodGet {
		may = " Read"
	}
	for _, g := range groups {
		if strings.Contains("/"+e.Path, g.part) {
			if g.group == "Account Analytics" {
				may = " Read"
			}
			return g.group + may
		}
	}
	if strings.HasPrefix(e.Path, "zones") {
		return "Zone Read"
	}
	return ""
}
