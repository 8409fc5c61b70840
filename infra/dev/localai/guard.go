package localai

import (
	"context"
	"strings"
)

// hazards are words by which the guard here takes a text for unsafe, with the category that the real one would name. It is a stand-in of a dozen
// words: what it says is the same each time, and of the real one's form.
var hazards = [...]struct{ word, category string }{
	{"murder", "S1"}, {"steal", "S2"}, {"launder", "S2"}, {"libel", "S5"}, {"stalk", "S7"},
	{"nerve agent", "S9"}, {"pipe bomb", "S9"}, {"hate crime", "S10"}, {"kill myself", "S11"}, {"rig the election", "S13"},
}

// guard says whether the last of a conversation is safe, as Llama Guard does: "safe", or "unsafe" and on the next line the categories.
func (s *Server) guard(_ context.Context, c *chat, emit func(delta) error) (usage, error) {
	last := strings.ToLower(c.messages[len(c.messages)-1].Content)
	var found []string
	for _, h := range hazards {
		if strings.Contains(last, h.word) {
			found = append(found, h.category)
		}
	}
	text := "safe"
	if len(found) > 0 {
		text = "unsafe\n" + strings.Join(found, ",")
	}
	return usage{}, emit(delta{text: text, finish: "stop"})
}
