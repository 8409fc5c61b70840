package openai

import (
	"bytes"
	"encoding/json"
	"slices"

	"levada.dev/workflows/llm"
)

const (
	maxTools    = 128
	maxToolName = 64
	nameRule    = "must be 1 to 64 letters, digits, _ and -"
)

// Offered is a tool of the platform's that the model may ask for, which OpenAI does not have: {"type": "platform", "name": "search_docs"}.
type Offered struct {
	Name string // "": all that the tenant has for it
	At   string // its place
}

// tools reads the functions that the model may ask for.
func (r *reader) tools() (all []llm.Tool, platform []Offered, err error) {
	err = r.array(func(i int) error {
		if i == maxTools {
			return mistake("tools", "array_above_max_length", "has more than %d tools", maxTools)
		}
		t, o, err := r.tool()
		if o != nil {
			platform = append(platform, *o)
		} else {
			all = append(all, t)
		}
		return err
	})
	return all, platform, err
}

func (r *reader) tool() (t llm.Tool, o *Offered, err error) {
	var kind, own string
	defined := false
	err = r.object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			if kind, err = r.text(); err == nil && kind != "function" && kind != "platform" {
				err = r.refuse("unsupported_value", "is %.40q, and only 'function' and 'platform' are supported here", kind)
			}
			return err
		case "name":
			own, err = r.text()
			return err
		case "function":
			defined = true
			return r.object(func(name []byte) error { return r.toolMember(&t, name) })
		}
		return r.unknown()
	})
	switch {
	case err != nil:
	case kind == "":
		err = missing(r.where() + ".type")
	case kind == "platform" && defined:
		err = mistake(r.where()+".function", "invalid_value", "belongs to tools of the type 'function'")
	case kind == "platform":
		o = &Offered{own, r.where()}
	case own != "":
		err = mistake(r.where()+".name", "invalid_value", "belongs to tools of the type 'platform'")
	case !isName(t.Name):
		err = mistake(r.where()+".function.name", "invalid_value", nameRule)
	}
	return t, o, err
}

// function reads the type of a call, of which there is one.
func (r *reader) function() (string, error) {
	kind, err := r.text()
	if err == nil && kind != "function" {
		err = r.refuse("unsupported_value", "is %.40q, and only 'function' is supported here", kind)
	}
	return kind, err
}

func (r *reader) toolMember(t *llm.Tool, name []byte) (err error) {
	if r.null() {
		return nil
	}
	switch string(name) {
	case "name":
		t.Name, err = r.text()
	case "description":
		t.Description, err = r.text()
	case "strict":
		var strict bool
		strict, err = r.boolean()
		t.Strict = &strict
	case "parameters":
		if r.peek() != '{' {
			return r.mistyped("an object")
		}
		t.Parameters, err = r.raw()
		t.Parameters = bytes.Clone(t.Parameters)
	default:
		err = r.unknown()
	}
	return err
}

// toolCalls reads the calls that the assistant has made.
func (r *reader) toolCalls() (all []llm.ToolCall, err error) {
	err = r.array(func(int) error {
		c, err := r.toolCall()
		all = append(all, c)
		return err
	})
	return all, err
}

func (r *reader) toolCall() (llm.ToolCall, error) {
	var c llm.ToolCall
	err := r.object(func(name []byte) (err error) {
		switch string(name) {
		case "id":
			c.ID, err = r.text()
		case "type":
			_, err = r.function()
		case "index":
			err = r.skip()
		case "function":
			err = r.object(func(name []byte) (err error) {
				switch string(name) {
				case "name":
					c.Name, err = r.text()
				case "arguments":
					c.Arguments, err = r.text()
				default:
					err = r.unknown()
				}
				return err
			})
		default:
			err = r.unknown()
		}
		return err
	})
	switch {
	case err != nil:
	case c.ID == "":
		err = missing(r.where() + ".id")
	case c.Name == "":
		err = missing(r.where() + ".function.name")
	}
	return c, err
}

// toolChoice reads which tool is to be called. What it names is checked when the tools are known.
func (r *reader) toolChoice() (json.RawMessage, error) {
	start := r.pos
	if r.peek() == '"' {
		_, err := r.oneOf("none", "auto", "required")
		return bytes.Clone(r.data[start:r.pos]), err
	}
	var kind, named string
	err := r.object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			kind, err = r.function()
			return err
		case "function":
			return r.object(func(name []byte) (err error) {
				if string(name) != "name" {
					return r.unknown()
				}
				named, err = r.text()
				return err
			})
		case "allowed_tools", "custom":
			return r.refuse("unsupported_parameter", "is not supported here")
		}
		return r.unknown()
	})
	switch {
	case err != nil:
	case kind == "":
		err = missing("tool_choice.type")
	case named == "":
		err = missing("tool_choice.function.name")
	}
	return bytes.Clone(r.data[start:r.pos]), err
}

// CheckChoice holds the choice against the tools there are.
func CheckChoice(tools []llm.Tool, choice json.RawMessage) error {
	if len(choice) == 0 || len(tools) == 0 && (string(choice) == `"none"` || string(choice) == `"auto"`) {
		return nil
	}
	if len(tools) == 0 {
		return mistake("tool_choice", "invalid_value", "is only allowed when 'tools' are specified")
	}
	if choice[0] == '"' {
		return nil
	}
	var c struct{ Function struct{ Name string } }
	if err := json.Unmarshal(choice, &c); err != nil {
		return mistake("tool_choice", "invalid_type", "must be a string or an object")
	}
	if !slices.ContainsFunc(tools, func(t llm.Tool) bool { return t.Name == c.Function.Name }) {
		return mistake("tool_choice.function.name", "invalid_value", "is %.64q, which is none of the 'tools'", c.Function.Name)
	}
	return nil
}

// isName reports whether a function or a schema may have the name.
func isName(s string) bool {
	ok := s != "" && len(s) <= maxToolName
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
	}
	return ok
}
