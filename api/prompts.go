package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"levada.dev/tenants"
	"levada.dev/workflows/answer"
)

// promptView is a prompt as it is listed; asked for by its name it also has its text.
type promptView struct {
	Name      string           `json:"name"`
	Arguments []promptArgument `json:"arguments"`
	System    string           `json:"system,omitempty"`
	User      string           `json:"user,omitempty"`
}

type promptArgument struct {
	Name        tenants.Slot `json:"name"`
	Description string       `json:"description"`
	Required    bool         `json:"required"`
}

// promptArguments are what whoever fills a prompt has to bring. The fence is not among them: nobody is to know it before.
var promptArguments = []promptArgument{
	{tenants.SlotQuestion, "What is asked.", true},
	{tenants.SlotSources, "The texts that the answer is to rest on.", false},
	{tenants.SlotLanguage, "The language to answer in; that of the question by default.", false},
}

// listPrompts answers the tenant's prompts and the platform's own.
func listPrompts(c *call) error {
	names, err := c.Directory.Prompts(c.ctx(), c.config.ID)
	if err != nil {
		return fmt.Errorf("list the prompts: %w", err)
	}
	views := make([]promptView, 0, len(names)+1)
	for _, name := range append([]string{tenants.DefaultPrompt}, names...) {
		views = append(views, promptView{Name: name, Arguments: promptArguments})
	}
	slices.SortFunc(views, func(a, b promptView) int { return strings.Compare(a.Name, b.Name) })
	return c.ok(http.StatusOK, struct {
		Prompts []promptView `json:"prompts"`
	}{views})
}

// showPrompt answers one, with {{slots}} where something is to be filled in.
func showPrompt(c *call) error {
	p := answer.Grounded()
	if name := c.r.PathValue("name"); name != tenants.DefaultPrompt {
		var err error
		if p, err = c.Directory.Prompt(c.ctx(), c.config.ID, name); err != nil {
			return err
		}
	}
	return c.ok(http.StatusOK, promptView{p.Name, promptArguments, slotted(p.System), slotted(p.User)})
}

// slotted writes a part of a prompt as its file has it.
func slotted(pieces []tenants.PromptPiece) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.Slot == "" {
			b.WriteString(p.Text)
		} else {
			b.WriteString("{{" + string(p.Slot) + "}}")
		}
	}
	return b.String()
}
