package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
	Heads    []string
	After    int64
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
			"segments that were exported (--from-dir), and to entries that somebody has noted (--head). The first entry that does not fit is named.\n\n" +
			"A trail that was cut off at its end, or made anew from some entry on, fits in itself: only segments and a noted entry show that.\n" +
			"So note what this command says the head is, where nobody has access who has access to the platform.\n\n" +
			"Exit codes: 0 all fits; 1 the trail could not be read; 2 wrong usage; 3 an entry does not fit.",
		Example: "  levada audit verify --tenant acme\n  levada audit verify --tenant acme --from-dir segments --head 4711:2f1b…\n  levada audit verify --tenant acme --from-dir segments --offline",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Stdout = cmd.OutOrStdout()
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.Heads, "head", nil, "an entry that was noted, as ENTRY:HASH or its hash alone: the trail, or what was exported of it, must have it; may be repeated")
	f.Int64Var(&o.After, "after", 0, "begin after this entry: for a trail that is known not to fit up to it")
	f.StringVar(&o.Folder, "from-dir", "", "a folder with exported segments: those below t/TENANT/audit/ in the bucket")
	f.BoolVar(&o.Offline, "offline", false, "look at the segments alone, and ask no platform")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}

var headForm = regexp.MustCompile(`^(?:([1-9][0-9]{0,11}):)?([0-9a-f]{64})$`)

// noted is what --head says, in the order of the places; what has none comes last.
func (o *verifyOptions) noted() (heads []trail.Head, err error) {
	for _, text := range o.Heads {
		m := headForm.FindStringSubmatch(text)
		if m == nil {
			return nil, usagef("--head %.80s: not an entry that was noted, such as 4711:HASH, nor a hash, 64 hexadecimal digits", text)
		}
		seq, _ := strconv.ParseInt(m[1], 10, 64) // none is 0
		heads = append(heads, trail.Head{Seq: seq, Hash: m[2]})
	}
	slices.SortStableFunc(heads, func(a, b trail.Head) int { return cmp.Compare(uint64(a.Seq-1), uint64(b.Seq-1)) })
	return heads, nil
}

func (o *verifyOptions) run(ctx context.Context) error {
	if _, err := o.noted(); err != nil {
		return err
	}
	switch {
	case o.After < 0:
		return usagef("--after %d: not a place in the trail", o.After)
	case o.Offline && o.After > 0:
		return usagef("--offline: segments are looked at whole; leave the files of before out of the folder")
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
		return o.check(tenants.ID(c.Tenant()), func(add func(line []byte) error) (trail.Head, error) { return c.Chain(ctx, o.After, add) })
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
	Noted    int           `json:"noted,omitempty"`    // entries that were noted and are there
	Erased   *erased       `json:"erased,omitempty"`
	Broken   *verify.Break `json:"broken,omitempty"`
}

// erased is what a trail says that begins with an erasure.
type erased struct {
	By     string     `json:"by,omitempty"` // the key's name
	At     time.Time  `json:"at"`
	Before trail.Head `json:"before"` // the end of what went
}

func erasedOf(c *verify.Chain) *erased {
	e, ok := c.Erased()
	if !ok {
		return nil
	}
	out := &erased{At: e.Time, Before: trail.Head{Seq: e.Seq - 1, Hash: e.Prev}}
	if e.Act != nil {
		out.By = e.Act.Actor
	}
	return out
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
		if e := out.Erased; e != nil {
			fmt.Fprintf(o.Stdout, "it begins with an erasure of everything, on %s by %s: entries 1 to %d went, of which the last was %s\n",
				e.At.UTC().Format(time.DateTime), cmp.Or(e.By, "nobody who is named"), e.Before.Seq, e.Before.Hash)
		}
		if out.Segments > 0 {
			fmt.Fprintf(o.Stdout, "%s, up to entry %d, have the same\n", plural(out.Segments, "segment"), out.Exported)
		}
		if out.Noted > 0 {
			fmt.Fprintf(o.Stdout, "%s as noted\n", entries(out.Noted))
		}
		fmt.Fprintf(o.Stdout, "head %d:%s\n", out.Head.Seq, out.Head.Hash)
	}
	if out.Broken == nil {
		return nil
	}
	if o.JSON {
		return exitError{exitBroken, nil}
	}
	return broken(out.Tenant, out.Broken)
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
	var end trail.Head
	add := func(line []byte) error {
		if whole == nil {
			if out.Tenant == "" { // the key says whose it is
				out.Tenant = tenantOf(line)
			}
			whole = o.chain(out.Tenant)
		}
		return whole.Add(line)
	}
	if read != nil {
		end, err = read(add)
		if whole == nil {
			whole = o.chain(out.Tenant)
		}
		out.Entries, out.First, out.Head, out.Erased = whole.Len(), whole.First(), whole.Head(), erasedOf(whole)
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
	if err := o.held(out, whole, segments); err != nil || whole == nil {
		return err
	}
	return whole.Ends(end) // what is held against more than the trail itself names the place better
}

// chain is the one that the trail has to be.
func (o *verifyOptions) chain(tenant tenants.ID) *verify.Chain {
	if o.After > 0 {
		return verify.NewPiece(tenant, "the trail", o.After)
	}
	return verify.NewChain(tenant, "the trail")
}

// held looks for what was noted, the first places first, in the trail and in what was exported of it. Either may be nil.
func (o *verifyOptions) held(out *verified, whole, segments *verify.Chain) error {
	heads, err := o.noted()
	if err != nil {
		return err
	}
	for _, h := range heads {
		var missing error
		for _, c := range []*verify.Chain{segments, whole} {
			if c == nil {
				continue
			}
			if missing = c.Holds(h); missing == nil {
				break
			}
		}
		if missing != nil {
			return missing
		}
		out.Noted++
	}
	return nil
}

// tenantOf is whose entry a line is.
func tenantOf(line []byte) tenants.ID {
	e, _ := trail.Read(line)
	return tenantIn(e.Source)
}

// tenantIn is the tenant in the source of an event.
func tenantIn(source string) tenants.ID {
	id, _, _ := strings.Cut(strings.TrimPrefix(source, "/tenants/"), "/")
	return tenants.ID(id)
}
