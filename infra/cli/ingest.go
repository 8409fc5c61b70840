package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"levada.dev/infra/client"
	"levada.dev/infra/load"
	"levada.dev/tenants/quota"
	"levada.dev/workflows/imports"
)

type ingestOptions struct {
	Platform platformOptions
	View     view
	Load     load.Options
	Args     []string // files, folders and URLs
	Sitemap  string
	Meta     []string
	Wait     bool
	DryRun   bool
	Cost     foresight

	BatchBytes int64 // of files in one import
}

func newIngest(g *globals) *cobra.Command {
	o := ingestOptions{BatchBytes: maxBatchBytes}
	cmd := &cobra.Command{
		Use:   "ingest DIR|FILE|URL...",
		Short: "Load documents from folders, files and the web",
		Long: "Sends documents to a tenant as one import and follows it until all of them are searchable.\n\n" +
			"Of a folder it takes all files below it that are text, HTML, PDF or Office documents, but nothing hidden and no\n" +
			"node_modules. A document's id is its path below the folder, so that ingesting the folder again replaces what has\n" +
			"changed, and nothing else; its title is its first heading, else the file's name.\n\n" +
			"Globs without a slash are matched against names, others against paths below the folder; ** stands for any folders.\n\n" +
			"Before a large import (500 documents, or 5 MB) it says about what that costs, and asks on a terminal; --estimate says more.\n" +
			"Ctrl-C stops the following, not the import. Exits with 1 when a document failed.",
		Example: "  levada ingest docs\n" +
			"  levada ingest --include '*.md' --exclude drafts --prefix handbook/ --meta team=support handbook\n" +
			"  levada ingest https://go.dev/doc/effective_go\n" +
			"  levada ingest --sitemap https://example.com/sitemap.xml --source website",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Args, o.View.Stdout, o.View.Stderr = args, cmd.OutOrStdout(), cmd.ErrOrStderr()
			o.Cost.questions = questions(cmd)
			if !cmd.Flags().Changed("wait") {
				o.Wait = isTerminal(o.View.Stderr)
			}
			return o.run(cmd.Context())
		},
	}
	o.Platform.bind(g, cmd)
	o.View.Platform = &o.Platform
	f := cmd.Flags()
	f.StringArrayVar(&o.Load.Include, "include", nil, "glob of files to take; may be repeated (default all)")
	f.StringArrayVar(&o.Load.Exclude, "exclude", nil, "glob of files and folders to leave out; may be repeated")
	f.StringVar(&o.Load.Type, "type", "", "content type of all files, such as text/markdown (default: found out)")
	f.StringVar(&o.Load.Prefix, "prefix", "", "what the document ids begin with")
	f.StringVar(&o.Load.Source, "source", "", "where the documents are from, for people and filters")
	f.StringArrayVar(&o.Meta, "meta", nil, "metadata of all documents, name=value; may be repeated")
	f.StringVar(&o.Sitemap, "sitemap", "", "URL of a sitemap whose pages are ingested")
	f.BoolVar(&o.Wait, "wait", false, "follow the import to its end (default: on a terminal)")
	f.BoolVar(&o.DryRun, "dry-run", false, "list what would be sent")
	f.BoolVar(&o.Cost.Estimate, "estimate", false, "say what embedding the files would cost, and what is left of the budgets; send nothing")
	f.BoolVar(&o.Cost.Yes, "yes", false, "do not ask before a large import")
	f.BoolVar(&o.View.JSON, "json", false, "print the job as JSON")
	return cmd
}

