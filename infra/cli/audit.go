package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/workflows/trail"
)

type auditOptions struct {
	Platform                       platformOptions
	Kinds, Names, Actors, Outcomes []string
	Request, Since, Until          string
	Events, JSON                   bool
	Limit                          int
	Stdout, Stderr                 io.Writer
}

func newAudit(g *globals) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "List what is on record: acts, deletions, replays, calls of tools, refused access, flagged texts",
		Long: "Lists the tenant's audit trail, newest first: what was done, by whom, and how it ended. Events that tell no act are left out, unless\n" +
			"--events or --kind event asks for them. levada audit verify holds the trail to its hashes, levada audit export copies it.",
		Example: "  levada audit\n  levada audit --kind deletion --since 7d\n  levada audit --request 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001 --events\n  levada audit verify",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.Kinds, "kind", nil, "only of this kind: "+oneOf(trail.Kinds())+"; may be repeated")
	f.StringArrayVar(&o.Names, "name", nil, "only this act, such as documents.delete, or this tool; may be repeated")
	f.StringArrayVar(&o.Actors, "actor", nil, "only by the API key of this name; may be repeated")
	f.StringArrayVar(&o.Outcomes, "outcome", nil, "only what ended so: "+oneOf(trail.Outcomes())+"; may be repeated")
	f.StringVar(&o.Request, "request", "", "only what this request did")
	f.StringVar(&o.Since, "since", "", "only from then on: a time, a day, or how long ago, such as 2026-11-22T08:00:00Z, 2026-11-22, 90m or 7d")
	f.StringVar(&o.Until, "until", "", "only before then")
	f.BoolVar(&o.Events, "events", false, "also events that tell no act")
	f.IntVar(&o.Limit, "limit", 50, "how many to list; 0 for all")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	cmd.AddCommand(newAuditVerify(g), newAuditExport(g))
	return cmd
}

// query is what the flags say.
func (o *auditOptions) query(now time.Time) (q trail.Query, err error) {
	q = trail.Query{Kinds: o.Kinds, Names: o.Names, Actors: o.Actors, Outcomes: o.Outcomes, RequestID: o.Request}
	if q.From, err = pastTime("since", o.Since, now); err != nil {
		return q, err
	}
	if q.To, err = pastTime("until", o.Until, now); err != nil {
		return q, err
	}
	if len(q.Kinds) == 0 && !o.Events {
		q.Kinds = trail.Kinds()[1:] // all but events
	}
	if err := q.Check(); err != nil {
		flags := map[string]string{"kinds": "kind", "names": "name", "actors": "actor", "outcomes": "outcome", "requestId": "request", "to": "until"}
		return q, usagef("--%s: %s", flags[fault.As(err).Field], fault.As(err).Message)
	}
	return q, nil
}

func (o *auditOptions) run(ctx context.Context) error {
	if err := atLeastNone(o.Limit); err != nil {
		return err
	}
	q, err := o.query(time.Now())
	if err != nil {
		return err
	}
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		page, err := o.list(ctx, c, q)
		switch {
		case err != nil:
			return err
		case o.JSON:
			return indented(o.Stdout, page)
		case len(page.Entries) == 0:
			fmt.Fprintln(o.Stdout, "nothing on record")
			return nil
		}
		listEntries(o.Stdout, page.Entries)
		if page.Next != "" {
			fmt.Fprintln(o.Stderr, "there are more: --limit 0 lists all")
		}
		return nil
	})
}

// list reads as many entries as are to be listed.
func (o *auditOptions) list(ctx context.Context, c *client.Client, q trail.Query) (all client.TrailPage, err error) {
	all.Entries = []trail.Entry{}
	for {
		limit := trail.MaxPage
		if o.Limit > 0 {
			limit = min(limit, o.Limit-len(all.Entries))
		}
		page, err := c.Trail(ctx, q, all.Next, limit)
		if err != nil {
			return all, err
		}
		all.Entries, all.Next, all.Head = append(all.Entries, page.Entries...), page.Next, page.Head
		if all.Next == "" || o.Limit > 0 && len(all.Entries) >= o.Limit {
			return all, nil
		}
	}
}

// listEntries prints a line for each entry.
func listEntries(w io.Writer, entries []trail.Entry) {
	t := newTable(column{name: "entry", spare: 3}, column{name: "when", spare: 2}, column{name: "kind", spare: 1}, "what", "to", "by", "outcome")
	for i := range entries {
		e := &entries[i]
		who, how, target := "-", "-", e.Subject
		if a := e.Act; a != nil {
			who, how, target = cmp.Or(a.Actor, "-"), string(a.Outcome), cmp.Or(a.Target, "-")
			if a.UserID != "" {
				who += " for " + a.UserID
			}
			if a.Code != "" {
				how += ", " + a.Code
			}
			for _, f := range a.Findings {
				how += fmt.Sprintf(", %s in %s (%.2f)", f.Category, f.In, f.Score)
			}
			if a.Count > 1 {
				how += fmt.Sprintf(", %d times", a.Count)
			}
		}
		t.add(e.Seq, e.Time.UTC().Format(time.DateTime), e.Kind(), strings.TrimPrefix(e.Name(), "dev.levada."), target, who, how)
	}
	t.draw(w)
}
