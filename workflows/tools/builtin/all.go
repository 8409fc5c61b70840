package builtin

import "levada.dev/workflows/tools"

// All is every tool of the platform.
func All() []tools.Tool {
	return []tools.Tool{}
}
