package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"levada.dev/events/trace"
	"levada.dev/infra/logbook"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

type logsOptions struct {
	Dir            string
	Tenant, Worker string
	Route, Outcome string
	Trace, Request string
	Level, Since   string
	Limit          int
	Follow, JSON   bool
	Stdout, Stderr io.Writer

	pause func(context.Context) error // until it is worth another look; see logbook.NewReader
}

func newLogs(g *globals) *cobra.Command {
	var o logsOptions
	var state string
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show and follow what the local platform's Workers log, by tenant, trace, request, route, outcome",
		Long: "Shows the newest lines that the Workers of a platform that levada dev runs here have logged, and those that come with --follow. Filters that\n" +
			"are given together all have to hold. docs/logs.md has the fields of a line; --json prints the lines as they are.",
		Example: "  levada logs -f\n  levada logs --tenant acme --level warn --since 1h\n  levada logs --trace 0af7651916cd43dd8448eb211c80319c --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Dir, err = (platformOptions{State: state, globals: g}).stateDir(); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&state, "state-dir", "", "the local platform's state folder (default LEVADA_STATE, else .levada)")
	f.BoolVarP(&o.Follow, "follow", "f", false, "go on with what comes, until Ctrl-C")
	f.IntVar(&o.Limit, "limit", 100, "how many of what is there already; 0 for all")
	f.StringVar(&o.Tenant, "tenant", "", "only this tenant's")
	f.StringVar(&o.Worker, "worker", "", "only of this Worker: "+oneOf(localRoles()))
	f.StringVar(&o.Route, "route", "", "only requests to this route, as the API's table has it, such as /documents/{id}")
	f.StringVar(&o.Outcome, "outcome", "", "only what ended so: "+oneOf(trace.Outcomes))
	f.StringVar(&o.Trace, "trace", "", "only what belongs to this trace, or to those that begin so")
	f.StringVar(&o.Request, "request", "", "only the line of this request: an answer's x-request-id; the line names the trace that has the rest")
	f.StringVar(&o.Level, "level", "", "only of this level and worse: "+oneOf(levels))
	f.StringVar(&o.Since, "since", "", "only from then on: a time, a day, or how long ago, such as 2026-11-22T08:00:00Z, 2026-11-22, 90m or 7d")
	f.BoolVar(&o.JSON, "json", false, "print the lines as they are")
	return cmd
}

var levels = []string{"info", "warn", "error"}

// localRoles are the Workers of the local platform.
func localRoles() []stack.Role { return roles(stack.Levada(stack.Pool{Name: "local", Env: "dev"})) }

// filter is what the flags ask for. What no line can have is refused, as is a filter that nothing would ever pass.
func (o *logsOptions) filter(now time.Time) (f logbook.Filter, err error) {
	if err := errors.Join(among("worker", o.Worker, localRoles()), among("outcome", o.Outcome, trace.Outcomes), among("level", o.Level, levels), atLeastNone(o.Limit)); err != nil {
		return f, err
	}
	if o.Tenant != "" {
		if _, err := tenants.ParseID(o.Tenant); err != nil {
			return f, usagef("--tenant %s: %v", o.Tenant, err)
		}
	}
	if len(o.Trace) > 32 || strings.Trim(o.Trace, "0123456789abcdef") != "" {
		return f, usagef("--trace %s: is no trace's id, which has 32 hexadecimal digits, or how one begins; it is the second part of an answer's traceparent", o.Trace)
	}
	if o.Route != "" && !strings.HasPrefix(o.Route, "/") {
		return f, usagef("--route %s: is none, such as /documents/{id}; it is without the method", o.Route)
	}
	request := o.Request
	if request != "" {
		id, err := uuid.Parse(request)
		if err != nil {
			return f, usagef("--request %s: is no request's id, such as 6f1d3c1e-2f0b-4c63-9a53-0d8e1c7ab001; it is the x-request-id of an answer", request)
		}
		request = id.String()
	}
	f = logbook.Filter{Tenant: o.Tenant, Worker: o.Worker, Route: o.Route, Outcome: o.Outcome, Trace: o.Trace, Request: request}
	if o.Level != "" {
		if err := f.Level.UnmarshalText([]byte(o.Level)); err != nil {
			return f, err
		}
	}
	f.Since, err = pastTime("since", o.Since, now)
	return f, err
}

func (o *logsOptions) run(ctx context.Context) error {
	filter, err := o.filter(time.Now())
	if err != nil {
		return err
	}
	dir := filepath.Join(o.Dir, logbook.Folder)
	p := &lines{w: o.Stdout, json: o.JSON, colour: isTerminal(o.Stdout) && os.Getenv("NO_COLOR") == "", keep: o.Limit, past: true}
	tell := func(l logbook.Line) error {
		if !filter.Takes(l) {
			return nil
		}
		return p.tell(l)
	}
	reader := logbook.NewReader(dir, o.pause)
	if o.Follow {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			fmt.Fprintf(o.Stderr, "nothing is logged in %s yet; waiting for levada dev\n", dir)
		}
		return reader.Follow(ctx, tell, p.caughtUp)
	}
	err = reader.Read(tell)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("nothing was logged in %s: the platform was never started there\n  start it:                    go tool task dev\n  or name another's folder:    --state-dir (LEVADA_STATE)", dir)
	}
	if err = errors.Join(err, p.caughtUp()); err == nil && p.told == 0 {
		fmt.Fprintln(o.Stderr, "no line is such")
	}
	return err
}
