package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"levada.dev/events/fault"
	"levada.dev/infra/client"
	"levada.dev/infra/deploy/credential"
	"levada.dev/tenants"
	"levada.dev/workflows/job"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/transfer"
)

type moveOptions struct {
	View                      view
	Tenant                    string
	From, To, KeyFrom, KeyTo  string
	Estimate, Yes, Last       bool
	CallOff, Again, Usage     bool
	globals                   *globals
	sourceKey, destinationKey string
}

func newMove(g *globals) *cobra.Command {
	o := moveOptions{globals: g}
	cmd := &cobra.Command{
		Use:   "move TENANT --from URL --to URL",
		Short: "Move a tenant, data included, to another pool",
		Long: "Has the destination compare what both pools have of the tenant and bring what differs. Begin while the source is in use, as often as you\n" +
			"like; then --last: the source takes no changes and no turns any more, the rest is brought, and everything is checked. Interrupted, the job goes on; called\n" +
			"again, it is followed. Nothing is deleted at the source. docs/runbooks/moving-a-tenant.md has all of it.\n\n" +
			"Keys are references: env:NAME, file:/path, op://vault/item/field, keyring:service/user, exec:[\"command\"]. That of the source needs the scope\n" +
			"export and metrics, and admin for --last and --call-off; that of the destination admin, export and jobs. A platform that runs here needs none.",
		Example: "  levada move acme --from https://old.example.com --to https://new.example.com --key-from env:ACME_OLD --key-to env:ACME_NEW --estimate\n" +
			"  levada move acme --from ... --to ... --yes\n  levada move acme --from ... --to ... --yes --last\n  levada move acme --from ... --to ... --call-off",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.View.Stdout, o.View.Stderr, o.Tenant = cmd.OutOrStdout(), cmd.ErrOrStderr(), args[0]
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.From, "from", "", "address of the source's API")
	f.StringVar(&o.To, "to", "", "address of the destination's API")
	f.StringVar(&o.KeyFrom, "key-from", "", "where the tenant's key at the source is kept")
	f.StringVar(&o.KeyTo, "key-to", "", "where the tenant's key at the destination is kept")
	f.BoolVar(&o.Estimate, "estimate", false, "say what it would take, and do nothing")
	f.BoolVar(&o.Yes, "yes", false, "do it")
	f.BoolVar(&o.Last, "last", false, "the last run: the source takes no changes any more, and everything is checked")
	f.BoolVar(&o.Again, "again", false, "also after everything was brought")
	f.BoolVar(&o.Usage, "usage", false, "carry over only what was used of this month's budgets, once nobody uses the source any more")
	f.BoolVar(&o.CallOff, "call-off", false, "the source takes changes again")
	f.BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

// run asks both pools for nothing until it knows that it may.
func (o *moveOptions) run(ctx context.Context) error {
	switch {
	case o.From == "" || o.To == "":
		return usagef("--from and --to are required: the addresses of both pools")
	case o.Estimate && (o.Yes || o.CallOff), o.Yes && o.CallOff:
		return usagef("one of --estimate, --yes and --call-off")
	case o.Usage && o.Last:
		return usagef("one of --last and --usage; the last run carries over what was used, too")
	case o.From == o.To:
		return usagef("--from and --to are the same pool")
	}
	if _, err := tenants.ParseID(o.Tenant); err != nil {
		return usagef("%s is no tenant", o.Tenant)
	}
	keys := o.keys()
	source, err := o.pool(ctx, keys, o.From, o.KeyFrom, &o.sourceKey)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	if o.CallOff {
		st, err := source.Stand(ctx, client.Live)
		if err != nil {
			return unsure(err)
		}
		return o.standing(st)
	}
	destination, err := o.pool(ctx, keys, o.To, o.KeyTo, &o.destinationKey)
	if err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	if !o.Yes {
		return o.estimate(ctx, source, destination)
	}
	return o.bring(ctx, source, destination)
}

// keys reads the keys of both pools. Nothing is printed that it has read, and what one key is read by does not see the other.
func (o *moveOptions) keys() *credential.Source {
	s := o.globals.source()
	for _, text := range []string{o.KeyFrom, o.KeyTo} {
		if ref, err := credential.Parse(text); err == nil {
			s.Reserve(ref)
		}
	}
	o.View.Stdout, o.View.Stderr = o.globals.covered(o.View.Stdout), o.globals.covered(o.View.Stderr)
	return s
}

// pool is a client of one of both.
func (o *moveOptions) pool(ctx context.Context, keys *credential.Source, at, ref string, key *string) (*client.Client, error) {
	if ref != "" {
		r, err := credential.Parse(ref)
		if err != nil {
			return nil, err
		}
		token, err := keys.Token(ctx, o.Tenant, r)
		if err != nil {
			return nil, err
		}
		*key = token.Secret()
	}
	p := platformOptions{URL: at, Key: *key, Tenant: o.Tenant, globals: o.globals}
	address, err := p.url()
	if err != nil {
		return nil, err
	}
	if _, *key, err = p.credentials(address); err != nil {
		return nil, err
	}
	return client.New(address.String(), *key, &client.Options{Tenant: o.Tenant, HTTP: o.globals.http}), nil
}

func (o *moveOptions) standing(st client.Standing) error {
	if o.View.JSON {
		return printJSON(o.View.Stdout, st)
	}
	_, err := fmt.Fprintf(o.View.Stdout, "%s at %s: %s, %s and %s on their way\n", o.Tenant, o.From, st.State, count(st.OnTheirWay, "document"), count(st.Imports, "import"))
	return err
}

// estimate says what a run would do.
func (o *moveOptions) estimate(ctx context.Context, source, destination *client.Client) error {
	at, err := destination.Embedding(ctx)
	if err != nil {
		return err
	}
	model, err := llm.FindEmbedding(at.Active)
	if err != nil {
		return err
	}
	st, err := source.Standing(ctx)
	if err != nil {
		return err
	}
	if st.Still && st.State == client.Live {
		fmt.Fprintf(o.View.Stderr, "%s at %s takes changes, and no turns: a change of that has failed on its way; --call-off lets conversations go on\n", o.Tenant, o.From)
	}
	e, err := transfer.EstimateOf(ctx, source.Far(), destination.Far(), model)
	if err != nil {
		return err
	}
	if o.View.JSON {
		return printJSON(o.View.Stdout, e)
	}
	rows := []row{
		{"at the source", count(e.Found, "document")}, {"here already", count(e.Same, "document")},
		{"to bring", fmt.Sprintf("%s, %s", count(e.Bring, "document"), size(e.Bytes))},
		{"conversations", fmt.Sprintf("%d, %d to bring", e.Sessions, e.BringSessions)},
		{"to embed", "about " + cost(job.Cost{Tokens: e.Tokens, Nanos: e.Nanos}) + ", by " + model.Name},
	}
	if e.Delete > 0 {
		rows = append(rows, row{"to delete", count(e.Delete, "document") + " that came from the source and are not there any more"})
	}
	if e.Taken > 0 {
		rows = append(rows, row{"in the way", count(e.Taken, "document") + " that somebody has submitted at the destination"})
	}
	printRows(o.View.Stdout, rows)
	if !o.Estimate {
		_, err = fmt.Fprintln(o.View.Stdout, "nothing was done; --yes does it")
	}
	return err
}

// bring makes a run and follows it.
func (o *moveOptions) bring(ctx context.Context, source, destination *client.Client) error {
	if o.Last {
		st, err := source.Stand(ctx, client.Readonly)
		if err != nil {
			return unsure(err)
		}
		if !o.View.JSON {
			if err := o.standing(st); err != nil {
				return err
			}
		}
	}
	a, err := destination.Bring(ctx, client.Run{From: o.From, Key: o.sourceKey, Last: o.Last, Again: o.Again, Usage: o.Usage})
	if err != nil {
		return o.advise(err)
	}
	j, err := o.View.follow(ctx, destination, a.JobID)
	if err != nil {
		return err
	}
	if err := o.View.ended(j); err != nil {
		return o.advise(err)
	}
	if !o.View.JSON {
		next := "bring the rest and check: the same with --last"
		switch {
		case o.Usage:
			next = "what was used at the source counts at the destination"
		case o.Last:
			next = "now lead the tenant's hosts to the destination; docs/runbooks/moving-a-tenant.md"
		}
		_, err = fmt.Fprintln(o.View.Stdout, next)
	}
	return err
}

// advise says what to do about a last run that has not brought everything: until somebody decides the source takes no changes.
func (o *moveOptions) advise(err error) error {
	var f *fault.Error
	if !o.Last || errors.As(err, &f) && f.Code == "transfer_done" {
		return err
	}
	return fmt.Errorf("%w\n  the source takes no changes; the same again goes on, and --call-off has it take them again", err)
}

// unsure says what to do when the source has not said how it stands now: its conversations may stand still while it takes changes.
func unsure(err error) error {
	switch fault.As(err).Kind {
	case fault.Invalid, fault.Denied, fault.NotFound:
		return err
	}
	return fmt.Errorf("%w\n  the source may refuse changes and turns now; the same again goes on, and --call-off has it take them again", err)
}
