package credential

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// leastPart is how long a part of a text has to be, to be covered wherever it stands: what is shorter is a word like others.
const leastPart = 12

// Redact covers every token that was read so far wherever it stands in a text, and every text with its parts: its lines and, of JSON, the
// strings in it, as they are and as JSON writes them.
func (s *Source) Redact(text string) string {
	type cover struct{ secret, as string }
	var covers []cover
	s.mu.Lock()
	for key, e := range s.entries {
		if e.value == "" {
			continue
		}
		covers = append(covers, cover{e.value, "[" + key.kind.name + "]"})
		for _, part := range e.parts {
			covers = append(covers, cover{part, "[secret]"})
		}
	}
	s.mu.Unlock()
	slices.SortFunc(covers, func(a, b cover) int { // the longest first: one may be a part of another
		return cmp.Or(len(b.secret)-len(a.secret), strings.Compare(a.secret, b.secret))
	})
	for _, c := range covers {
		text = strings.ReplaceAll(text, c.secret, c.as)
	}
	return text
}

// parts are the pieces of a text that are secrets by themselves.
func parts(text string) (found []string) {
	add := func(part string) {
		if len(part) >= leastPart {
			found = append(found, part)
		}
	}
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		for line := range strings.Lines(text) {
			add(strings.TrimSpace(line))
		}
		return found
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			add(v)
			if quoted, err := json.Marshal(v); err == nil {
				add(string(quoted[1 : len(quoted)-1]))
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(v)
	return found
}
