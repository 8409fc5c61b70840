package api

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/quota"
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
	}
	if c.key != nil && c.key.grant != nil { // else the door is open
		caller.Actor, caller.Allows = c.key.grant.Name, c.key.grant.Allows
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
}

type toolMetadata struct {
	DurationMS int64  `json:"durationMs"`
	Tokens     int64  `json:"tokens"`
	CostNanos  int64  `json:"costNanos"`         // billionths of a US dollar
	AuditID    string `json:"auditId,omitempty"` // of the call, as the audit trail has it; a dry run is not in it
	DryRun     bool   `json:"dryRun,omitempty"`
	Replayed   bool   `json:"replayed,omitempty"`
}

func answerOf(r tools.Result) toolAnswer {
	return toolAnswer{Success: true, Data: r.Data, Metadata: toolMetadata{
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
	c.dropBody() // params are a copy
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
	if err != nil {
		return toolFailed(r, err)
	}
	if r.Replayed {
		c.w.Header().Set("Idempotent-Replayed", "true")
	}
	return c.ok(http.StatusOK, answerOf(r))
}

// toolFailed adds what a failed call is called, and the tool's own code.
func toolFailed(r tools.Result, err error) error {
	d := details{AuditID: r.ID}
	if fault.As(err).Code == tools.CodeFailed {
		d.ToolCode = tools.OwnCode(err)
	}
	return withDetails(err, d)
}

// accepts reports whether a client asks for a media type by its name.
func accepts(accept, media string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		name, _, _ := strings.Cut(item, ";")
		if strings.EqualFold(strings.TrimSpace(name), media) {
			return true
		}
	}
	return false
}

// How a tool is told: what has not begun a second after it was asked for has a head all the same; what fails before has its status.
const (
	toolHead     = time.Second
	toolBeat     = 15 * time.Second
	progressRoom = 64 // what is told while the client does not read; what is above it is left out
)

// toolRun is a call that is told as it happens.
type toolRun struct {
	progress chan tools.Progress
	done     chan struct{}
	result   tools.Result
	err      error
}

// runTool begins the call. It ends soon after ctx has, and whoever began it waits for done.
func (c *call) runTool(ctx context.Context, caller tools.Caller, order tools.Order) *toolRun {
	run := &toolRun{progress: make(chan tools.Progress, progressRoom), done: make(chan struct{})}
	order.Progress = func(p tools.Progress) {
		select {
		case run.progress <- p:
		default:
		}
	}
	go func() {
		defer close(run.done)
		defer func() {
			if p := recover(); p != nil {
				run.err = fault.New(fault.Internal, "panic", "", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
			}
		}()
		run.result, run.err = c.Tools.Execute(ctx, c.scope, caller, order)
	}()
	return run
}

// tellTool tells a call by events: progress, then exactly one result or error.
func (c *call) tellTool(caller tools.Caller, order tools.Order) error {
	ctx, cancel := context.WithCancel(c.ctx())
	defer cancel()
	began := c.opts.Now()
	run := c.runTool(ctx, caller, order)
	defer func() { cancel(); <-run.done }()

	head := time.NewTimer(toolHead)
	defer head.Stop()
	var first []tools.Progress
	select {
	case <-run.done:
		if run.err != nil {
			return toolFailed(run.result, run.err)
		}
		if run.result.Replayed {
			c.w.Header().Set("Idempotent-Replayed", "true")
		}
	case p := <-run.progress:
		first = append(first, p)
	case <-head.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.stage("tool", began)
	s := c.openStream()
	defer s.free()
	return c.followTool(ctx, s, run, first)
}

// followTool writes what happens until the call has ended.
func (c *call) followTool(ctx context.Context, s *stream, run *toolRun, told []tools.Progress) error {
	id := 0
	tell := func(kind string, v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			return fault.New(fault.Internal, "answer_encoding", kind, err)
		}
		id++
		s.event(id, kind, data)
		return nil
	}
	beat := time.NewTicker(toolBeat)
	defer beat.Stop()
	for {
		for _, p := range told {
			if err := tell("progress", p); err != nil {
				return err
			}
		}
		if len(s.buf) > 0 && s.send() != nil {
			c.err = errClientLeft
			return nil
		}
		told = told[:0]
		select {
		case p := <-run.progress:
			told = append(told, p)
		case <-beat.C:
			s.buf = append(s.buf, heartbeat...)
		case <-ctx.Done():
			c.err = errClientLeft
			return nil
		case <-run.done:
			for len(run.progress) > 0 {
				if err := tell("progress", <-run.progress); err != nil {
					return err
				}
			}
			err := c.lastOf(run, tell)
			s.end()
			return err
		}
	}
}

// toolError is the last event of a call that went wrong.
type toolError struct {
	Code       string `json:"code"`
	Message    string `json:"message"`
	Field      string `json:"field,omitempty"`
	ToolCode   string `json:"toolCode,omitempty"`
	AuditID    string `json:"auditId,omitempty"`
	Hint       string `json:"hint,omitempty"`
	RetryAfter int64  `json:"retryAfterMs,omitempty"`
}

// lastOf tells the end.
func (c *call) lastOf(run *toolRun, tell func(kind string, v any) error) error {
	if run.err == nil {
		return tell("result", answerOf(run.result))
	}
	c.err, c.broken = run.err, true
	f, _ := c.classify(run.err)
	e := toolError{Code: f.Code, Message: message(f), Field: f.Field, AuditID: run.result.ID, Hint: f.Hint, RetryAfter: f.RetryAfter.Milliseconds()}
	if f.Code == tools.CodeFailed {
		e.ToolCode = tools.OwnCode(run.err)
	}
	return tell("error", e)
}
