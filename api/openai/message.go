package openai

import (
	"strings"

	"levada.dev/workflows/llm"
)

// messages reads the conversation.
func (r *reader) messages() ([]llm.Message, error) {
	all := make([]llm.Message, 0, 4)
	err := r.array(func(int) error {
		m, err := r.message()
		all = append(all, m)
		return err
	})
	return all, err
}

// roles are who may speak; a developer is what OpenAI now calls the system.
var roles = map[string]llm.Role{
	"developer": llm.System, "system": llm.System, "user": llm.User, "assistant": llm.Assistant, "tool": llm.ToolRole,
}

// message reads one message. It may be one that was answered before and has come back: what answers carry besides their
// content is passed over.
func (r *reader) message() (llm.Message, error) {
	var m llm.Message
	var said bool
	err := r.object(func(name []byte) (err error) {
		if r.null() {
			return nil
		}
		switch string(name) {
		case "role":
			m.Role, err = r.role()
		case "content":
			said = true
			m.Content, err = r.content()
		case "refusal":
			var refusal string
			if refusal, err = r.text(); m.Content == "" {
				m.Content, said = refusal, true
			}
		case "name":
			m.Name, err = r.text()
		case "tool_calls":
			m.ToolCalls, err = r.toolCalls()
		case "tool_call_id":
			m.ToolCallID, err = r.text()
		case "reasoning_content", "reasoning", "annotations":
			err = r.skip()
		case "audio", "function_call":
			err = r.refuse("unsupported_parameter", "is not supported here")
		default:
			err = r.unknown()
		}
		return err
	})
	if err != nil {
		return m, err
	}
	switch {
	case m.Role == "":
		return m, missing(r.where() + ".role")
	case !said && len(m.ToolCalls) == 0:
		return m, missing(r.where() + ".content")
	case m.Role == llm.ToolRole && m.ToolCallID == "":
		return m, missing(r.where() + ".tool_call_id")
	case m.Role != llm.Assistant && len(m.ToolCalls) > 0:
		return m, mistake(r.where()+".tool_calls", "invalid_value", "belongs to messages of the role 'assistant' only")
	}
	return m, nil
}

func (r *reader) role() (llm.Role, error) {
	s, err := r.text()
	if err != nil {
		return "", err
	}
	role, ok := roles[s]
	if !ok {
		return "", r.refuse("invalid_value", "is %.40q, which is none of 'developer', 'system', 'user', 'assistant' and 'tool'", s)
	}
	return role, nil
}

// content reads what is said: a string, or parts of text, which become paragraphs.
func (r *reader) content() (string, error) {
	if r.peek() == '"' {
		return r.text()
	}
	if r.peek() != '[' {
		return "", r.mistyped("a string or an array")
	}
	var parts []string
	err := r.array(func(int) error {
		part, err := r.part()
		parts = append(parts, part)
		return err
	})
	if err == nil && len(parts) == 0 {
		err = r.refuse("empty_array", "must have at least one part")
	}
	return strings.Join(parts, "\n"), err
}

// part reads one part of a content. Its type may come after what it is the type of, so parts of all types are read.
func (r *reader) part() (text string, err error) {
	var kind string
	var said bool
	err = r.object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			kind, err = r.text()
			if err == nil && kind != "text" && kind != "refusal" {
				err = r.refuse("unsupported_value", "is %.40q, and only parts of the type 'text' are supported here", kind)
			}
		case "text", "refusal":
			said = true
			text, err = r.text()
		default:
			err = r.skip()
		}
		return err
	})
	switch {
	case err != nil:
	case kind == "":
		err = missing(r.where() + ".type")
	case !said:
		err = missing(r.where() + ".text")
	}
	return text, err
}

// checkCalls holds the outcomes of tools against the calls before them.
func checkCalls(messages []llm.Message) error {
	var called map[string]bool
	for i, m := range messages {
		for _, c := range m.ToolCalls {
			if called == nil {
				called = map[string]bool{}
			}
			called[c.ID] = true
		}
		if m.Role == llm.ToolRole && !called[m.ToolCallID] {
			return mistake(indexed("messages", i, "tool_call_id"), "invalid_value",
				"is %.80q, which no earlier message of the assistant has among its 'tool_calls'", m.ToolCallID)
		}
	}
	return nil
}
