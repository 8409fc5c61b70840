package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/letters"
)

type dlqOptions struct {
	Platform       platformOptions
	Filter         letterFilter
	All, JSON      bool
	Limit          int
	Stdout, Stderr io.Writer
}

func newDLQ(g *globals) *cobra.Command {
	var o dlqOptions
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "List dead letters: messages that nobody could handle, and why",
		Long: "Lists the tenant's dead letters that were not sent again yet, newest first, and counts them by reason, stage and type.\n" +
			"levada dlq show says all of one; levada replay sends them again once their cause is gone.",
		Example: "  levada dlq\n  levada dlq --reason model_unavailable --since 24h\n  levada dlq show embed-85a9ebcbe25bcb7e53231e46",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	o.Filter.bind(cmd)
	f.BoolVar(&o.All, "all", false, "also those that were sent again")
	f.IntVar(&o.Limit, "limit", 50, "how many to list; 0 for all")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	cmd.AddCommand(newDLQShow(g))
	return cmd
}

func (o *dlqOptions) run(ctx context.Context) error {
	if err := atLeastNone(o.Limit); err != nil {
		return err
	}
	q, err := o.Filter.query(time.Now())
	if err != nil {
		return err
	}
	if !o.All {
		q.Replayed = new(bool)
	}
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		page, err := o.list(ctx, c, q)
		if err != nil {
			return err
		}
		if o.JSON {
			return indented(o.Stdout, page)
		}
		if page.Count.Total == 0 && len(page.Letters) == 0 {
			fmt.Fprintln(o.Stdout, "no dead letters")
			return nil
		}
		listLetters(o.Stdout, page.Letters)
		if page.Next != "" {
			fmt.Fprintln(o.Stderr, "there are more: --limit 0 lists all")
		}
		countLetters(o.Stdout, *page.Count)
		return nil
	})
}

// list reads as many letters as are to be listed, and counts all.
func (o *dlqOptions) list(ctx context.Context, c *client.Client, q letters.Query) (all client.LetterPage, err error) {
	all.Letters = []letters.Letter{}
	for {
		limit := letters.MaxPage
		if o.Limit > 0 {
			limit = min(limit, o.Limit-len(all.Letters))
		}
		page, err := c.Letters(ctx, q, all.Next, limit, all.Count == nil)
		if err != nil {
			return all, err
		}
		if all.Count == nil {
			all.Count = page.Count
		}
		all.Letters, all.Next = append(all.Letters, page.Letters...), page.Next
		if all.Next == "" || o.Limit > 0 && len(all.Letters) >= o.Limit {
			return all, nil
		}
	}
}

func newDLQShow(g *globals) *cobra.Command {
	var o dlqOptions
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one dead letter, with its message",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Stdout = cmd.OutOrStdout()
			return o.Platform.run(cmd.Context(), func(ctx context.Context, c *client.Client) error { return o.show(ctx, c, args[0]) })
		},
	}
	o.Platform.bind(g, cmd)
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *dlqOptions) show(ctx context.Context, c *client.Client, id string) error {
	l, err := c.Letter(ctx, id)
	if err != nil {
		return err
	}
	if o.JSON {
		return indented(o.Stdout, l)
	}
	replayed := "no"
	if !l.Replayed.IsZero() {
		replayed = l.Replayed.UTC().Format(time.DateTime)
	}
	document := l.DocID
	if l.Generation > 0 {
		document += fmt.Sprintf(", generation %d", l.Generation)
	}
	for _, line := range []struct{ name, value string }{
		{"letter", l.ID}, {"when", l.At.UTC().Format(time.DateTime)}, {"queue", l.Queue}, {"handler", l.Handler}, {"stage", l.Stage},
		{"document", document}, {"type", l.Type}, {"subject", l.Subject}, {"event", l.EventID}, {"trace", traceOf(l)},
		{"code", l.Code}, {"message", l.Message}, {"reason", l.Reason}, {"attempts", fmt.Sprint(l.Attempts)}, {"replayed", replayed},
	} {
		if line.value != "" {
			fmt.Fprintf(o.Stdout, "%-10s %s\n", line.name, line.value)
		}
	}
	fmt.Fprintf(o.Stdout, "\n%s\n", readable(l.Body))
	return nil
}

// readable is a message for people, who need not read all of a long one.
func readable(body []byte) string {
	const most = 4000
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		b.Reset()
		b.WriteString(strings.ToValidUTF8(string(body), "�"))
	}
	text := b.String()
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("\n… %d bytes in all; --json has them", len(body))
}
