package api

import (
	"cmp"
	"encoding/json"
	"net/http"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools"
)

// toolView is a tool as it is listed.
type toolView struct {
	Name         string             `json:"name"`
	Description  string             `json:"description"`
	InputSchema  json.RawMessage    `json:"inputSchema"`
	OutputSchema json.RawMessage    `json:"outputSchema"`
	Effects      tools.Effects      `json:"effects"`
	Cost         tools.Cost         `json:"cost"`
	TimeoutMS    int64              `json:"timeoutMs"`
	Needs        []tenants.APIScope `json:"needs"` // the scopes that the key has to hold
}

// listTools answers the tools that the caller may call.
func listTools(c *call) error {
	views := []toolView{}
	for _, t := range c.Tools.List(c.toolCaller("")) {
		views = append(views, toolView{
			Name: t.Name, Description: t.Description, InputSchema: t.Input.Text(), OutputSchema: t.Output.Text(), Effects: t.Effects, Cost: t.Cost,
			TimeoutMS: cmp.Or(t.Timeout, tools.DefaultTimeout).Milliseconds(), Needs: append([]tenants.APIScope{tenants.ScopeTools}, t.Needs...),
		})
	}
	return c.ok(http.StatusOK, struct {
		Tools []toolView `json:"tools"`
	}{views})
}

// toolCaller is who asks for tools, and for whom.
func (c *call) toolCaller(user string) tools.Caller {
	caller := tools.Caller{
		Config: c.config, Allows: func(tenants.APIScope) bool { return true }, User: user, Via: tools.ViaHTTP, RequestID: c.requestID, Cause: c.cause(),
		Flagged: c.noted().Called,
	}
	if c.key != nil && c.key.grant != nil { // else the door is open
		caller.Actor, caller.Allows = c.key.grant.ActorAt(c.config.ID), c.key.grant.Allows
	}
	return caller
}

type executeRequest struct {
	Tool   string          `json:"tool_name"`
	Params json.RawMessage `json:"params"`
	UserID string          `json:"user_id"`
	DryRun bool            `json:"dry_run"`
}

var executeForm = formOf[executeRequest]()

// toolAnswer is what came of a call that went well.
type toolAnswer struct {
	Success  bool            `json:"success"`
	Data     json.RawMessage `json:"data"`
	Metadata toolMetadata    `json:"metadata"`
	Safety   *safety.Told    `json:"safety,omitempty"` // what was found by the tenant's policy
}

type toolMetadata struct {
	DurationMS int64  `json:"durationMs"`
	Tokens     int64  `json:"tokens"`
	CostNanos  int64  `json:"costNanos"`         // billionths of a US dollar
	AuditID    string `json:"auditId,omitempty"` // of the call, as the audit trail has it; a dry run is not in it
	DryRun     bool   `json:"dryRun,omitempty"`
	Replayed   bool   `json:"replayed,omitempty"`
}

func answerOf(r tools.Result, found *safety.Told) toolAnswer {
	return toolAnswer{Success: true, Data: r.Data, Safety: found, Metadata: toolMetadata{
		DurationMS: r.Duration.Milliseconds(), Tokens: r.Tokens, CostNanos: r.Nanos, AuditID: r.ID, DryRun: r.DryRun, Replayed: r.Replayed,
	}}
}

// executeTool has a tool run. A client that leaves cancels it, unless it sent a key, with which it can ask for the result.
func executeTool(c *call) error {
	req, err := executeForm.decode(c.body)
	if err != nil {
		return err
	}
	if req.Tool == "" {
		return fault.Invalidf("tool_name", "field_required", "is required").WithHint("GET /schema/tools lists the tools")
	}
	user := cmp.Or(req.UserID, c.r.Header.Get(userHeader))
	if err := checkUser("user_id", user); err != nil {
		return err
	}
	c.body = nil // params are a copy, which has the body's room until the call has ended
	c.user = user
	if err := c.permit(user, quota.Amount{}); err != nil {
		return err
	}
	caller, order := c.toolCaller(user), tools.Order{Tool: req.Tool, Input: req.Params, Key: c.idempotencyKey, DryRun: req.DryRun}
	if accepts(c.r.Header.Get("Accept"), eventStreamType) {
		return c.tellTool(caller, order)
	}
	began := c.opts.Now()
	r, err := c.Tools.Execute(c.ctx(), c.scope, caller, order)
	c.stage("tool", began)
	if err == nil {
		err = c.screenCalled(caller, req.Tool, &r)
	}
	c.showFlags()
	if err != nil {
		return toolFailed(r, err)
	}
	if r.Replayed {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return c.ok(http.StatusOK, answerOf(r, c.noted().All()))
}

// toolFailed adds what a failed call is called, and the tool's own code.
func toolFailed(r tools.Result, err error) error {
	d := details{AuditID: r.ID}
	if fault.As(err).Code == tools.CodeFailed {
		d.ToolCode = tools.OwnCode(err)
	}
	return withDetails(err, d)
}
