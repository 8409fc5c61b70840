package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"levada.dev/infra/build"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/stack"
	"levada.dev/tenants"
)

type deployOptions struct {
	poolsOptions
	DryRun, Yes, AllLines bool
	Only                  []string
	Release               string
	Canary                string
	Bake                  time.Duration
	Adopt                 bool
	Destroy, Confirm      []string
	Waves                 []int
	Continue, FailFast    bool
	Workers               string

	bakes bool // --bake was given
	steps []int
}

func newDeploy(g *globals) *cobra.Command {
	var o deployOptions
	cmd := &cobra.Command{
		Use:   "deploy TENANT | --all",
		Short: "Deploy the pool that serves a tenant, or all pools of an environment",
		Long: "Builds the Workers, compares what tenants/deploy.json, the tenants' configurations and the table of the stack want with what the account has,\n" +
			"shows the plan, asks, and carries it out: resources, Workers, by the steps of a canary, and then what is published of the tenants. A version\n" +
			"that is not well gets no traffic, and what was rolled out is rolled back. Whoever is interrupted or killed deploys again: it goes on from there.\n\n" +
			"In a plan + is to be made, ~ to be changed because what is wanted has changed, ! because somebody changed it by hand, - to be destroyed,\n" +
			"x refused, and = is as it should be.",
		Example: "  levada deploy acme --env prod --dry-run\n  levada deploy acme --env prod\n  levada deploy --all --env prod --wave 1,10 --yes\n  levada deploy acme --env stage --canary none --release v1.4.0",
	}
	o.bindDeploy(g, cmd)
	f := cmd.Flags()
	f.BoolVar(&o.DryRun, "dry-run", false, "plan only: nothing is written, and the exit code is 2 when changes are pending")
	f.BoolVar(&o.Yes, "yes", false, "do not ask")
	f.StringVar(&o.Canary, "canary", "", "steps of the canary in percent, such as 0,10,50, or none (default: as tenants/deploy.json says)")
	f.DurationVar(&o.Bake, "bake", 0, "how long each step is watched (default: as tenants/deploy.json says)")
	f.StringSliceVar(&o.Confirm, "confirm", nil, "name of a resource to destroy, typed once more: for scripts; once for each")
	f.IntSliceVar(&o.Waves, "wave", nil, "how many pools each wave has; 1,10 is one pool, then ten at a time; a wave begins when the one before went well (default: one wave)")
	f.BoolVar(&o.Continue, "continue", false, "a wave begins whatever became of the one before")
	f.BoolVar(&o.FailFast, "fail-fast", false, "begin no further pool after the first failure")
	return cmd
}

func newPlan(g *globals) *cobra.Command {
	o := deployOptions{DryRun: true}
	cmd := &cobra.Command{
		Use:   "plan TENANT | --all",
		Short: "Show what a deployment would do; the exit code is 2 when changes are pending",
		Long: "Shows what levada deploy would do, as levada deploy --dry-run does. It sends GETs alone, so that a token that may only read is enough.\n" +
			"A plan has no secret in it.",
		Example: "  levada plan acme --env prod\n  levada plan --all --env prod --json | jq '.pools[].plan.actions[] | select(.op != \"=\")'",
	}
	o.bindDeploy(g, cmd)
	return cmd
}

// bindDeploy gives the command the flags that a plan depends on.
func (o *deployOptions) bindDeploy(g *globals, cmd *cobra.Command) {
	o.bind(g, cmd, true, func(ctx context.Context) error {
		o.bakes = cmd.Flags().Changed("bake")
		return o.run(ctx)
	})
	f := cmd.Flags()
	f.StringSliceVar(&o.Only, "only", nil, "Workers to change, such as api,consumers; the others stay as they are")
	f.StringVar(&o.Release, "release", "", "name of the release (default: time and commit)")
	f.BoolVar(&o.Adopt, "adopt", false, "take over what has the pool's names and nobody owns")
	f.StringSliceVar(&o.Destroy, "allow-destroy", nil, "name of a resource that is not wanted any more, and may go with all its data; once for each")
	f.StringVar(&o.Workers, "workers", "", "folder with Workers that levada build made (default LEVADA_WORKERS, else they are built)")
	f.BoolVar(&o.AllLines, "all-lines", false, "show every line of a plan by itself, also what stays as it is")
}

func (o *deployOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	targets, err := o.targets()
	if err != nil {
		return err
	}
	if err := o.checkDestroy(targets); err != nil {
		return err
	}
	jobs, err := o.prepare(ctx, targets)
	if err != nil {
		return err
	}
	v := newFleetView(&o.poolsOptions, targets, o.Release, o.DryRun)
	v.allLines = o.AllLines
	f := o.fleet(fleet.Options{Waves: o.Waves, Continue: o.Continue, FailFast: o.FailFast, Tell: v.tell})
	defer func() { _ = f.Close() }()
	v.planning(len(jobs))
	outcomes := f.Plan(ctx, jobs, !o.DryRun)
	v.plans(outcomes)
	if !o.DryRun && pending(outcomes) > 0 && ctx.Err() == nil {
		if err := o.sure(outcomes); err != nil {
			return err
		}
		v.applying(outcomes)
		f.Apply(ctx, outcomes)
	}
	return v.end(outcomes)
}

