package tenants

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"levada.dev/events/fault"
)

// Problem is one thing that is wrong with a configuration, said so that its author can put it right.
type Problem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`   // of a syntax error, from 1
	Column  int    `json:"column,omitempty"` // in bytes, from 1
	Path    string `json:"path,omitempty"`   // "search.filterable.year", "allowedHosts[1]"; empty for the whole
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// String is the problem in one line, file and place first, as editors and terminals link them.
func (p Problem) String() string {
	var parts []string
	if place := p.File; place != "" {
		if p.Line > 0 {
			place += ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
		}
		parts = append(parts, place)
	}
	if p.Path != "" {
		parts = append(parts, p.Path)
	}
	s := strings.Join(append(parts, p.Message), ": ")
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems is everything that is wrong, in the order of files and places.
type Problems []Problem

// Err is nil when there is no problem, and otherwise the first as fault.Invalid, code config_invalid.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	p := ps[0]
	err := fault.Invalidf(p.Path, "config_invalid", "%s", p.Message)
	if p.Line > 0 {
		err = fault.Invalidf(p.Path, "config_invalid", "%s in line %d, column %d", p.Message, p.Line, p.Column)
	}
	return err.WithHint(p.Hint)
}

// Sort orders the problems by file, place and text.
func (ps Problems) Sort() {
	slices.SortFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Message, b.Message))
	})
}

func (ps *Problems) add(path, hint, format string, args ...any) {
	*ps = append(*ps, Problem{Path: path, Hint: hint, Message: fmt.Sprintf(format, args...)})
}
