package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/build"
	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/account"
	"levada.dev/infra/deploy/credential"
	"levada.dev/infra/deploy/target"
	"levada.dev/infra/deploy/wrangler"
	"levada.dev/infra/stack"
)

type wranglerOptions struct {
	Root           string
	Tenants        fs.FS
	Tenant, Env    string
	Out            string            // below Root when it is not absolute
	Workers        string            // built elsewhere; empty to build them
	Namespaces     map[string]string // ids by name
	LookUp         bool              // read the others from the account
	Credentials    *credential.Source
	API            account.Options
	JSON           bool
	Stdout, Stderr io.Writer
}

// wranglerView is what levada wrangler prints for machines.
type wranglerView struct {
	Pool    string          `json:"pool"`
	Env     string          `json:"env"`
	Account string          `json:"account"`
	Token   string          `json:"token"` // the reference
	Tenants []string        `json:"tenants"`
	Files   []wranglerFile  `json:"files"`
	Create  []wrangler.Step `json:"create"`
	Deploy  []wrangler.Step `json:"deploy"`
}

// wranglerFile is one file that was written.
type wranglerFile struct {
	Role   stack.Role `json:"role"`
	Script string     `json:"script"`
	Path   string     `json:"path"`
	State  string     `json:"state"` // new, changed or same
}

func newWrangler(g *globals) *cobra.Command {
	var o wranglerOptions
	cmd := &cobra.Command{
		Use:   "wrangler TENANT",
		Short: "Write wrangler.jsonc of the pool that serves a tenant",
		Long: "Writes a wrangler.jsonc for each Worker of the pool that serves the tenant, from the same table as levada deploy, and prints the\n" +
			"commands that deploy it with Cloudflare's own tool. wrangler makes no AI Gateway and publishes no tenants, and knows neither plan, drift\n" +
			"nor a rollback of the whole pool: levada deploy does.",
		Example: "  levada wrangler acme --env prod --look-up\n  levada wrangler acme --env prod --kv config=0f2ac74b498b48028cb68387c421e279 --kv cache=b1946ac92492d2347c6235b4d2611184",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Tenant, o.Credentials = args[0], g.source()
			o.Stdout, o.Stderr = g.covered(cmd.OutOrStdout()), g.covered(cmd.ErrOrStderr())
			if o.Root, err = g.folder(); err != nil {
				return err
			}
			o.Tenants = os.DirFS(filepath.Join(o.Root, tenantsFolder))
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.Env, "env", target.Dev, "environment: "+oneOf(target.Environments))
	cmd.Flags().StringVar(&o.Out, "out", "", "folder for the configurations (default: bin/wrangler/<pool>-<env> of the checkout)")
	cmd.Flags().StringVar(&o.Workers, "workers", "", "folder with Workers that levada build made (default: build them, in bin/workers)")
	cmd.Flags().StringToStringVar(&o.Namespaces, "kv", nil, "id of a KV namespace, as NAME=ID; once for each")
	cmd.Flags().BoolVar(&o.LookUp, "look-up", false, "read the ids of the KV namespaces from the account, with the token that tenants/deploy.json refers to")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *wranglerOptions) run(ctx context.Context) error {
	t, err := o.target()
	if err != nil {
		return err
	}
	pool, err := o.pool(t)
	if err != nil {
		return err
	}
	if o.LookUp {
		if err := o.lookUp(ctx, pool, t); err != nil {
			return err
		}
	}
	files, err := pool.Files() // before the Workers are built: what is wrong with it is said at once
	if err != nil {
		return err
	}
	if o.Workers == "" {
		if err := o.build(ctx, pool.Stack); err != nil {
			return err
		}
	}
	view := wranglerView{Pool: t.Pool, Env: t.Env, Account: t.Account, Token: t.Token.String(), Tenants: t.IDs(), Create: pool.Create()}
	if view.Deploy, err = pool.Deploy(); err != nil {
		return err
	}
	for _, f := range files {
		written, err := o.write(f)
		if err != nil {
			return err
		}
		view.Files = append(view.Files, written)
	}
	if o.JSON {
		return printJSON(o.Stdout, view)
	}
	return o.print(view)
}