// check refuses flags that make no sense.
func (o *deployOptions) check() error {
	if o.Release != "" {
		if err := deploy.CheckRelease(o.Release); err != nil {
			return usageError{err}
		}
	} else {
		o.Release = releaseName(o.root, o.source.Environ(), o.cloud.now())
	}
	table := stack.Levada(stack.Pool{Name: "any"})
	for _, role := range o.Only {
		if _, known := table.Worker(stack.Role(role)); !known {
			return usagef("--only %s: is none of the Workers %s", role, oneOf(roles(table)))
		}
	}
	for _, size := range o.Waves {
		if size < 1 {
			return usagef("--wave %d: a wave has a pool at least", size)
		}
	}
	if o.Bake < 0 {
		return usagef("--bake %v: is below 0", o.Bake)
	}
	return o.checkCanary()
}

func roles(s stack.Stack) []stack.Role {
	var all []stack.Role
	for _, w := range s.Workers {
		all = append(all, w.Role)
	}
	return all
}

func (o *deployOptions) checkCanary() error {
	if o.Canary == "" || o.Canary == "none" {
		return nil
	}
	for _, text := range strings.Split(o.Canary, ",") {
		percent, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || percent < 0 || percent > 99 || len(o.steps) > 0 && percent <= o.steps[len(o.steps)-1] {
			return usagef("--canary %s: percents below 100, rising, such as 0,10,50; or none", o.Canary)
		}
		o.steps = append(o.steps, percent)
	}
	return nil
}

// canary is how a target's releases come into force.
func (o *deployOptions) canary(t target.Target) deploy.Canary {
	c := deploy.Canary{Steps: t.Canary.Steps, Bake: t.Canary.Bake}
	if o.Canary != "" {
		c.Steps = o.steps
	}
	if o.bakes {
		c.Bake = o.Bake
	}
	return c
}

// checkDestroy refuses names that no pool has, and what nobody can be asked about.
func (o *deployOptions) checkDestroy(targets []target.Target) error {
	for _, name := range o.Destroy {
		if !slices.ContainsFunc(targets, func(t target.Target) bool { return strings.HasPrefix(name, t.Name("")) }) {
			return usagef("--allow-destroy %s: is no name of these pools, such as %s", name, targets[0].Name("old"))
		}
		if !o.DryRun && o.questions == nil && !slices.Contains(o.Confirm, name) {
			return usagef("--allow-destroy %s: nobody is there to type the name once more: say --confirm %s", name, name)
		}
	}
	for _, name := range o.Confirm {
		if !slices.Contains(o.Destroy, name) {
			return usagef("--confirm %s: is not to be destroyed: --allow-destroy names it", name)
		}
	}
	if !o.DryRun && !o.Yes && o.questions == nil {
		return usagef("nobody is there to be asked, and nothing was deployed: say --yes, or --dry-run")
	}
	return nil
}

// prepare makes the jobs: tokens, secrets, keys and code, all that can be wrong here before anything is asked of an account.
func (o *deployOptions) prepare(ctx context.Context, targets []target.Target) ([]fleet.Job, error) {
	jobs, err := o.jobs(ctx, targets)
	if err != nil {
		return nil, err
	}
	var problems tenants.Problems
	vaults := make([]*tenants.Vault, len(targets))
	var served []tenants.Config
	for i, t := range targets {
		if vaults[i], err = target.Vault(ctx, o.source, t); err != nil {
			problems = append(problems, problem(place(t, "vault"), err))
		}
		served = append(served, t.Tenants...)
	}
	grants, wrong := target.Grants(o.tenants(), o.Env, served)
	if problems = append(problems, wrong...); len(problems) > 0 {
		return nil, o.wrong(problems)
	}
	code, err := o.code(ctx, targets[0].Stack())
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		d, err := fleet.Wanted(t, o.Release, code, grantsOf(grants, t), vaults[i])
		if err != nil {
			problems = append(problems, problem("", err))
			continue
		}
		plan := deploy.PlanOptions{Adopt: o.Adopt}
		for _, role := range o.Only {
			plan.Only = append(plan.Only, stack.Role(role))
		}
		for _, name := range o.Destroy {
			if strings.HasPrefix(name, t.Name("")) {
				plan.Destroy = append(plan.Destroy, name)
			}
		}
		jobs[i].Plan = func(ctx context.Context, a *account.Account) (*deploy.Plan, error) {
			return deploy.Make(ctx, a, d, plan)
		}
		jobs[i].Apply = o.apply(o.canary(t))
	}
	if len(problems) > 0 {
		return nil, o.wrong(problems)
	}
	return jobs, nil
}

// grantsOf are those of a target's tenants.
func grantsOf(all map[string]tenants.Grant, t target.Target) map[string]tenants.Grant {
	own := maps.Clone(all)
	maps.DeleteFunc(own, func(_ string, g tenants.Grant) bool { return !slices.Contains(t.IDs(), string(g.Tenant)) })
	return own
}

// code is the Workers, once for all pools.
func (o *deployOptions) code(ctx context.Context, table stack.Stack) (map[stack.Role]deploy.Code, error) {
	if dir := given(o.Workers, "LEVADA_WORKERS"); dir != "" {
		code, err := fleet.Read(os.DirFS(dir), table)
		if err != nil {
			return nil, fmt.Errorf("--workers %s: %w", dir, err)
		}
		return code, nil
	}
	return fleet.Build(ctx, build.Options{
		Root: o.root, Out: filepath.Join(o.root, "bin", "deploy"), Stack: table, Environ: o.source.Environ(),
		Progress: func(role, step string) { fmt.Fprintf(o.stderr, "%s: %s\n", role, step) },
	})
}
