package cli

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

// tenantsFolder is where the tenants are in the checkout.
const tenantsFolder = "tenants"

type validateOptions struct {
	Dir            fs.FS // the folder of the tenants
	Tenant, Env    string
	JSON           bool
	Stdout, Stderr io.Writer
}

// validateView is what levada validate prints for machines.
type validateView struct {
	OK       bool             `json:"ok"`
	Env      string           `json:"env"`
	Tenants  []tenants.Config `json:"tenants"` // as they are with defaults
	Problems tenants.Problems `json:"problems"`
}

func newValidate(g *globals) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the configuration of all tenants",
		Long: "Checks tenants/<id>/tenant.config.json of every tenant, each alone and all together, and tenants/deploy.json, which says\n" +
			"where they are deployed, and names every problem with its file, its place and what to do about it. Exits with 1 when there is one.",
		Example: "  levada validate\n  levada validate --env prod\n  levada validate --tenant acme --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout, o.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			root, err := g.folder()
			if err != nil {
				return err
			}
			o.Dir = os.DirFS(filepath.Join(root, tenantsFolder))
			return o.run()
		},
	}
	cmd.Flags().StringVar(&o.Tenant, "tenant", "", "report on this tenant only; it is still checked against the others")
	cmd.Flags().StringVar(&o.Env, "env", "dev", "environment to check for: dev, stage or prod, which refuses auth.mode open")
	cmd.Flags().BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

func (o *validateOptions) run() error {
	if err := among("env", o.Env, target.Environments); err != nil {
		return err
	}
	in, problems := target.Load(o.Dir, cmp.Or(o.Env, target.Dev))
	configs := in.Tenants
	if o.Tenant != "" {
		configs, problems = only(o.Tenant, configs, problems)
	}
	if err := o.print(in, configs, problems); err != nil {
		return err
	}
	switch len(problems) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("1 problem in the configuration of the tenants")
	}
	return fmt.Errorf("%d problems in the configuration of the tenants", len(problems))
}

// only keeps what concerns one tenant. One that does not exist is a problem.
func only(tenant string, configs []tenants.Config, problems tenants.Problems) ([]tenants.Config, tenants.Problems) {
	var mine []tenants.Config
	var ids []tenants.ID
	pool := tenant
	for _, c := range configs {
		ids = append(ids, c.ID)
		if string(c.ID) == tenant {
			mine, pool = append(mine, c), c.Pool
		}
	}
	var found tenants.Problems
	for _, p := range problems {
		if strings.HasPrefix(p.File, tenant+"/") || p.File == "" || p.File == target.File && (p.Path == "" || strings.Contains(p.Path+".", ".pools."+pool+".")) {
			found = append(found, p)
		}
	}
	if len(mine) == 0 && len(found) == 0 {
		p := tenants.Problem{Message: fmt.Sprintf("there is no tenant %q", tenant)}
		if best, ok := tenants.Closest(tenant, ids); ok {
			p.Hint = fmt.Sprintf("did you mean %q?", best)
		}
		found = append(found, p)
	}
	return mine, found
}

func (o *validateOptions) print(in *target.Environment, configs []tenants.Config, problems tenants.Problems) (err error) {
	switch {
	case o.JSON:
		view := validateView{OK: len(problems) == 0, Env: o.Env, Tenants: configs, Problems: problems}
		if view.Tenants == nil {
			view.Tenants = []tenants.Config{}
		}
		if view.Problems == nil {
			view.Problems = tenants.Problems{}
		}
		return printJSON(o.Stdout, view)
	case len(problems) > 0:
		_, err = io.WriteString(o.Stderr, problemList(problems))
	default:
		_, err = fmt.Fprintln(o.Stdout, tenantTable(in, configs))
	}
	return err
}

// tenantTable shows the tenants and, where anything is deployed in the environment, where each of them answers there.
func tenantTable(in *target.Environment, configs []tenants.Config) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	header := table.Row{"tenant", "pool", "auth", "embedding", "filterable", "hosts"}
	if len(in.Targets) > 0 {
		header = append(header, "in "+in.Name)
	}
	t.AppendHeader(header)
	for _, c := range configs {
		row := table.Row{
			c.ID, c.Pool, c.Auth.Mode, c.Models.Embedding, len(c.Search.Filterable), strings.Join(c.AllowedHosts, " "),
		}
		if len(in.Targets) > 0 {
			row = append(row, deployedAt(in, c.ID))
		}
		t.AppendRow(row)
	}
	return t.Render()
}

// deployedAt is where a tenant answers in an environment, as far as the account need not be asked.
func deployedAt(in *target.Environment, id tenants.ID) string {
	t, err := in.Find(string(id))
	switch {
	case err != nil:
		return "-"
	case t.Host() != "":
		return t.Host()
	case len(t.Routes) > 0:
		return t.Routes[0].Pattern
	}
	return "workers.dev"
}

// problemList is a block for each file: where, what, and what to do.
func problemList(problems tenants.Problems) string {
	var b strings.Builder
	file := ""
	for _, p := range problems {
		if p.File != file {
			file = p.File
			fmt.Fprintln(&b, path.Join(tenantsFolder, file))
		}
		b.WriteString("  ")
		if p.Line > 0 {
			fmt.Fprintf(&b, "line %d, column %d: ", p.Line, p.Column)
		}
		if p.Path != "" {
			b.WriteString(p.Path + ": ")
		}
		b.WriteString(p.Message + "\n")
		if p.Hint != "" {
			fmt.Fprintf(&b, "    %s\n", p.Hint)
		}
	}
	return b.String()
}
