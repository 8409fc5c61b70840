package double

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
)

// workflow is a Workflow: a class of a Worker under a name of the account.
type workflow struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Class     string          `json:"class_name"`
	Script    string          `json:"script_name"`
	Created   string          `json:"created_on"`
	Modified  string          `json:"modified_on"`
	Version   string          `json:"version_id"`
	Triggered *string         `json:"triggered_on"`
	Limits    json.RawMessage `json:"limits,omitempty"`
	Instances map[string]int  `json:"instances"`
}

var workflowName = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_-]{0,63}$`)

const (
	codeWorkflow = 10200
	maxSteps     = 25_000
)

func workflowRoutes() []route {
	const workflows = "/accounts/{account}/workflows"
	const one = workflows + "/{workflow}"
	return []route{
		{pattern: "GET " + workflows, group: groupScripts, handle: listWorkflows},
		{pattern: "GET " + one, group: groupScripts, handle: onWorkflow(func(_ *call, w workflow) (any, error) { return w, nil })},
		{pattern: "PUT " + one, group: groupScripts, handle: putWorkflow},
		{pattern: "DELETE " + one, group: groupScripts, handle: onWorkflow(func(c *call, w workflow) (any, error) {
			delete(c.account.workflows, w.Name)
			return map[string]any{"status": "ok", "success": true}, nil
		})},
	}
}

func onWorkflow(do func(*call, workflow) (any, error)) func(*call) (any, error) {
	return func(c *call) (any, error) {
		if w, ok := c.account.workflows[c.PathValue("workflow")]; ok {
			return do(c, w)
		}
		return nil, refuse(http.StatusNotFound, codeWorkflow, "workflow.not_found")
	}
}

func listWorkflows(c *call) (any, error) {
	all := []workflow{}
	for _, w := range sorted(c.account.workflows) {
		if strings.Contains(w.Name, c.URL.Query().Get("search")) {
			all = append(all, w)
		}
	}
	return paged(c, all)
}

// putWorkflow makes a Workflow of a Worker that is there, or another version of one.
func putWorkflow(c *call) (any, error) {
	given, err := decode[struct {
		Class       string          `json:"class_name"`
		Script      string          `json:"script_name"`
		Limits      *workflowLimits `json:"limits"`
		Concurrency *struct {
			Limit int `json:"limit"`
		} `json:"concurrency"`
		Retention *struct {
			Error   any `json:"error_retention"`
			Success any `json:"success_retention"`
		} `json:"default_retention"`
		Schedules []struct {
			Cron string `json:"cron"`
		} `json:"schedules"`
	}](c)
	if err != nil {
		return nil, err
	}
	name := c.PathValue("workflow")
	switch {
	case !workflowName.MatchString(name):
		return nil, refuse(http.StatusBadRequest, codeWorkflow, "The name %q of a Workflow is not valid.", name)
	case given.Class == "":
		return nil, refuse(http.StatusBadRequest, codeWorkflow, "class_name is missing.")
	case c.account.scripts[given.Script] == nil:
		return nil, refuse(http.StatusNotFound, codeNoScript, "The Worker %q does not exist.", given.Script)
	case given.Limits != nil && (given.Limits.Steps < 1 || given.Limits.Steps > maxSteps):
		return nil, refuse(http.StatusBadRequest, codeWorkflow, "limits.steps has to be 1 to %d, is %d.", maxSteps, given.Limits.Steps)
	}
	for _, s := range given.Schedules {
		if !validCron(s.Cron) {
			return nil, refuse(http.StatusBadRequest, codeWorkflow, "invalid cron string %q", s.Cron)
		}
	}
	now := c.api.now()
	w, ok := c.account.workflows[name]
	if !ok {
		w = workflow{ID: c.api.uuid(), Name: name, Created: now, Instances: noInstances()}
	}
	w.Class, w.Script, w.Modified, w.Version, w.Limits = given.Class, given.Script, now, c.api.uuid(), nil
	if given.Limits != nil {
		w.Limits = inJSON(0, given.Limits).body
	}
	c.account.workflows[name] = w
	return struct {
		workflow
		Deleted    int `json:"is_deleted"`
		Terminator int `json:"terminator_running"`
	}{workflow: w}, nil
}

type workflowLimits struct {
	Steps int `json:"steps"`
}

func noInstances() map[string]int {
	all := map[string]int{}
	for _, state := range []string{"complete", "errored", "paused", "queued", "running", "terminated", "waiting", "waitingForPause"} {
		all[state] = 0
	}
	return all
}