func (o *ingestOptions) run(ctx context.Context) error {
	if err := o.check(); err != nil {
		return err
	}
	p, err := o.plan(ctx)
	if err != nil {
		return err
	}
	if o.DryRun {
		return o.list(p)
	}
	if p.count == 0 && o.Sitemap == "" {
		return o.nothing(p)
	}
	return o.Platform.run(ctx, func(ctx context.Context, c *client.Client) error {
		work := client.Work{Capability: quota.Ingest, Documents: new(int64(p.count - len(p.urls))), Bytes: &p.bytes}
		if o.Cost.Estimate {
			return o.View.foresee(ctx, c, work, o.unforeseen(p)...)
		}
		if p.count >= largeCount || p.bytes >= largeBytes {
			what := fmt.Sprintf("%s, %d bytes", count(p.count, "document"), p.bytes)
			if err := o.Cost.agree(ctx, o.View.Stderr, c, what, work); err != nil {
				return err
			}
		}
		if o.Sitemap != "" {
			fmt.Fprintln(o.View.Stderr, "what it costs is known when its pages are here; the tenant's budgets bound it")
		}
		return o.send(ctx, c, p)
	})
}

// What is a large import, of which it is said what it costs.
const (
	largeCount = 500
	largeBytes = 5_000_000
)

// unforeseen is what an estimate of a plan does not count.
func (o *ingestOptions) unforeseen(p *plan) []string {
	if o.Sitemap == "" && len(p.urls) == 0 {
		return nil
	}
	return []string{"pages that the platform fetches are not counted: nobody knows yet how long they are"}
}

// check reads the arguments.
func (o *ingestOptions) check() (err error) {
	if len(o.Args) == 0 && o.Sitemap == "" {
		return usagef("name folders, files or URLs, or a --sitemap")
	}
	if l := o.Load; o.Sitemap != "" && (len(o.Args) > 0 || len(o.Meta) > 0 || l.Type != "" || l.Prefix != "" || len(l.Include)+len(l.Exclude) > 0) {
		return usagef("--sitemap is an import of its own, which the platform makes: of the other flags it takes --source, and no files")
	}
	if o.Sitemap != "" && !isURL(o.Sitemap) {
		return usagef("--sitemap %s: not the address of a page", o.Sitemap)
	}
	for _, at := range append([]string{o.Sitemap}, o.Args...) {
		if u, err := url.Parse(at); isURL(at) && (err != nil || u.Host == "") {
			return usagef("%s: not the address of a page", at)
		}
	}
	for flag, globs := range map[string][]string{"include": o.Load.Include, "exclude": o.Load.Exclude} {
		if err := load.CheckGlobs(globs); err != nil {
			return usagef("--%s: %w", flag, err)
		}
	}
	if p := o.Load.Prefix; p != "" && load.DocID(p+"x") != p+"x" {
		return usagef("--prefix %q: ids begin with a letter or a digit, and have nothing else than letters, digits and . _ ~ : / @ + = , - in them", p)
	}
	o.Load.Metadata, err = parseMeta(o.Meta)
	return err
}

func isURL(arg string) bool {
	return strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://")
}

// parseMeta reads name=value: a number, true and false, and a list in JSON are what they look like, all else is a string.
func parseMeta(pairs []string) (map[string]any, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	meta := map[string]any{}
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, usagef("--meta %s: not name=value", pair)
		}
		meta[name] = value
		var v any
		if json.Unmarshal([]byte(value), &v) == nil {
			switch v.(type) {
			case float64, bool, string, []any:
				meta[name] = v
			}
		}
	}
	return meta, nil
}

// plan is what there is to send, counted but not read.
type plan struct {
	roots   []string // files and folders
	urls    []string
	count   int // documents
	bytes   int64
	skipped int
	failed  []failure // what cannot even be sent
}

