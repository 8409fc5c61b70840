package mcp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"levada.dev/infra/mcp/line"
)

// listed is a tool as GET /schema/tools has it.
type listed struct {
	Name         string          `json:"name"`
	Description  string          `json:"description"`
	InputSchema  json.RawMessage `json:"inputSchema"`
	OutputSchema json.RawMessage `json:"outputSchema"`
	Effects      string          `json:"effects"`
	Cost         string          `json:"cost"`
}

func (t *tenant) listTools() (*mcp.ListToolsResult, error) {
	var list struct {
		Tools []listed `json:"tools"`
	}
	if err := unless(t.get("/schema/tools", &list), scopeDenied); err != nil {
		return nil, err
	}
	result := &mcp.ListToolsResult{Tools: make([]*mcp.Tool, len(list.Tools)), Cacheable: private}
	for i, l := range list.Tools {
		result.Tools[i] = l.tool()
	}
	return result, nil
}

// tool is the tool as clients are told of it. A tool that writes may replace what is there, such as a document, and twice is not once: MCP has no
// key by which a call is known again.
func (l listed) tool() *mcp.Tool {
	writes, outside := l.Effects == "writes", l.Cost == "outside"
	tool := &mcp.Tool{
		Name: l.Name, Description: l.Description, InputSchema: l.InputSchema,
		Annotations: &mcp.ToolAnnotations{ReadOnlyHint: !writes, DestructiveHint: &writes, IdempotentHint: !writes, OpenWorldHint: &outside},
	}
	if describesObject(l.OutputSchema) { // revisions before 2026-07-28 know no other structured content
		tool.OutputSchema = l.OutputSchema
	}
	return tool
}

func describesObject(schema json.RawMessage) bool {
	var s struct {
		Type any `json:"type"`
	}
	return json.Unmarshal(schema, &s) == nil && s.Type == "object"
}

// callTool has a tool run. What kept the tool from running for reasons that no other arguments change is an error of the protocol. All else is a result,
// which a model is shown and may act upon: that the tool failed, and since revision 2025-11-25 also that it does not take the arguments.
func (t *tenant) callTool(ctx context.Context, session *mcp.ServerSession, p *mcp.CallToolParamsRaw) (*mcp.CallToolResult, error) {
	q, err := execution(p)
	if err != nil {
		return nil, err
	}
	progress := func(progressed) {}
	if token := p.GetProgressToken(); token != nil && session != nil {
		q.Header.Set("Accept", "text/event-stream")
		last := -1.0
		progress = func(at progressed) {
			if at.Done <= last {
				return // it has to grow
			}
			last = at.Done
			_ = session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: at.Done, Total: at.Total, Message: at.Message})
		}
	}
	c, err := t.execute(q, progress)
	var no *refusal
	switch {
	case err == nil:
		return t.succeeded(c), nil
	case !errors.As(err, &no):
		return nil, err
	case no.Code == "TOOL_NOT_FOUND":
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "Unknown tool: " + p.Name}
	case no.ofTheCall():
		return t.failed(no), nil
	}
	return nil, err
}

// execution is the question for a call.
func execution(p *mcp.CallToolParamsRaw) (line.Question, error) {
	if p.Name == "" {
		return line.Question{}, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "params.name is required"}
	}
	arguments := bytes.TrimSpace(p.Arguments)
	switch {
	case len(arguments) == 0 || string(arguments) == "null":
		arguments = []byte("{}")
	case arguments[0] != '{':
		return line.Question{}, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "params.arguments is not an object"}
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // it is no longer than the message: the API has room for that
	if err := e.Encode(struct {
		Tool   string          `json:"tool_name"`
		Params json.RawMessage `json:"params"`
	}{p.Name, arguments}); err != nil {
		return line.Question{}, err
	}
	return line.Question{
		Method: http.MethodPost, Target: "/tools/execute", Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}, Body: bytes.TrimSpace(body.Bytes()),
	}, nil
}

