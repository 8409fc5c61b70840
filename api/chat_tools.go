package api

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/tools"
	"levada.dev/workflows/tools/loop"
)

// offered is a tool of the platform's that a request offers its model. Without a name it is all that the tenant's turns have by themselves.
type offered struct {
	name string
	at   string // its element of the request
}

// kit is the platform's tools that the request's model may call: those that it names, and, where turns have them by themselves, tools.inChat
// as far as the caller may call them. A tool of the client's that has the same name stands in its place. Nil is none.
func (c *call) kit(asked []offered, own []llm.Tool, byThemselves bool, user string) (*loop.Kit, error) {
	if len(asked) == 0 && (!byThemselves || len(c.config.Tools.InChat) == 0) {
		return nil, nil
	}
	caller := c.toolCaller(user)
	caller.Via = tools.ViaChat
	have := c.Tools.List(caller)
	var chosen []tools.Tool
	choose := func(name string) bool {
		i := slices.IndexFunc(have, func(t tools.Tool) bool { return t.Name == name })
		if i >= 0 && !slices.ContainsFunc(chosen, func(t tools.Tool) bool { return t.Name == name }) {
			chosen = append(chosen, have[i])
		}
		return i >= 0
	}
	mine := func(name string) bool {
		return slices.ContainsFunc(own, func(t llm.Tool) bool { return t.Name == name })
	}
	for _, o := range asked {
		switch {
		case o.name == "":
			byThemselves = true
		case mine(o.name):
			return nil, fault.Invalidf(o.at+".name", "invalid_value", "another tool is named %q", o.name)
		case !choose(o.name):
			return nil, c.notOffered(caller, o)
		}
	}
	if byThemselves {
		for _, name := range c.config.Tools.InChat {
			if !mine(name) {
				choose(name)
			}
		}
	}
	if len(chosen) == 0 {
		return nil, nil
	}
	if len(own)+len(chosen) > maxTools {
		return nil, fault.Invalidf("tools", "value_out_of_range", "are %d with those of the platform, above %d", len(own)+len(chosen), maxTools)
	}
	kit := tools.Offer(c.Tools, c.scope, caller, chosen)
	kit.Screen = c.screenResult()
	return kit, nil
}

// screenResult asks of what tools bring what the tenant's policy wants asked. It goes on when the request is over.
func (c *call) screenResult() func(ctx context.Context, tool, text string) (string, error) {
	filter, report, s, policy, request := c.Safety, c.noted(), c.scope, c.config.Safety, c.requestID
	return func(ctx context.Context, tool, text string) (string, error) {
		shown, v, err := filter.Result(ctx, s, policy, request, text)
		report.Brought(tool, v, blocks(policy.Retrieved))
		return shown, err
	}
}

// notOffered is why a request cannot offer a tool: what the box says of a call of it, which is refused and on record as any other.
func (c *call) notOffered(caller tools.Caller, o offered) error {
	r, err := c.Tools.Execute(c.ctx(), c.scope, caller, tools.Order{Tool: o.name, DryRun: true})
	f := fault.As(err)
	if err != nil && f.Code != tools.CodeNotFound && f.Code != tools.CodeDenied {
		return err
	}
	said := fault.Missing(tools.CodeNotFound, "there is no tool %.64q", o.name)
	if f.Code == tools.CodeDenied {
		said = fault.New(fault.Denied, tools.CodeDenied, f.Message, nil)
	}
	said.Field = o.at + ".name"
	return toolFailed(r, said.WithHint("GET /schema/tools lists those that the key may call"))
}

// runFirst runs the tool that the request names, before its turn begins. With a key it is run once, however often the request comes.
func (c *call) runFirst(req *chatRequest) (*loop.Outcome, error) {
	caller := c.toolCaller(req.UserID)
	caller.Via = tools.ViaChat
	order := tools.Order{Tool: req.ToolName, Input: req.ToolParams}
	if c.idempotencyKey != "" {
		order.Key = "request/" + c.idempotencyKey // which no stream is called
	}
	began := c.opts.Now()
	r, err := c.Tools.Execute(c.ctx(), c.scope, caller, order)
	c.stage("tool", began)
	c.showFlags()
	if err != nil {
		return nil, inField(toolFailed(r, err), func(field string) string {
			if rest, ok := strings.CutPrefix(field, "params"); ok {
				return "tool_params" + rest
			}
			return field
		})
	}
	shown, err := c.screenResult()(c.ctx(), req.ToolName, string(r.Data))
	if err != nil {
		return nil, err
	}
	c.showFlags()
	return &loop.Outcome{
		ToolCall: llm.ToolCall{ID: r.ID, Name: req.ToolName, Arguments: cmp.Or(string(req.ToolParams), "{}")},
		OK:       true, Content: loop.Cut(shown, loop.MaxResult), Duration: r.Duration,
	}, nil
}

// checkFirst is what a request that names a tool must have.
func (req *chatRequest) checkFirst() error {
	if string(req.ToolParams) == "null" {
		req.ToolParams = nil
	}
	switch {
	case req.ToolName == "" && len(req.ToolParams) > 0:
		return fault.Invalidf("tool_name", "field_required", "is required with tool_params")
	case req.ToolName == "":
	case req.Message == "":
		return fault.Invalidf("message", "field_required", "is required with tool_name: what is to be said of the result")
	case req.RAG != nil:
		return fault.Invalidf("tool_name", "fields_exclusive", "a turn rests on documents or on what a tool returned: send rag or tool_name")
	}
	return nil
}

// toolStep is a call of the platform's, and what came of it.
type toolStep struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Arguments *string `json:"arguments,omitempty"` // as the model wrote them
	OK        bool    `json:"ok"`
	Content   string  `json:"content"`
	Duration  int64   `json:"durationMs"`
}

// addCall takes a tool_call event into a whole answer.
func (a *chatAnswer) addCall(data json.RawMessage) error {
	var t struct {
		llm.ToolCall
		Platform bool
	}
	if err := json.Unmarshal(data, &t); err != nil {
		return err
	}
	if t.Platform {
		a.ToolSteps = append(a.ToolSteps, toolStep{ID: t.ID, Name: t.Name, Arguments: &t.Arguments})
	} else {
		a.ToolCalls = append(a.ToolCalls, t.ToolCall)
	}
	return nil
}

// addResult takes a tool_result event: of a call, or of the tool that was run first.
func (a *chatAnswer) addResult(data json.RawMessage) error {
	var t toolStep
	if err := json.Unmarshal(data, &t); err != nil {
		return err
	}
	i := slices.IndexFunc(a.ToolSteps, func(s toolStep) bool { return s.ID == t.ID })
	if i < 0 {
		a.ToolSteps = append(a.ToolSteps, t)
		return nil
	}
	t.Arguments = a.ToolSteps[i].Arguments
	a.ToolSteps[i] = t
	return nil
}
