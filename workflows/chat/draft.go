package chat

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools/loop"
)

// draft is an answer as far as it has come.
type draft struct {
	text   strings.Builder
	calls  []*pieces
	finish llm.Finish
	later  bool // tools were called before it
	gap    string
	spoke  bool // something was said, here or before
}

// pieces is a call of a tool that is still being written.
type pieces struct {
	index     int
	id, name  string
	arguments strings.Builder
}

// tell adds what is told of the answer, and returns it. What parts it from what was said before tools were called is told with its first word, and
// only if something was.
func (d *draft) tell(text string) string {
	if d.later && d.text.Len() == 0 {
		if d.gap += text; strings.TrimSpace(d.gap) == "" {
			return ""
		}
		if text, d.gap = d.gap, ""; !d.spoke {
			text = strings.TrimPrefix(text, loop.Gap)
		}
	}
	d.spoke = d.spoke || strings.TrimSpace(text) != ""
	d.text.WriteString(text)
	return text
}

// take adds what else a piece of the answer has.
func (d *draft) take(piece llm.Delta) {
	if piece.Finish != "" {
		d.finish = piece.Finish
	}
	if piece.Tool == nil {
		return
	}
	p := d.call(piece.Tool.Index)
	if piece.Tool.ID != "" {
		p.id = piece.Tool.ID
	}
	if piece.Tool.Name != "" {
		p.name = piece.Tool.Name
	}
	p.arguments.WriteString(piece.Tool.Arguments)
}

func (d *draft) call(index int) *pieces {
	for _, p := range d.calls {
		if p.index == index {
			return p
		}
	}
	p := &pieces{index: index}
	d.calls = append(d.calls, p)
	return p
}

// complete is the calls of tools, in the order in which the model began them. Before the answer has come to its end the
// last pieces may be missing, so there are none.
func (d *draft) complete() []llm.ToolCall {
	if d.finish == "" {
		return nil
	}
	var calls []llm.ToolCall
	for _, p := range d.calls {
		calls = append(calls, llm.ToolCall{ID: p.id, Name: p.name, Arguments: p.arguments.String()})
	}
	return calls
}

// message is the answer as the session keeps it.
func (d *draft) message() llm.Message {
	return llm.Message{Role: llm.Assistant, Content: d.said(), ToolCalls: d.complete()}
}

// said is the text, without the lines that part it from what was said before tools were called.
func (d *draft) said() string {
	if d.later {
		return strings.TrimPrefix(d.text.String(), loop.Gap)
	}
	return d.text.String()
}

// goOn is for what is said after calls of tools.
func (d *draft) goOn() {
	d.text.Reset()
	d.later = true
}

// token is the data of a Token event.
func token(text string) json.RawMessage {
	if plain(text) {
		return json.RawMessage(tokenHead + text + tokenTail)
	}
	return encode(struct {
		Token string `json:"token"`
	}{text})
}

// plain reports whether a text is a JSON string as it is.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.ValidString(text)
}

// encode writes what always encodes. Unlike json.Marshal it leaves <, > and & alone, which answers are full of.
func encode(v any) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
