package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/fleet"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// poolsOptions says which pools a command works on: every command that speaks to accounts has them.
type poolsOptions struct {
	Env, Tenant string
	All         bool
	Concurrency int
	JSON        bool

	command        string
	globals        *globals
	root           string
	cloud          cloud
	source         *credential.Source
	questions      *asker // nil when nobody is there
	stdout, stderr io.Writer
	terminal       io.Writer // stderr as it is, where somebody may look
}

// bind gives the command its flags, and what all of these commands share.
func (o *poolsOptions) bind(g *globals, cmd *cobra.Command, all bool, run func(ctx context.Context) error) {
	o.globals, o.command = g, cmd.Name()
	cmd.Long += "\n\n" + codesHelp
	cmd.Annotations = map[string]string{ownCodes: ""}
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			o.Tenant = args[0]
		}
		if err := o.begin(cmd, all); err != nil {
			return err
		}
		err := run(cmd.Context())
		var exit exitError
		if cmd.Context().Err() != nil && !(errors.As(err, &exit) && exit.code == exitStuck) {
			return exitError{exitInterrupted, errors.New("interrupted")}
		}
		return err
	}
	f := cmd.Flags()
	f.StringVar(&o.Env, "env", "", "environment: "+oneOf(target.Environments))
	_ = cmd.MarkFlagRequired("env") // it was defined above
	f.BoolVar(&o.JSON, "json", false, "print one JSON document")
	if all {
		f.BoolVar(&o.All, "all", false, "all pools of the environment")
		f.IntVar(&o.Concurrency, "concurrency", 4, "how many pools at a time")
	}
}

// begin makes the options ready: nothing is read but the command line and the environment.
func (o *poolsOptions) begin(cmd *cobra.Command, all bool) (err error) {
	switch {
	case all && (o.Tenant == "") != o.All:
		return usagef("name a tenant, whose pool it is, or say --all")
	case !all && o.Tenant == "":
		return usagef("name a tenant, whose pool it is")
	case o.All && o.Concurrency < 1:
		return usagef("--concurrency %d: is below 1", o.Concurrency)
	}
	if err := among("env", o.Env, target.Environments); err != nil {
		return err
	}
	if o.root, err = o.globals.folder(); err != nil {
		return err
	}
	if o.cloud, err = o.globals.cloud.complete(); err != nil {
		return err
	}
	o.source = o.globals.source()
	o.terminal = cmd.ErrOrStderr()
	o.stdout, o.stderr = o.globals.covered(cmd.OutOrStdout()), o.globals.covered(o.terminal)
	o.questions = questions(cmd)
	return nil
}

// tenants is the tenants' folder.
func (o *poolsOptions) tenants() fs.FS { return os.DirFS(filepath.Join(o.root, tenantsFolder)) }

// targets are the pools that are meant. What is wrong with the configuration ends the command, before anything is asked of an account.
func (o *poolsOptions) targets() ([]target.Target, error) {
	env, problems := target.Load(o.tenants(), o.Env)
	if len(problems) > 0 {
		return nil, o.wrong(problems)
	}
	if !o.All {
		t, err := env.Find(o.Tenant)
		if err != nil {
			return nil, o.wrong(tenants.Problems{problem("", err)})
		}
		o.tellOthers(t)
		return []target.Target{t}, nil
	}
	if len(env.Targets) == 0 {
		return nil, o.wrong(tenants.Problems{{File: target.File, Path: "environments." + o.Env, Message: "has no pool: nothing is deployed there", Hint: "add environments." + o.Env + ".pools"}})
	}
	return env.Targets, nil
}

// tellOthers says whom a pool serves beside the tenant that was named.
func (o *poolsOptions) tellOthers(t target.Target) {
	others := slices.DeleteFunc(t.IDs(), func(id string) bool { return id == o.Tenant })
	if len(others) > 0 {
		fmt.Fprintf(o.stderr, "%s is served by the pool %s; it serves %s, too\n", o.Tenant, t.Pool, strings.Join(others, " and "))
	}
}

// jobs are the targets' jobs with the tokens of their accounts. Tokens that cannot be read are problems of the configuration.
func (o *poolsOptions) jobs(ctx context.Context, all []target.Target) ([]fleet.Job, error) {
	var problems tenants.Problems
	jobs := make([]fleet.Job, len(all))
	for i, t := range all {
		token, err := o.source.Token(ctx, t.Pool+" in "+t.Env, t.Token)
		if err != nil {
			problems = append(problems, problem(place(t, "token"), err))
		}
		jobs[i] = fleet.Job{Unit: fleet.Unit(t), Account: t.Account, Ref: t.Token, Token: token}
	}
	if len(problems) > 0 && ctx.Err() == nil {
		return nil, o.wrong(problems)
	}
	return jobs, ctx.Err()
}

// place is where deploy.json says something of a target.
func place(t target.Target, field string) string {
	return "environments." + t.Env + ".pools." + t.Pool + "." + field
}

// problem is an error as one of the configuration, at a path of deploy.json.
func problem(path string, err error) tenants.Problem {
	p := tenants.Problem{Path: path, Message: err.Error(), Hint: fault.As(err).Hint}
	if path != "" {
		p.File = target.File
	}
	return p
}

// wrong tells what is wrong with the configuration.
func (o *poolsOptions) wrong(problems tenants.Problems) error {
	if o.JSON {
		view := fleetView{Command: o.command, Env: o.Env, Pools: []poolView{}, Problems: problems, ExitCode: exitProblem}
		if err := indented(o.stdout, view); err != nil {
			return err
		}
	} else if _, err := io.WriteString(o.stderr, problemList(problems)); err != nil {
		return err
	}
	return exitError{exitProblem, fmt.Errorf("%s of the configuration: nothing was asked of an account", plural(len(problems), "problem"))}
}

// fleet is what works on the pools.
func (o *poolsOptions) fleet(options fleet.Options) *fleet.Fleet {
	options.API, options.Concurrency, options.Locks, options.Now = o.cloud.account(), o.Concurrency, o.cloud.locks, o.cloud.now
	return fleet.New(options)
}

// apply is how plans are carried out.
func (o *poolsOptions) apply(c deploy.Canary) deploy.ApplyOptions {
	return deploy.ApplyOptions{Canary: c, Gate: o.cloud.gate(), Sleep: o.cloud.sleep, Now: o.cloud.now}
}
