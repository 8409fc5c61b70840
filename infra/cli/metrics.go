package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	meters "levada.dev/events/meter/view"
	"levada.dev/infra/client"
)

type metricsOptions struct {
	Platform platformOptions
	View     view
	Period   meters.Period
}

// periods are how far back it is looked.
var periods = []meters.Period{meters.Hour, meters.Day, meters.Week}

func newMetrics(g *globals) *cobra.Command {
	var o metricsOptions
	cmd := &cobra.Command{
		Use:     "metrics",
		Short:   "Show what was counted of a tenant, and how its routes do",
		Long:    "Shows requests, latencies, events, calls of models and cost of a period, and each route with its objective.",
		Example: "  levada metrics\n  levada metrics --period 1h --tenant acme",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := among("period", string(o.Period), periods); err != nil {
				return err
			}
			return o.Platform.run(cmd.Context(), o.run)
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	f := cmd.Flags()
	f.StringVar((*string)(&o.Period), "period", string(meters.Day), "how far back: "+oneOf(periods))
	f.BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func (o *metricsOptions) run(ctx context.Context, c *client.Client) error {
	all, err := c.Overview(ctx, string(o.Period))
	if err != nil {
		return err
	}
	slis, err := c.SLIs(ctx, string(o.Period))
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, map[string]any{"overview": all, "slis": slis})
	}
	o.View.counted(all)
	o.View.kept(slis)
	return nil
}

// counted shows what was counted of all requests and events.
func (v view) counted(o meters.Overview) {
	printRows(v.Stdout, []row{
		{"from", when(o.From)},
		{"requests", fmt.Sprintf("%d, of which %d failed", o.Requests.Total, o.Failures.Total)},
		{"answered in", fmt.Sprintf("p50 %s, p95 %s, p99 %s", ms(o.Latency.P50.Value), ms(o.Latency.P95.Value), ms(o.Latency.P99.Value))},
		{"events", fmt.Sprintf("%d, and %d dead letters", o.Events.Total, o.DeadLetters.Total)},
		{"models", fmt.Sprintf("%d calls, %d tokens, %s", o.ModelCalls.Total, o.Tokens.Total, client.Dollars(o.Nanos.Total))},
	})
}

// kept shows each route with what it is held to.
func (v view) kept(s meters.SLIs) {
	if len(s.Routes) == 0 {
		return
	}
	number := func(name string, spare int) column { return column{name: name, right: true, spare: spare} }
	t := newTable("route", number("requests", 0), number("refused", 3), number("failed", 0), number("available", 1), number("p50", 4), number("p95", 0), number("p99", 5), number("objective", 2), "met")
	for _, r := range s.Routes {
		t.add(r.Method+" "+r.Route, r.Requests, r.Refused, r.Failed, percent(r.Available), ms(r.P50), ms(r.P95), ms(r.P99), objective(r.Objective), met(r))
	}
	t.draw(v.Stdout)
}

func objective(o meters.Objective) string {
	if o.P95 == nil {
		return percent(&o.Availability)
	}
	return percent(&o.Availability) + ", p95 " + ms(o.P95)
}

func met(s meters.SLI) string {
	switch {
	case s.Used == nil:
		return "" // all was refused
	case s.Met:
		return "yes"
	}
	return "no"
}

// ms is a time in milliseconds; none where nothing was counted.
func ms(value *float64) string {
	if value == nil {
		return "-"
	}
	return fmt.Sprintf("%.1f ms", *value)
}

// percent is a part of one.
func percent(part *float64) string {
	if part == nil {
		return "-"
	}
	return fmt.Sprintf("%.4g %%", 100**part)
}
