package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/tenants"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/book"
	"levada.dev/workflows/trail/verify"
)

type auditExportOptions struct {
	Platform platformOptions
	View     view
	Out      string
	After    int64
}

func newAuditExport(g *globals) *cobra.Command {
	var o auditExportOptions
	cmd := &cobra.Command{
		Use:   "export --out FOLDER",
		Short: "Copy the audit trail to a folder, a thousand entries a file",
		Long: "Copies the tenant's whole trail as it is chained: NDJSON in files that are named as the segments in the bucket are, which levada audit verify --from-dir\n" +
			"reads. Each entry is held to its hashes first. Called again, or after it was cut off, it goes on after the last entry of the folder; a trail that\n" +
			"was changed since does not go on from there, which is said.\n\n" +
			"Exit codes: 0 all is there; 1 the trail could not be read; 2 wrong usage; 3 an entry does not fit.",
		Example: "  levada audit export --tenant acme --out acme-trail",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.View.Stdout, o.View.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
			switch {
			case o.Out == "":
				return usagef("--out is required: a folder")
			case o.After < 0:
				return usagef("--after %d: not a place in the trail", o.After)
			}
			return o.Platform.run(cmd.Context(), o.export)
		},
	}
	o.Platform.bind(g, cmd)
	cmd.Flags().StringVar(&o.Out, "out", "", "the folder, which is made")
	cmd.Flags().Int64Var(&o.After, "after", 0, "begin after this entry, in an empty folder: for a trail that is known not to fit up to it")
	return cmd
}

func (o *auditExportOptions) export(ctx context.Context, c *client.Client) error {
	newest, err := c.Trail(ctx, trail.Query{}, "", 1)
	if err != nil {
		return err
	}
	if len(newest.Entries) == 0 && newest.Head.Seq == 0 {
		fmt.Fprintln(o.View.Stdout, "nothing on record")
		return nil
	}
	tenant := tenants.ID(c.Tenant())
	if tenant == "" && len(newest.Entries) == 0 {
		return usagef("say whose trail it is with --tenant")
	}
	if tenant == "" { // the key says whose it is
		tenant = tenantIn(newest.Entries[0].Source)
	}
	if err := os.MkdirAll(o.Out, 0o700); err != nil {
		return err
	}
	chain, files, err := verify.Segments(tenant, os.DirFS(o.Out))
	if err != nil {
		return broken(tenant, err)
	}
	switch {
	case files == 0 && o.After > 0:
		chain = verify.NewPiece(tenant, "", o.After)
	case files == 0:
		chain = verify.NewChain(tenant, "")
	case o.After > 0:
		return usagef("--after: %s has entries, which are gone on from", o.Out)
	}
	chain.Next("the trail")
	had, meter := chain.Len(), o.View.meter("entries", int(newest.Head.Seq))
	err = o.copy(ctx, c, chain, func(seq int64) { meter.count(int(seq), int(newest.Head.Seq)) })
	meter.clear()
	if err != nil {
		return broken(tenant, err)
	}
	_, err = fmt.Fprintf(o.View.Stdout, "%s: %s in %s, %d of them new\nhead %d:%s\n", tenant, entries(chain.Len()), o.Out, chain.Len()-had, chain.Head().Seq, chain.Head().Hash)
	return err
}

// broken ends a command that has found an entry that does not fit.
func broken(tenant tenants.ID, err error) error {
	var b *verify.Break
	if errors.As(err, &b) {
		return exitError{exitBroken, fmt.Errorf("%s's trail does not fit: %w", tenant, b)}
	}
	return err
}

// copy writes what follows the chain, which grows by it. What has come stays, also when it fails.
func (o *auditExportOptions) copy(ctx context.Context, c *client.Client, chain *verify.Chain, shown func(seq int64)) error {
	var file bytes.Buffer
	from, last := int64(0), chain.Head().Seq
	flush := func() error {
		if file.Len() == 0 {
			return nil
		}
		defer file.Reset()
		return writeWhole(filepath.Join(o.Out, book.FileName(from, last)), file.Bytes())
	}
	head, err := c.Chain(ctx, last, func(line []byte) error {
		if e, err := trail.Read(line); err == nil && e.Erases() && e.Seq > last+1 && chain.Len() > 0 {
			return fmt.Errorf("the tenant was erased since: its trail goes on with entry %d, and %s has it up to %d; use another folder", e.Seq, o.Out, last)
		}
		if err := chain.Add(line); err != nil {
			return err
		}
		last = chain.Head().Seq
		if file.Len() == 0 {
			from = last
		}
		file.Write(line)
		shown(last)
		if last-from+1 == book.SegmentLines {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = chain.Ends(head)
	}
	return errors.Join(flush(), err)
}
