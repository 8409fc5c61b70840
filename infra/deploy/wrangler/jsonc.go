package wrangler

import (
	"bytes"
	"encoding/json"
	"strings"
)

// jsonc encodes v with comments: header before everything, and notes before the members of v that they are for.
func jsonc(v any, header []string, notes map[string][]string) ([]byte, error) {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // an id's placeholder is to be read
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	comment(&out, "", header)
	for line := range strings.Lines(plain.String()) {
		comment(&out, "  ", notes[member(line)])
		out.WriteString(line)
	}
	return out.Bytes(), nil
}

// member is the name of the outermost object's member that begins on an indented line, or "". A line break within a string is escaped, so
// nothing else looks like that.
func member(line string) string {
	rest, ok := strings.CutPrefix(line, `  "`)
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

func comment(out *bytes.Buffer, indent string, lines []string) {
	for _, line := range lines {
		out.WriteString(strings.TrimRight(indent+"// "+line, " ") + "\n")
	}
}
