package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy/target"
	"levada.dev/tenants"
)

func newSecretSet(g *globals) *cobra.Command {
	var o secretOptions
	cmd := o.bind(g, &cobra.Command{
		Use:   "set TENANT",
		Short: "Put the secret of a tool, which an outside server gave, into the vault",
		Long: "Reads the secret of an HTTP tool from stdin, or from a file, and puts it into the vault, in place of one of that name. It is never an\n" +
			"argument, which others on the machine could see. A line feed at its end is not a part of it.",
		Example: "  levada secret set acme --env prod --name shop-api < /dev/shm/shop-api\n  op read op://infra/shop/key | levada secret set acme --env prod --name shop-api",
	}, o.set)
	o.bindFile(cmd)
	cmd.Flags().StringVar(&o.Name, "name", "", "name of the secret: auth.secret of a tool in tools.http")
	cmd.Flags().StringVar(&o.From, "from-file", "", "file that the secret is in (default: stdin)")
	_ = cmd.MarkFlagRequired("name") // it was just defined
	return cmd
}

func (o *secretOptions) set(ctx context.Context, t target.Target) error {
	if err := o.settable(t); err != nil {
		return err
	}
	file, err := o.vaultFile(ctx, t)
	if err != nil {
		return err
	}
	value, err := o.given()
	if err != nil {
		return err
	}
	if err := tenants.ToolSecret.Check(value); err != nil {
		return fault.Invalidf("", "secret_invalid", "what was given %s", fault.As(err).Message).WithHint("the value alone, without its header and scheme")
	}
	release, err := target.Hold(ctx, file)
	if err != nil {
		return err
	}
	defer release()
	v, err := o.existing(file, t)
	if err != nil {
		return err
	}
	id := tenants.ID(o.Tenant)
	if v.Secrets[id][o.Name] == value {
		fmt.Fprintf(o.Stdout, "%s has just that: nothing was changed\n", file)
		return nil
	}
	v.Set(id, o.Name, value)
	if err := target.WriteVault(file, v); err != nil {
		return err
	}
	fmt.Fprintf(o.Stdout, "set %s/%s in %s\n", o.Tenant, o.Name, file)
	fmt.Fprintf(o.Stderr, "It is in effect some 90 s after: levada deploy %s --env %s\n", o.Tenant, o.Env)
	o.refer(t, file)
	return nil
}

// settable refuses a name that no tool of the tenant has.
func (o *secretOptions) settable(t target.Target) error {
	i := slices.IndexFunc(t.Tenants, func(c tenants.Config) bool { return string(c.ID) == o.Tenant })
	if i < 0 {
		return fault.Missing("tenant_not_found", "%s is not served in %s", o.Tenant, o.Env).WithHint("see exclude in tenants/" + target.File)
	}
	var names []string
	for _, need := range t.Tenants[i].Secrets() {
		if need.Name == o.Name && need.Kind.Made() {
			flag := "--source …"
			if need.Kind == tenants.WebhookSecret {
				flag = "--speech"
			}
			return fault.Invalidf("", "secret_invalid", "%s is of a %s, and made here", o.Name, need.Kind).WithHint("levada secret rotate " + o.Tenant + " --env " + o.Env + " " + flag + " makes another")
		}
		if need.Kind == tenants.ToolSecret {
			names = append(names, need.Name)
		}
	}
	if slices.Contains(names, o.Name) {
		return nil
	}
	hint := "name it in auth.secret of a tool first"
	if len(names) > 0 {
		hint = "tools name " + strings.Join(names, ", ")
	}
	return fault.Missing("secret_not_found", "no tool of %s has a secret %.64q", o.Tenant, o.Name).WithHint(hint)
}

// maxGiven is more than any secret has, and little enough to read.
const maxGiven = 64 << 10

// given is what stdin or the file has, without a line feed at its end. At a terminal it would be shown while it is typed.
func (o *secretOptions) given() (string, error) {
	from := o.Stdin
	if o.From != "" {
		f, err := os.Open(o.From)
		if err != nil {
			return "", err
		}
		defer f.Close()
		from = f
	} else if f, is := from.(*os.File); is {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return "", usagef("give the secret on stdin or by --from-file: what is typed at a terminal is shown")
		}
	}
	b, err := io.ReadAll(io.LimitReader(from, maxGiven))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}

// lacks says which secrets of tools the vault has not, and the next step.
func (o *secretOptions) lacks(t target.Target, v *tenants.Vault) {
	for _, s := range target.Inventory(v, t) {
		if s.State == target.SecretMissing && !s.Kind.Made() {
			fmt.Fprintf(o.Stderr, "%s/%s is missing, which an outside server gives: %s\n", s.Tenant, s.Name, target.NextStep(s.Kind, s.Tenant, s.Name, o.Env))
		}
	}
}
