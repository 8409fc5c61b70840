package generate

import (
	"fmt"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// The codes of what is refused.
const (
	codeName   = "name_invalid"   // it cannot be a name of this kind
	codeTaken  = "name_taken"     // something else has the name
	codeEdited = "file_edited"    // a generated file was edited since
	codeForm   = "form_unknown"   // a registry is not written the way that the generator knows
	codeOption = "option_invalid" // a flag says what makes no sense
	codeConfig = "config_invalid" // the tenant's configuration would be wrong
)

// Refused is why nothing is written: everything that is wrong, with its file, its place and what to do about it.
type Refused struct {
	Code     string
	Problems tenants.Problems
}

// Error is a line for each problem.
func (r *Refused) Error() string {
	lines := make([]string, len(r.Problems))
	for i, p := range r.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap is the first problem as a fault.
func (r *Refused) Unwrap() error {
	p := r.Problems[0]
	return fault.Invalidf(p.Path, r.Code, "%s", p.Message).WithHint(p.Hint)
}

// refuse is one problem.
func refuse(code, file, path, hint, format string, args ...any) error {
	return &Refused{code, tenants.Problems{{File: file, Path: path, Hint: hint, Message: fmt.Sprintf(format, args...)}}}
}
