package fault

import (
	"strconv"
	"strings"
)

// Path is a place in a JSON value, below another one, as Field has it: "params.items[1].name".
func Path(at string, steps ...string) string {
	var b strings.Builder
	b.WriteString(at)
	for _, step := range steps {
		if _, err := strconv.Atoi(step); err == nil {
			b.WriteString("[" + step + "]")
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(step)
	}
	return b.String()
}
