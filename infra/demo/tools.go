package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"levada.dev/infra/client"
	"levada.dev/tenants"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/verify"
)

// sum is what the calculator is asked for.
var sum = map[string]any{"operation": "add", "a": 0.1, "b": 0.2}

// unheard is a tool that the owner has, and who has fewer of them not.
const unheard = "tag_chunk_docs"

// tools has tools run: for a caller, with an argument missing, for a tenant that does not have one, and before a turn that rests on what came of it. Then
// all of that has to be on record, in a trail that fits.
func (s Show) tools(ctx context.Context) error {
	fmt.Fprintf(s.Out, "\nThe tools of tenant %s:\n", s.Owner.Tenant())
	list, err := s.Owner.Tools(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(t client.Tool) bool { return t.Name == unheard }) {
		return fmt.Errorf("tenant %s has no tool %s", s.Owner.Tenant(), unheard)
	}
	toolTable(s.Out, list)
	var calls []string
	done, err := s.Owner.Execute(ctx, "calculator", sum)
	if err != nil {
		return err
	}
	calls = append(calls, done.Metadata.AuditID)
	fmt.Fprintf(s.Out, "\n  calculator, 0.1 + 0.2   %s   (%d ms)\n", done.Data, done.Metadata.DurationMS)
	refused, err := s.refused(ctx, s.Owner, "calculator", "0.1 + nothing", map[string]any{"operation": "add", "a": 0.1}, http.StatusBadRequest)
	if err != nil {
		return err
	}
	calls = append(calls, refused)
	if _, err := s.refused(ctx, s.Fewer, unheard, "tenant "+s.Fewer.Tenant(), map[string]any{"content": "water"}, http.StatusNotFound); err != nil {
		return err
	}
	first, err := s.summarised(ctx)
	if err != nil {
		return err
	}
	return s.recorded(ctx, append(calls, first))
}

// refused has a call made that must be refused, and returns its id.
func (s Show) refused(ctx context.Context, c *client.Client, tool, how string, params any, status int) (id string, err error) {
	_, err = c.Execute(ctx, tool, params)
	var e *client.Error
	if !errors.As(err, &e) || e.Status != status || e.AuditID == "" {
		return "", fmt.Errorf("tenant %s calls %s, which is to be refused: %w", c.Tenant(), tool, err)
	}
	fmt.Fprintf(s.Out, "  %s, %s   %d %s   %s\n", tool, how, e.Status, e.Fault.Code, e.Fault.Message)
	return e.AuditID, nil
}

// maxSummarised is how much of a page is summarised.
const maxSummarised = 20_000

// summarised takes a turn that rests on what a tool makes of a page, and returns the id of its call.
func (s Show) summarised(ctx context.Context) (id string, err error) {
	page := s.Pages[0]
	for _, p := range s.Pages {
		if p.Import == "context" {
			page = p
		}
	}
	text := page.Markdown[:min(len(page.Markdown), maxSummarised)]
	t := client.Turn{
		Message:  "What is package " + page.Import + " for?",
		ToolName: "summarize", ToolParams: map[string]any{"text": strings.ToValidUTF8(string(text), ""), "max_length": 300},
	}
	fmt.Fprintf(s.Out, "\n> %s   (after %s)\n  ", t.Message, t.ToolName)
	var result client.ToolResult
	said := ""
	_, err = s.Owner.Talk(ctx, t, client.Listener{
		Result: func(r client.ToolResult) { result = r },
		Token: func(token string) {
			said += token
			fmt.Fprint(s.Out, strings.ReplaceAll(token, "\n", "\n  "))
		},
	})
	fmt.Fprintln(s.Out)
	switch {
	case err != nil:
		return "", err
	case !result.OK || strings.TrimSpace(said) == "":
		return "", fmt.Errorf("%q: nothing was answered from what %s says: %+v", t.Message, t.ToolName, result)
	}
	return result.ID, nil
}

// recorded waits until calls are in the owner's trail, and verifies it: each hash is computed anew.
func (s Show) recorded(ctx context.Context, calls []string) error {
	missing := slices.Clone(calls)
	err := until(ctx, "the calls are not in the audit trail", func(ctx context.Context) (bool, error) {
		page, err := s.Owner.Trail(ctx, trail.Query{Kinds: []string{"tool"}}, "", 100)
		for _, e := range page.Entries {
			missing = slices.DeleteFunc(missing, func(id string) bool { return e.Act != nil && e.Act.Target == "calls/"+id })
		}
		return len(missing) == 0, err
	})
	if err != nil {
		return err
	}
	chain := verify.NewChain(tenants.ID(s.Owner.Tenant()), "the trail")
	head, err := s.Owner.Chain(ctx, 0, chain.Add)
	if err == nil {
		err = chain.Ends(head)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(s.Out, "\nThe audit trail of tenant %s: %d entries fit, the %d calls are among them; head %d:%.16s… (levada audit verify)\n", s.Owner.Tenant(), chain.Len(), len(calls), head.Seq, head.Hash)
	return nil
}

// toolTable draws tools with the first sentence of what they are for.
func toolTable(out io.Writer, list []client.Tool) {
	t := table.NewWriter()
	t.SetOutputMirror(out)
	t.SetStyle(table.StyleLight)
	t.AppendHeader(table.Row{"tool", "needs", "cost", "effects", "what it does"})
	for _, tool := range list {
		what, _, _ := strings.Cut(tool.Description, ". ")
		t.AppendRow(table.Row{tool.Name, strings.Join(tool.Needs, ", "), tool.Cost, tool.Effects, excerpt(strings.TrimSuffix(what, "."), 60)})
	}
	t.Render()
}
