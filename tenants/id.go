package tenants

import (
	"strings"

	"levada.dev/events/fault"
)

// ID is a tenant's name: lower-case letters, digits and single hyphens, 2 to 32 characters, a letter first.
// It is part of keys, object names and vector namespaces (64 bytes at most), so it is short and plain.
type ID string

const idHint = "use 2 to 32 lower-case letters, digits and single hyphens, a letter first"

// ParseID checks s.
func ParseID(s string) (ID, error) {
	if len(s) < 2 || len(s) > 32 || s[0] < 'a' || s[0] > 'z' || !hyphenated(s) {
		return "", fault.Invalidf("", "tenant_invalid", "%.40q is not a tenant id", s).WithHint(idHint)
	}
	return ID(s), nil
}

// hyphenated reports whether s, which begins with a letter, has single hyphens only inside.
func hyphenated(s string) bool {
	return consistsOf(s, "-", false) && !strings.Contains(s, "--") && s[len(s)-1] != '-'
}
