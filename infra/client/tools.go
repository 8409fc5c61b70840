package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Tool is a tool that the key may call.
type Tool struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Effects     string   `json:"effects"` // "none", "reads" or "writes"
	Cost        string   `json:"cost"`
	Needs       []string `json:"needs"` // scopes
}

// Tools lists them, by name.
func (c *Client) Tools(ctx context.Context) ([]Tool, error) {
	list, err := get[struct{ Tools []Tool }](ctx, c, "/schema/tools", nil)
	return list.Tools, err
}

// Execution is what came of a call of a tool.
type Execution struct {
	Data     json.RawMessage `json:"data"`
	Metadata struct {
		DurationMS int64  `json:"durationMs"`
		Tokens     int64  `json:"tokens"`
		AuditID    string `json:"auditId"` // of the call, as the audit trail has it
	} `json:"metadata"`
}

// Execute has a tool run. A call that is refused is an Error with the argument's place in its Fault, and the call's id.
func (c *Client) Execute(ctx context.Context, tool string, params any) (Execution, error) {
	r, err := withJSON(request{method: http.MethodPost, path: "/tools/execute"}, map[string]any{"tool_name": tool, "params": params})
	if err != nil {
		return Execution{}, err
	}
	return call[Execution](ctx, c, r)
}