// target is where the pool of the tenant goes.
func (o *wranglerOptions) target() (target.Target, error) {
	if err := among("env", o.Env, target.Environments); err != nil {
		return target.Target{}, err
	}
	environment, problems := target.Load(o.Tenants, o.Env)
	if len(problems) > 0 {
		io.WriteString(o.Stderr, problemList(problems))
		return target.Target{}, fmt.Errorf("the configuration has problems: nothing was written")
	}
	return environment.Find(o.Tenant)
}

// pool is what is written, with the paths between the folders.
func (o *wranglerOptions) pool(t target.Target) (p *wrangler.Pool, err error) {
	if o.Out == "" {
		o.Out = filepath.Join("bin", "wrangler", t.Pool+"-"+t.Env)
	}
	p = &wrangler.Pool{Unit: deploy.Unit{Pool: t.Pool, Env: t.Env}, Stack: t.Stack(), Account: t.Account, Namespaces: o.Namespaces, Dir: filepath.ToSlash(o.Out)}
	o.Out = o.below(o.Out)
	if p.Built, err = between(o.Out, o.workers()); err != nil {
		return nil, err
	}
	p.Schema, err = between(o.Out, filepath.Join(o.Root, "node_modules", "wrangler", "config-schema.json"))
	return p, err
}

// lookUp asks the account for ids.
func (o *wranglerOptions) lookUp(ctx context.Context, p *wrangler.Pool, t target.Target) error {
	token, err := o.Credentials.Token(ctx, t.Pool, t.Token)
	if err != nil {
		return err
	}
	return p.LookUp(ctx, account.Open(t.Account, token, o.API))
}

// below is a path from the checkout.
func (o *wranglerOptions) below(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(o.Root, path)
}

// workers is the folder of the built Workers.
func (o *wranglerOptions) workers() string {
	if o.Workers != "" {
		return o.below(o.Workers)
	}
	return o.below(filepath.Join("bin", "workers"))
}

func between(from, to string) (string, error) {
	path, err := filepath.Rel(from, to)
	return filepath.ToSlash(path), err
}

func (o *wranglerOptions) build(ctx context.Context, table stack.Stack) error {
	_, err := build.Roles(ctx, build.Options{
		Root: o.Root, Out: o.workers(), Stack: table, Environ: o.Credentials.Environ(),
		Progress: func(role, step string) { fmt.Fprintf(o.Stderr, "%s: %s\n", role, step) },
	})
	return err
}

// write puts a configuration in its place, and says whether that changed anything.
func (o *wranglerOptions) write(f wrangler.File) (wranglerFile, error) {
	path := filepath.Join(o.Out, filepath.FromSlash(f.Path))
	written := wranglerFile{Role: f.Role, Script: f.Script, Path: path, State: "changed"}
	old, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		written.State = "new"
	case err != nil:
		return written, err
	case bytes.Equal(old, f.Data):
		written.State = "same"
		return written, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return written, err
	}
	return written, os.WriteFile(path, f.Data, 0o644)
}

func (o *wranglerOptions) print(v wranglerView) error {
	fmt.Fprintf(o.Stdout, "The pool %s in %s serves %s.\n\n", v.Pool, v.Env, strings.Join(v.Tenants, ", "))
	t := newTable("worker", column{name: "file", id: true}, "state")
	for _, f := range v.Files {
		path := f.Path
		if short, err := filepath.Rel(o.Root, path); err == nil && filepath.IsLocal(short) {
			path = short
		}
		t.add(f.Script, path, f.State)
	}
	t.draw(o.Stdout)
	fmt.Fprintf(o.Stdout, "\nIn %s, with the token that %s names:\n\n  export CLOUDFLARE_ACCOUNT_ID=%s CLOUDFLARE_API_TOKEN=...\n", o.Root, v.Token, v.Account)
	o.steps("Once, before the first deployment:", v.Create)
	o.steps("Each time, in this order:", v.Deploy)
	_, err := fmt.Fprintln(o.Stdout, "\nThe tenants' configuration, keys and secrets are published by levada deploy.")
	return err
}

func (o *wranglerOptions) steps(what string, steps []wrangler.Step) {
	fmt.Fprintf(o.Stdout, "\n%s\n\n", what)
	for _, s := range steps {
		fmt.Fprintf(o.Stdout, "  %s\n", s)
	}
}
