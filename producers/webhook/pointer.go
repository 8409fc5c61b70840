package webhook

import (
	"strconv"
	"strings"
)

// find is the value that a JSON Pointer (RFC 6901) leads to.
func find(value any, pointer string) (any, bool) {
	for _, name := range strings.Split(pointer, "/")[1:] {
		switch v := value.(type) {
		case map[string]any:
			member, ok := v[unescape.Replace(name)]
			if !ok {
				return nil, false
			}
			value = member
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(v) || strconv.Itoa(i) != name {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

// unescape reads from the left, so ~01 is ~1.
var unescape = strings.NewReplacer("~0", "~", "~1", "/")
