package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/tenants"
	"levada.dev/workflows/trail"
	"levada.dev/workflows/trail/verify"
)

// exitBroken is how levada audit verify ends when an entry does not fit.
const exitBroken = 3

type verifyOptions struct {
	Platform platformOptions
	Head     string
	Folder   string
	Offline  bool
	JSON     bool
	Stdout   io.Writer
}

func newAuditVerify(g *globals) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compute each hash of the audit trail again, and hold it to what was exported",
		Long: "Reads the tenant's whole trail, computes the hash of each entry from the entry alone, and holds it to the entry's own, to the one before it, to\n" +
			"segments that were exported (--from-dir), and to a hash that somebody has noted (--head). The first entry that does not fit is named.\n\n" +
			"A trail that was cut off at its end, or made anew from some entry on, fits in itself: only segments and a noted hash show that.\n" +
			"So note what this command says the head is, where nobody has access who has access to the platform.\n\n" +
			"Exit codes: 0 all fits; 1 the trail could not be read; 2 wrong usage; 3 an entry does not fit.",
		Example: "  levada audit verify --tenant acme\n  levada audit verify --tenant acme --from-dir segments --head 2f1b…\n  levada audit verify --tenant acme --from-dir segments --offline",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout = cmd.OutOrStdout()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	f.StringVar(&o.Head, "head", "", "a hash that was noted: the trail, or what was exported of it, must have it")
	f.StringVar(&o.Folder, "from-dir", "", "a folder with exported segments: those below t/TENANT/audit/ in the bucket")
	f.BoolVar(&o.Offline, "offline", false, "look at the segments alone, and ask no platform")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

var hashForm = regexp.MustCompile(`^[0-9a-f]{64}$`)

func (o *verifyOptions) run(ctx context.Context) error {
	switch {
	case o.Head != "" && !hashForm.MatchString(o.Head):
		return usagef("--head %.70s: not a hash, 64 hexadecimal digits", o.Head)
	case o.Offline && o.Folder == "":
		return usagef("--offline: there is nothing to look at without --from-dir")
	case o.Offline:
		tenant := given(o.Platform.Tenant, "LEVADA_TENANT")
		if tenant == "" {
			return usagef("--offline: say whose segments they are with --tenant")
		}
		return o.check(tenants.ID(tenant), nil)
	}
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		return o.check(tenants.ID(c.Tenant()), func(add func(line []byte) error) (trail.Head, error) { return c.Chain(ctx, add) })
	})
}

// verified is what came of it.
type verified struct {
	Tenant   tenants.ID    `json:"tenant"`
	Entries  int           `json:"entries"`
	First    int64         `json:"first,omitempty"`
	Head     trail.Head    `json:"head"`
	Segments int           `json:"segments,omitempty"`
	Exported int64         `json:"exported,omitempty"` // the last entry of them
	Broken   *verify.Break `json:"broken,omitempty"`
}

// check holds trail, segments and hash to each other. read is nil when there is no trail to read.
func (o *verifyOptions) check(tenant tenants.ID, read func(add func(line []byte) error) (trail.Head, error)) error {
	out := verified{Tenant: tenant}
	err := o.verify(&out, read)
	if err != nil && !errors.As(err, &out.Broken) {
		return err
	}
	switch {
	case o.JSON:
		if err := indented(o.Stdout, out); err != nil {
			return err
		}
	case out.Broken == nil:
		fmt.Fprintf(o.Stdout, "%s: %s fit, from %d to %d\n", out.Tenant, entries(out.Entries), out.First, out.Head.Seq)
		if out.Segments > 0 {
			fmt.Fprintf(o.Stdout, "%s, up to entry %d, have the same\n", plural(out.Segments, "segment"), out.Exported)
		}
		fmt.Fprintf(o.Stdout, "head %s\n", out.Head.Hash)
	}
	if out.Broken == nil {
		return nil
	}
	if o.JSON {
		return exitError{exitBroken, nil}
	}
	return exitError{exitBroken, fmt.Errorf("%s's trail does not fit: %w", out.Tenant, out.Broken)}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

// verify does. What it knows when it ends early is in out.
func (o *verifyOptions) verify(out *verified, read func(add func(line []byte) error) (trail.Head, error)) (err error) {
	var segments, whole *verify.Chain
	add := func(line []byte) error {
		if whole == nil {
			if out.Tenant == "" { // the key says whose it is
				out.Tenant = tenantOf(line)
			}
			whole = verify.NewChain(out.Tenant, "the trail")
		}
		return whole.Add(line)
	}
	if read != nil {
		head, err := read(add)
		if whole == nil {
			whole = verify.NewChain(out.Tenant, "the trail")
		}
		out.Entries, out.First, out.Head = whole.Len(), whole.First(), whole.Head()
		if err == nil {
			err = whole.Ends(head)
		}
		if err != nil {
			return err
		}
	}
	if o.Folder != "" {
		if segments, out.Segments, err = verify.Segments(out.Tenant, os.DirFS(o.Folder)); err != nil {
			return err
		}
		if out.Segments == 0 {
			return fmt.Errorf("%s has no segments, such as 000000000001-000000001000.ndjson", o.Folder)
		}
		out.Exported = segments.Head().Seq
		if whole == nil {
			out.Entries, out.First, out.Head = segments.Len(), segments.First(), segments.Head()
		} else if err := whole.Against(segments); err != nil {
			return err
		}
	}
	if o.Head == "" || whole != nil && whole.Has(o.Head) || segments != nil && segments.Has(o.Head) {
		return nil
	}
	return &verify.Break{Seq: out.Head.Seq + 1, Where: "the trail", Why: "no entry has the hash that was noted: the end was cut off, or the chain made anew"}
}

// tenantOf is whose entry a line is.
func tenantOf(line []byte) tenants.ID {
	e, _ := trail.Read(line)
	id, _, _ := strings.Cut(strings.TrimPrefix(e.Source, "/tenants/"), "/")
	return tenants.ID(id)
}
