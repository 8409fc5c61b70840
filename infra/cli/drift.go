package cli

import (
	"context"

	"github.com/spf13/cobra"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/fleet"
)

type driftOptions struct{ poolsOptions }

func newDrift(g *globals) *cobra.Command {
	var o driftOptions
	cmd := &cobra.Command{
		Use:   "drift TENANT | --all",
		Short: "Show what somebody changed by hand; the exit code is 2 when there is something",
		Long: "Compares what the account has with the release that is live there, whatever the checkout has become since, and shows what somebody changed\n" +
			"by hand. It sends GETs alone and reads no secret but the token, so that one that may only read is enough: for a job that looks every night.\n" +
			"levada deploy mends it.",
		Example: "  levada drift acme --env prod\n  levada drift --all --env prod --json",
	}
	o.bind(g, cmd, true, o.run)
	return cmd
}

func (o *driftOptions) run(ctx context.Context) error {
	targets, err := o.targets()
	if err != nil {
		return err
	}
	jobs, err := o.jobs(ctx, targets)
	if err != nil {
		return err
	}
	for i := range jobs {
		u := jobs[i].Unit
		jobs[i].Plan = func(ctx context.Context, a *account.Account) (*deploy.Plan, error) {
			return deploy.MakeDrift(ctx, a, u)
		}
	}
	v := newFleetView(&o.poolsOptions, targets, "", true)
	f := o.fleet(fleet.Options{})
	defer func() { _ = f.Close() }()
	v.planning(len(jobs))
	outcomes := f.Plan(ctx, jobs, false)
	for _, out := range outcomes {
		if out.State == fleet.Failed && isFault(out.Err, "release_unknown") {
			out.State = fleet.Skipped // what was never deployed has not drifted
		}
	}
	v.plans(outcomes)
	return v.end(outcomes)
}
