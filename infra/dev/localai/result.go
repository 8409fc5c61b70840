package localai

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// told is what a line of JSON, as tools return it, tells: its texts, which can be quoted, and everything else by its name ("result: 495").
// A line that is none tells nothing.
func told(line string) (texts, values []string) {
	if !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "[") {
		return nil, nil
	}
	d := json.NewDecoder(strings.NewReader(line))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return nil, nil
	}
	walk("", v, func(name string, leaf any) {
		text, isText := leaf.(string)
		switch {
		case isText && strings.Count(strings.TrimSpace(text), " ") >= 2:
			texts = append(texts, text)
		case isText && text != "" || leaf != nil && !isText:
			values = append(values, strings.TrimPrefix(fmt.Sprintf("%s: %v", name, leaf), ": "))
		}
	})
	return texts, values
}

// walk visits what is in a value and has nothing in it, with the name of the member that it stands in, in the order of the names.
func walk(name string, v any, visit func(name string, leaf any)) {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(k, v[k], visit)
		}
	case []any:
		for _, e := range v {
			walk(name, e, visit)
		}
	default:
		visit(name, v)
	}
}

// spread is a context in which what tools returned stands as text, and what else they returned.
func spread(context string) (text string, values []string) {
	var b strings.Builder
	for line := range strings.Lines(context) {
		texts, more := told(strings.TrimSpace(line))
		if texts == nil && more == nil {
			b.WriteString(line)
			continue
		}
		for _, t := range texts {
			b.WriteString(t + "\n")
		}
		values = append(values, more...)
	}
	return b.String(), values
}
