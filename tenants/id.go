package tenants

import (
	"regexp"

	"levada.dev/events/fault"
)

// ID is a tenant's name: lower-case letters, digits and single hyphens, 2 to 32 characters, a letter first.
// It is part of keys, object names and vector namespaces (64 bytes at most), so it is short and plain.
type ID string

var idPattern = regexp.MustCompile(`^[a-z](?:-?[a-z0-9]){1,31}$`)

const idHint = "use 2 to 32 lower-case letters, digits and single hyphens, a letter first"

// ParseID checks s.
func ParseID(s string) (ID, error) {
	if len(s) > 32 || !idPattern.MatchString(s) {
		return "", fault.Invalidf("", "tenant_invalid", "%.40q is not a tenant id", s).WithHint(idHint)
	}
	return ID(s), nil
}