// ofTheCall reports whether other arguments, or another time, would have gone well, so that it is for the model to know: the tool failed or took too long,
// or an argument is not allowed. That the key does not hold a scope is for people.
func (r *refusal) ofTheCall() bool {
	switch r.Code {
	case "EXECUTION_ERROR", "EXECUTION_TIMEOUT", "VALIDATION_FAILED", "content_blocked":
		return true
	case "PERMISSION_DENIED":
		return r.Field != ""
	}
	rest, in := strings.CutPrefix(r.Field, "params") // of JSON that is none to the API: a name twice, a number that there is not
	return in && r.Status == http.StatusBadRequest && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// called is what came of a call that went well.
type called struct {
	Data   json.RawMessage `json:"data"`
	Safety map[string]any  `json:"safety"` // what the tenant's policy has found
}

type progressed struct {
	Done    float64 `json:"done"`
	Total   float64 `json:"total"`
	Message string  `json:"message"`
}

// execute asks for the call, and tells how far it is until its result is there.
func (t *tenant) execute(q line.Question, progress func(progressed)) (c called, err error) {
	resp, err := t.ask(q)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return c, refused(resp)
	}
	if media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); media == "text/event-stream" {
		return follow(resp.Body, progress)
	}
	err = read(resp.Body, &c)
	return c, err
}

// follow reads the events of a call until the last one.
func follow(from io.Reader, progress func(progressed)) (c called, err error) {
	lines := bufio.NewReader(from)
	var kind, data string
	for {
		text, err := lines.ReadString('\n')
		if err != nil {
			return c, unexpected(err)
		}
		text = strings.TrimRight(text, "\r\n")
		name, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case name == "event":
			kind = value
		case name == "data":
			data = value // the API writes one line
		case text == "":
			result, last, err := event(kind, data, progress)
			if last || err != nil {
				return result, err
			}
			kind, data = "", ""
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// event reads one; after the last one there is a result or an error.
func event(kind, data string, progress func(progressed)) (c called, last bool, err error) {
	switch kind {
	case "progress":
		var p progressed
		if err := json.Unmarshal([]byte(data), &p); err != nil {
			return c, false, err
		}
		progress(p)
	case "result":
		err := json.Unmarshal([]byte(data), &c)
		return c, true, err
	case "error":
		var f struct {
			refusal
			Message string `json:"message"`
		}
		if err := json.Unmarshal([]byte(data), &f); err != nil {
			return c, false, err
		}
		no := f.refusal
		no.Status, no.Message = http.StatusBadGateway, f.Message
		return c, true, &no
	}
	return c, false, nil
}

// succeeded is a result: structured where it is an object, and the same as text.
func (t *tenant) succeeded(c called) *mcp.CallToolResult {
	data, result := c.Data, complete[mcp.CallToolResult](t)
	result.Content = []mcp.Content{&mcp.TextContent{Text: textOf(data)}}
	if c.Safety != nil {
		result.Meta = mcp.Meta{"levada.dev/safety": c.Safety}
	}
	if data = bytes.TrimSpace(data); len(data) > 0 && data[0] == '{' {
		result.StructuredContent = data
	}
	return result
}

// textOf is a string as it is, and anything else as JSON.
func textOf(data json.RawMessage) string {
	var s *string // nil of null, which is no string
	if json.Unmarshal(data, &s) == nil && s != nil {
		return *s
	}
	return string(data)
}

// failed is what a model is told of a call that did not go well.
func (t *tenant) failed(no *refusal) *mcp.CallToolResult {
	text := no.Message
	if no.Hint != "" {
		text += " (" + no.Hint + ")"
	}
	meta := map[string]any{"code": no.Code}
	for name, value := range map[string]string{"field": no.Field, "toolCode": no.ToolCode, "auditId": no.AuditID} {
		if value != "" {
			meta[name] = value
		}
	}
	result := complete[mcp.CallToolResult](t)
	result.Meta, result.IsError, result.Content = mcp.Meta{"levada.dev/error": meta}, true, []mcp.Content{&mcp.TextContent{Text: text}}
	return result
}