// failure is one document that did not become searchable.
type failure struct {
	File    string `json:"file"`
	DocID   string `json:"docId,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	more  int  // so many others, that this one stands for
	whole bool // it is no document but the import that failed
}

// unreadable is the code of files that never left this machine.
const unreadable = "file_unreadable"

func (o *ingestOptions) plan(ctx context.Context) (*plan, error) {
	p := &plan{}
	for _, arg := range o.Args {
		if isURL(arg) {
			p.urls = append(p.urls, arg)
		} else {
			p.roots = append(p.roots, arg)
		}
	}
	files, err := o.Load.Walk(p.roots)
	if err != nil {
		return nil, usageError{err}
	}
	p.count = len(p.urls)
	for f := range files {
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case f.Err != nil:
			p.failed = append(p.failed, failure{File: f.Path, Code: unreadable, Message: f.Err.Error()})
		case f.Skipped != "":
			p.skipped++
		default:
			p.count++
			p.bytes += f.Bytes
		}
	}
	return p, nil
}

// item is one document of a plan.
type item struct {
	name  string // for people
	bytes int64
	read  func() (client.Document, error)
}

// items are the documents of a plan, in order. Nothing is read of one before it is asked for.
func (o *ingestOptions) items(p *plan) iter.Seq[item] {
	return func(yield func(item) bool) {
		for _, at := range p.urls {
			d := client.Document{DocID: load.DocID(o.Load.Prefix + imports.DocID(at)), URL: at, Source: o.Load.Source, Metadata: o.Load.Metadata, ContentType: o.Load.Type}
			if !yield(item{at, int64(len(at)), func() (client.Document, error) { return d, nil }}) {
				return
			}
		}
		files, err := o.Load.Walk(p.roots)
		if err != nil {
			return // the roots are gone, which the count of documents shows
		}
		for f := range files {
			if f.Skipped == "" && f.Err == nil && !yield(item{f.Path, f.Bytes, func() (client.Document, error) { return o.Load.Read(f) }}) {
				return
			}
		}
	}
}

// nothing says that there is nothing to send, and why.
func (o *ingestOptions) nothing(p *plan) error {
	if len(p.failed) > 0 {
		failures(p.failed).draw(o.View.Stderr)
		return fmt.Errorf("%s cannot be read, and there is nothing else", count(len(p.failed), "file"))
	}
	if p.skipped > 0 {
		return fmt.Errorf("there is nothing to ingest: %s left out (--dry-run says why)", count(p.skipped, "file"))
	}
	return fmt.Errorf("there is nothing to ingest")
}

// list shows what would be sent.
func (o *ingestOptions) list(p *plan) error {
	t := newTable("file", "document", "type", column{name: "bytes", right: true})
	line := func(f load.File) error {
		if o.View.JSON {
			return printLine(o.View.Stdout, planned(f))
		}
		switch {
		case f.Err != nil:
			t.add(f.Path, "cannot be read: "+f.Err.Error())
		case f.Skipped != "":
			t.add(f.Path, "left out: "+f.Skipped)
		default:
			t.add(f.Path, f.DocID, f.ContentType, f.Bytes)
		}
		return nil
	}
	for _, at := range append(p.urls, o.Sitemap) {
		if at != "" {
			if err := line(load.File{Path: at, ContentType: "fetched by the platform"}); err != nil {
				return err
			}
		}
	}
	files, err := o.Load.Walk(p.roots)
	if err != nil {
		return err
	}
	for f := range files {
		if err := line(f); err != nil {
			return err
		}
	}
	if o.View.JSON {
		return nil
	}
	t.footer = []any{count(p.count, "document"), fmt.Sprintf("%d left out, %d cannot be read", p.skipped, len(p.failed)), "", p.bytes}
	t.draw(o.View.Stdout)
	return nil
}

// plannedView is one file of a dry run for machines.
type plannedView struct {
	File        string `json:"file"`
	DocID       string `json:"docId,omitempty"`
	ContentType string `json:"contentType,omitempty"`
	Bytes       int64  `json:"bytes"`
	Skipped     string `json:"skipped,omitempty"`
	Error       string `json:"error,omitempty"`
}

func planned(f load.File) plannedView {
	v := plannedView{File: f.Path, DocID: f.DocID, ContentType: f.ContentType, Bytes: f.Bytes, Skipped: f.Skipped}
	if f.Skipped != "" {
		v.DocID = ""
	}
	if f.Err != nil {
		v.Error = f.Err.Error()
	}
	return v
}
