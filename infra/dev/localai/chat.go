package localai

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
)

// chat is a generation request of either dialect, as the generators see it.
type chat struct {
	model    model
	messages []message
	stream   bool
	format   *format // nil for prose
	// inputs are the request's own fields, for a server that understands them.
	inputs map[string]json.RawMessage
}

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// delta is a piece of an answer: some text, or one whole tool call, or why the
// answer ended.
type delta struct {
	text   string
	tool   *toolCall
	finish string
}

type toolCall struct {
	ID        string
	Name      string
	Arguments json.RawMessage // an object
}

// generator answers a chat piece by piece. An error before the first piece is the
// call's answer; after it, it breaks the stream.
type generator func(ctx context.Context, c *chat, emit func(delta) error) (usage, error)

func readChat(m model, raw json.RawMessage) (*chat, error) {
	c := &chat{model: m}
	if err := json.Unmarshal(raw, &c.inputs); err != nil || c.inputs == nil {
		return nil, invalid("/", "Type mismatch of '/', 'object' expected")
	}
	if stream, present := c.inputs["stream"]; present && json.Unmarshal(stream, &c.stream) != nil {
		return nil, invalid("/stream", "Type mismatch of '/stream', 'boolean' expected")
	}
	var err error
	if c.format, err = readFormat(c.inputs["response_format"]); err != nil {
		return nil, err
	}
	if prompt, present := c.inputs["prompt"]; present && c.inputs["messages"] == nil {
		var text string
		if json.Unmarshal(prompt, &text) != nil || text == "" {
			return nil, invalid("/prompt", "Type mismatch of '/prompt', 'string' expected")
		}
		c.messages = []message{{"user", text}}
		return c, nil
	}
	if c.inputs["messages"] == nil {
		return nil, invalid("/", "oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt' or 'messages'")
	}
	return c, c.readMessages(c.inputs["messages"])
}

func (c *chat) readMessages(raw json.RawMessage) error {
	var list []struct {
		Role    *string
		Content json.RawMessage
	}
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return invalid("/messages", "Type mismatch of '/messages', 'array' of messages expected")
	}
	for i, m := range list {
		path := "/messages/" + strconv.Itoa(i)
		if m.Role == nil || *m.Role == "" {
			return invalid(path, "required properties at '%s' are 'role'", path)
		}
		content, err := readContent(m.Content)
		if err != nil {
			return invalid(path+"/content", "Type mismatch of '%s/content', 'string' or 'array' of parts expected", path)
		}
		c.messages = append(c.messages, message{*m.Role, content})
	}
	return nil
}

// readContent answers a message's text: a string, or the text parts of a list, or
// nothing where a message has only tool calls.
func readContent(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return "", nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text, nil
	}
	var parts []struct{ Text string }
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", err
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = p.Text
	}
	return strings.Join(texts, "\n"), nil
}

// lastUser answers the place of the last user message, or -1.
func (c *chat) lastUser() int {
	for i := len(c.messages) - 1; i >= 0; i-- {
		if c.messages[i].Role == "user" {
			return i
		}
	}
	return -1
}

// generate runs a chat model and answers its JSON, or its stream.
func (s *Server) generate(ctx context.Context, m model, inputs json.RawMessage) (*answer, error) {
	c, err := readChat(m, inputs)
	if err != nil {
		return nil, err
	}
	asked := s.count(c)
	if asked > m.window {
		return nil, refuse(5021, 413, "The estimated number of input tokens (%d) exceeded this model context window limit (%d).", asked, m.window)
	}
	generate := s.generator(m)
	if c.stream {
		return s.startStream(ctx, c, generate, asked)
	}
	var whole completion
	u, err := generate(ctx, c, whole.add)
	if err != nil {
		return nil, err
	}
	u = s.settle(u, asked, whole.text.String())
	return &answer{body: whole.body(c, s.options.Now(), u), usage: u}, nil
}

func (s *Server) generator(m model) generator {
	switch {
	case m.kind == scripted:
		return s.scripts.generate
	case m.kind == guarding:
		return s.guard
	case s.options.OpenAI.BaseURL != "":
		return s.options.OpenAI.generate
	default:
		return s.extract
	}
}

func (s *Server) count(c *chat) int {
	n := 0
	for _, m := range c.messages {
		n += len(s.composite.encoder.Pieces(m.Content))
	}
	return n
}

// settle fills in what a generator did not count itself.
func (s *Server) settle(u usage, asked int, text string) usage {
	if u.in == 0 {
		u.in = asked
	}
	if u.out == 0 {
		u.out = len(s.composite.encoder.Pieces(text))
	}
	return u
}
