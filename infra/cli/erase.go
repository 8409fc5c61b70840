package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/workflows/job"
)

type eraseOptions struct {
	Platform platformOptions
	View     view
	Confirm  string
}

func newErase(g *globals) *cobra.Command {
	var o eraseOptions
	cmd := &cobra.Command{
		Use:   "erase --confirm TENANT",
		Short: "Erase everything that is stored of a tenant",
		Long: "Erases a tenant's documents, sessions, vectors, files, dead letters and what is cached, and shows the receipt, store by store. Of the\n" +
			"audit trail the entry of the erasure stays, and the account and the configuration do. Meanwhile nothing new is taken. It takes a minute or more, of which most is waiting: the\n" +
			"stores are asked again once they must have settled. Interrupted, it goes on; called again, it is followed.",
		Example: "  levada erase --tenant acme --confirm acme",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if o.Confirm == "" {
				return usagef("--confirm is required: the tenant's id")
			}
			return o.Platform.run(cmd.Context(), o.erase)
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	cmd.Flags().StringVar(&o.Confirm, "confirm", "", "the tenant's id, once more")
	cmd.Flags().BoolVar(&o.View.JSON, "json", false, "print JSON")
	return cmd
}

func (o *eraseOptions) erase(ctx context.Context, c *client.Client) error {
	a, err := c.EraseTenant(ctx, o.Confirm)
	if err != nil {
		return err
	}
	j, err := o.View.follow(ctx, c, a.JobID)
	if err != nil {
		return err
	}
	return o.View.ended(j)
}

// wholeErasure is the receipt of the erasure of everything, store by store.
func wholeErasure(j job.Job) string {
	var b strings.Builder
	b.WriteString(string(j.State))
	if !j.Erasure.CheckedAt.IsZero() {
		fmt.Fprintf(&b, ", checked %s", when(j.Erasure.CheckedAt))
	}
	for _, st := range j.Erasure.Stores {
		fmt.Fprintf(&b, "\n  %-10s %d removed, %d remaining", st.Name, st.Removed, st.Remaining)
	}
	return b.String()
}
