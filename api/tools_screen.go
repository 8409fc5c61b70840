package api

import (
	"encoding/json"
	"slices"

	"levada.dev/events/fault"
	"levada.dev/workflows/safety"
	"levada.dev/workflows/tools"
)

// screenCalled asks of what a tool brought what the tenant's policy wants asked, where it is for a model: in a message of MCP. Whoever calls a tool by
// himself is a program, as with a search without an answer. What is left of the result fits the tool's schema; where it would not, none of it is told.
func (c *call) screenCalled(caller tools.Caller, tool string, r *tools.Result) error {
	if !c.inside {
		return nil
	}
	shown, err := c.screenResult()(c.ctx(), tool, string(r.Data))
	if err != nil || shown == string(r.Data) {
		return err
	}
	r.Data = json.RawMessage(shown)
	list := c.Tools.List(caller)
	i := slices.IndexFunc(list, func(t tools.Tool) bool { return t.Name == tool })
	if i < 0 || list[i].Output.Check(r.Data, "data", safety.CodeBlocked) != nil {
		r.Data = nil
		return fault.New(fault.Invalid, safety.CodeBlocked, "what the tool brought was taken for an attempt to give other instructions, and is not shown", nil).
			WithHint("call it with other arguments; who administers the tenant sets safety.retrieved")
	}
	return nil
}
