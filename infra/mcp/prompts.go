package mcp

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// prompt is one as GET /schema/prompts has it.
type prompt struct {
	Name      string     `json:"name"`
	Arguments []argument `json:"arguments"`
	System    string     `json:"system"` // of one prompt alone
	User      string     `json:"user"`
}

type argument struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
}

func (t *tenant) listPrompts() (*mcp.ListPromptsResult, error) {
	var list struct {
		Prompts []prompt `json:"prompts"`
	}
	if err := unless(t.get("/schema/prompts", &list), scopeDenied); err != nil {
		return nil, err
	}
	result := &mcp.ListPromptsResult{Prompts: make([]*mcp.Prompt, len(list.Prompts)), Cacheable: private}
	for i, p := range list.Prompts {
		shown := &mcp.Prompt{Name: p.Name, Description: "What this tenant asks a model for an answer from sources."}
		for _, a := range p.Arguments {
			shown.Arguments = append(shown.Arguments, &mcp.PromptArgument{Name: a.Name, Description: a.Description, Required: a.Required})
		}
		result.Prompts[i] = shown
	}
	return result, nil
}

// getPrompt fills a prompt with the client's arguments. The protocol has no messages of the system, so that part is the user's first message.
func (t *tenant) getPrompt(p *mcp.GetPromptParams) (*mcp.GetPromptResult, error) {
	var one prompt
	if err := t.get("/schema/prompts/"+url.PathEscape(p.Name), &one); err != nil {
		return nil, err
	}
	fence := "source-" + strings.ToLower(rand.Text()[:8]) // nobody who wrote a source has known it
	pairs := []string{"{{fence}}", fence}
	for _, a := range one.Arguments {
		value, given := p.Arguments[a.Name]
		if !given && a.Required {
			return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf("params.arguments.%s is required", a.Name)}
		}
		switch {
		case a.Name == "sources":
			value = "<" + fence + ">\n" + value + "\n</" + fence + ">"
		case a.Name == "language" && value == "":
			value = "the language of the question"
		}
		pairs = append(pairs, "{{"+a.Name+"}}", value)
	}
	fill := strings.NewReplacer(pairs...) // in one pass: what is filled in is not looked at again
	result := complete[mcp.GetPromptResult](t)
	result.Description = "What this tenant asks a model for an answer from sources."
	for _, part := range []string{one.System, one.User} {
		if part != "" {
			result.Messages = append(result.Messages, &mcp.PromptMessage{Role: "user", Content: &mcp.TextContent{Text: fill.Replace(part)}})
		}
	}
	return result, nil
}
