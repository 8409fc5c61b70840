package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/fleet"
)

type rollbackOptions struct {
	poolsOptions
	To          string
	DryRun, Yes bool
}

func newRollback(g *globals) *cobra.Command {
	var o rollbackOptions
	cmd := &cobra.Command{
		Use:   "rollback TENANT",
		Short: "Go back to an earlier release: code, configuration and bindings together",
		Long: "Deploys the versions of an earlier release once more, publishes the tenants' configuration that was live with them, and sets what has no\n" +
			"versions as it was then. It says beforehand what goes back and what cannot, and asks. Nothing is built, and no vault is read.",
		Example: "  levada status acme --env prod\n  levada rollback acme --env prod\n  levada rollback acme --env prod --to v1.3.2 --yes",
	}
	o.bind(g, cmd, false, o.run)
	f := cmd.Flags()
	f.StringVar(&o.To, "to", "", "the release (default: the one before the live one; levada status lists them)")
	f.BoolVar(&o.DryRun, "dry-run", false, "only say what would go back; the exit code is 2 when something would")
	f.BoolVar(&o.Yes, "yes", false, "do not ask")
	return cmd
}

func (o *rollbackOptions) run(ctx context.Context) error {
	if o.To != "" {
		if err := deploy.CheckRelease(o.To); err != nil {
			return usageError{err}
		}
	}
	if !o.DryRun && !o.Yes && o.questions == nil {
		return usagef("nobody is there to be asked, and nothing was done: say --yes, or --dry-run")
	}
	targets, err := o.targets()
	if err != nil {
		return err
	}
	jobs, err := o.jobs(ctx, targets)
	if err != nil {
		return err
	}
	var way *deploy.Return
	jobs[0].Apply = o.apply(deploy.Canary{})
	jobs[0].Plan = func(ctx context.Context, a *account.Account) (*deploy.Plan, error) {
		r, err := deploy.MakeReturn(ctx, a, jobs[0].Unit, o.To, deploy.PlanOptions{})
		if err != nil {
			return nil, err
		}
		way = r
		return r.Plan, nil
	}
	v := newFleetView(&o.poolsOptions, targets, o.To, o.DryRun)
	f := o.fleet(fleet.Options{Tell: v.tell})
	defer func() { _ = f.Close() }()
	v.planning(1)
	outcomes := f.Plan(ctx, jobs, !o.DryRun)
	if way != nil {
		v.release, v.stays, v.access = way.To.Release, way.Stays, way.Access
		o.tell(v, way)
	}
	if !o.DryRun && pending(outcomes) > 0 && ctx.Err() == nil {
		if !o.Yes {
			if err := o.agree(fmt.Sprintf("Roll %s back to %s?", way.Unit, way.To.Release)); err != nil {
				return err
			}
		}
		v.applying(outcomes)
		f.Apply(ctx, outcomes)
	}
	return v.end(outcomes)
}

// tell says what goes back and what does not.
func (o *rollbackOptions) tell(v *pools, r *deploy.Return) {
	if o.JSON {
		return
	}
	fmt.Fprintf(o.stdout, "%s: from %s back to %s, of %s\n", r.Unit, r.Live, r.To.Release, when(r.To.At))
	fmt.Fprintln(o.stdout, "what goes back:")
	for _, line := range planLines(r.Plan) {
		fmt.Fprintf(o.stdout, "  %s\n", line)
	}
	if !r.Config {
		fmt.Fprintln(o.stdout, "  (the tenants' configuration was the same)")
	}
	if len(r.Access) > 0 {
		fmt.Fprintln(o.stdout, "who can work with it:")
	}
	for _, line := range r.Access {
		fmt.Fprintf(o.stdout, "  %s\n", line)
	}
	fmt.Fprintln(o.stdout, "what does not:")
	for _, line := range r.Stays {
		fmt.Fprintf(o.stdout, "  %s\n", line)
	}
}
