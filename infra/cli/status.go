package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/deploy/target"
)

type statusOptions struct{ poolsOptions }

// statusView is what levada status prints for machines.
type statusView struct {
	Command  string       `json:"command"`
	Env      string       `json:"env"`
	Pools    []poolStatus `json:"pools"`
	ExitCode int          `json:"exitCode"`
}

// poolStatus is a pool as its account has it.
type poolStatus struct {
	Pool    string         `json:"pool"`
	Account string         `json:"account"`
	Tenants []string       `json:"tenants"`
	Status  *deploy.Status `json:"status,omitempty"`
	Error   *errorView     `json:"error,omitempty"`
}

func newStatus(g *globals) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:   "status TENANT | --all",
		Short: "Show which release is live, who has the traffic, and what can be gone back to",
		Long:  "Shows, of the pool that serves a tenant or of all pools, the release that is live and since when, the versions of each Worker with their part of\nthe traffic, whose the tags say they are, and the releases that are kept. A token that may only read is enough.",
		Example: "  levada status acme --env prod\n" +
			"  levada status --all --env prod",
	}
	o.bind(g, cmd, true, o.run)
	return cmd
}

func (o *statusOptions) run(ctx context.Context) error {
	targets, err := o.targets()
	if err != nil {
		return err
	}
	jobs, err := o.jobs(ctx, targets)
	if err != nil {
		return err
	}
	f := o.fleet(fleet.Options{})
	defer func() { _ = f.Close() }()
	view := statusView{Command: o.command, Env: o.Env, Pools: make([]poolStatus, len(targets))}
	for i, t := range targets {
		view.Pools[i] = poolStatus{Pool: t.Pool, Account: t.Account, Tenants: t.IDs()}
	}
	errs := f.Each(ctx, jobs, func(ctx context.Context, i int, a *account.Account) (err error) {
		view.Pools[i].Status, err = deploy.ReadStatus(ctx, a, jobs[i].Unit)
		return err
	})
	failed := 0
	for i, err := range errs {
		if err != nil {
			failed++
			view.ExitCode, view.Pools[i].Status, view.Pools[i].Error = exitFailed, nil, o.globals.errorView(err)
		}
	}
	if o.JSON {
		err = indented(o.stdout, view)
	} else {
		o.print(targets, view)
	}
	if err != nil || failed == 0 {
		return err
	}
	return exitError{exitFailed, fmt.Errorf("%d of %s did not answer", failed, plural(len(targets), "pool"))}
}

func (o *statusOptions) print(targets []target.Target, view statusView) {
	if len(targets) == 1 && view.Pools[0].Status != nil {
		o.printOne(view.Pools[0])
		return
	}
	t := newTable("pool", column{name: "tenants", spare: 2, most: 30}, "release", "since", column{name: "Workers", right: true, spare: 1}, column{name: "kept", right: true, spare: 3}, column{name: "detail", sparse: true, most: 80})
	for _, p := range view.Pools {
		tenants := strings.Join(p.Tenants, " ")
		if p.Status == nil {
			t.add(p.Pool, tenants, "", "", "", "", p.Error.Message)
			continue
		}
		t.add(p.Pool, tenants, releaseOf(p.Status), when(p.Status.Live.At), len(p.Status.Workers), len(p.Status.Releases), oddities(p.Status))
	}
	t.draw(o.stdout)
}

// lately is how many of the kept releases are shown.
const lately = 10

func releaseOf(s *deploy.Status) string {
	if s.Live.Release == "" {
		return "(none)"
	}
	return s.Live.Release
}

// oddities is what is not as a finished deployment leaves it.
func oddities(s *deploy.Status) string {
	var odd []string
	for _, w := range s.Workers {
		switch {
		case !w.Ours:
			odd = append(odd, shortName(s.Unit, w.Script)+" is not tagged as ours")
		case len(w.Traffic) == 0:
			odd = append(odd, shortName(s.Unit, w.Script)+" is not deployed")
		case len(w.Traffic) > 1:
			odd = append(odd, shortName(s.Unit, w.Script)+" is divided")
		}
	}
	return strings.Join(odd, ", ")
}

// printOne shows one pool, Worker by Worker.
func (o *statusOptions) printOne(p poolStatus) {
	s := p.Status
	fmt.Fprintf(o.stdout, "%s, account %s, serves %s\n", s.Unit, p.Account, strings.Join(p.Tenants, ", "))
	switch {
	case s.Live.Release == "" && len(s.Workers) > 0:
		fmt.Fprintln(o.stdout, "no release is noted, though there are Workers: levada deploy goes on, or makes what is gone anew (docs/runbooks/disaster-recovery.md)")
	case s.Live.Release == "":
		fmt.Fprintln(o.stdout, "no release yet: levada deploy makes the first")
	default:
		fmt.Fprintf(o.stdout, "release %s, since %s", s.Live.Release, when(s.Live.At))
		if s.Live.Before != "" {
			fmt.Fprintf(o.stdout, ", before it %s", s.Live.Before)
		}
		fmt.Fprintln(o.stdout)
	}
	if len(s.Workers) > 0 {
		t := newTable("Worker", "version", column{name: "traffic", right: true}, "release", column{name: "since", spare: 1}, column{name: "by", spare: 2, sparse: true}, column{name: "tags", spare: 3})
		for _, w := range s.Workers {
			owner := "another's"
			if w.Ours {
				owner = s.Unit.Pool + " " + s.Unit.Env
			}
			if len(w.Traffic) == 0 {
				t.add(w.Script, "none", "", "", "", "", owner)
			}
			for _, tr := range w.Traffic {
				t.add(w.Script, tr.Version, fmt.Sprintf("%g %%", tr.Percent), tr.Release, when(tr.Since), tr.By, owner)
			}
		}
		t.draw(o.stdout)
	}
	if len(s.Releases) > 0 {
		fmt.Fprintf(o.stdout, "releases kept: %s\n", strings.Join(s.Releases[max(0, len(s.Releases)-lately):], ", "))
		if n := len(s.Releases) - lately; n > 0 {
			fmt.Fprintf(o.stdout, "and %d more, which --json lists\n", n)
		}
	}
}
