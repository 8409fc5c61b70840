package cli

import (
	"context"
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
		Long: "Erases a tenant's documents, sessions, vectors, files, dead letters and what is cached, and shows the receipt, store by store. The audit\n" +
			"trail, the account and the configuration stay. Meanwhile nothing new is taken. Interrupted, it goes on; called again, it is followed.",
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

// wholeErasure is the receipt of the erasure of everything.
func wholeErasure(j job.Job) string {
	parts := make([]string, len(j.Erasure.Stores))
	for i, st := range j.Erasure.Stores {
		parts[i] = count(st.Removed, "removal") + " in " + st.Name
	}
	s := string(j.State)
	if len(parts) > 0 {
		s += ": " + strings.Join(parts, ", ")
	}
	if !j.Erasure.CheckedAt.IsZero() {
		s += "; " + count(j.Erasure.Remaining, "thing") + " remaining, checked " + when(j.Erasure.CheckedAt)
	}
	return s
}
