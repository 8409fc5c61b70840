package imports

import (
	"context"
	"fmt"
	"strings"
	"time"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// What one import brings at most, and how it is listed.
const (
	MaxEntries = 500_000 // of a prefix: so many files
	pageFiles  = 500     // in one step
)

// listing is how far an import has been listed. It is what a step returns.
type listing struct {
	Parts    int          `json:"parts"`
	Entries  int          `json:"entries"`
	Sitemaps []string     `json:"sitemaps,omitempty"` // of an index, to be read
	Cursor   string       `json:"cursor,omitempty"`   // of the rest of a prefix
	Problem  *job.Problem `json:"problem,omitempty"`  // why the rest cannot be had

	Silent *job.Problem  `json:"silent,omitempty"` // why a sitemap was not to be had this time
	After  time.Duration `json:"after,omitempty"`  // when its server wants to be asked again
	Lost   int           `json:"lost,omitempty"`   // so many sitemaps in a row were not to be had at all
	Over   bool          `json:"over,omitempty"`   // the import has ended meanwhile
}

// list makes parts of what the import brings.
func (f *feed) list(ctx context.Context) (listing, error) {
	switch o := f.order.Origin; {
	case o.Batch > 0:
		return listing{Parts: o.Batch, Entries: f.order.Entries}, nil
	case o.Sitemap != "":
		return f.listSitemaps(ctx, o.Sitemap)
	case o.Prefix != "":
		return f.listPrefix(ctx, o.Prefix)
	default:
		return f.write(ctx, "list", listing{}, func(_ context.Context, add adder, _ *listing) error {
			for i, address := range o.URLs {
				if err := add(f.page(i+1, address)); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// adder adds an entry to the parts.
type adder func(Entry) error

// write is a step that goes on with a listing.
func (f *feed) write(ctx context.Context, name string, l listing, list func(ctx context.Context, add adder, l *listing) error) (listing, error) {
	return flow.Insist(ctx, f.run, name, func(ctx context.Context) (listing, error) {
		config, err := f.Directory.Config(ctx, f.scope.Tenant())
		if err != nil {
			return listing{}, err
		}
		f.rules = corpus.RulesOf(config)
		next := l
		w := NewWriter(f.Parts, f.scope, f.id, l.Parts)
		if err := list(ctx, func(e Entry) error { return w.Add(ctx, e) }, &next); err != nil {
			return listing{}, err
		}
		if err := w.Flush(ctx); err != nil {
			return listing{}, err
		}
		next.Parts, next.Entries = w.Parts, l.Entries+w.Entries
		return next, nil
	})
}

// page is the entry of a page of the web.
func (f *feed) page(line int, address string) Entry {
	address, _, _ = strings.Cut(address, "#") // a place in a page is no other page
	if err := CheckAddress("url", address, f.rules); err != nil {
		return Entry{Line: line, Refuse: fault.As(err)}
	}
	return Entry{Line: line, Draft: &corpus.Draft{
		DocID: DocID(address), Fetch: address, ContentType: corpus.OctetStream, About: events.About{URL: address, Source: f.order.Source},
	}}
}

// listPrefix lists the tenant's files below a prefix, a page a step.
func (f *feed) listPrefix(ctx context.Context, prefix string) (l listing, err error) {
	for n := 0; n == 0 || l.Cursor != ""; n++ {
		if l, err = f.write(ctx, fmt.Sprintf("list %d", n), l, func(ctx context.Context, add adder, l *listing) error {
			return f.listPage(ctx, prefix, add, l)
		}); err != nil || l.Problem != nil {
			break
		}
	}
	return l, err
}

func (f *feed) listPage(ctx context.Context, prefix string, add adder, l *listing) error {
	c, err := f.Directory.Config(ctx, f.scope.Tenant())
	if err != nil {
		return err
	}
	files, cursor, err := f.Files.List(ctx, f.scope, prefix, l.Cursor, pageFiles)
	if err != nil {
		return err
	}
	line := l.Entries
	for _, file := range files {
		if strings.HasSuffix(file.Name, "/") {
			continue // what stands for a folder
		}
		line++
		e := Entry{Line: line, File: file.Name, Bytes: file.Bytes, Draft: &corpus.Draft{
			DocID: DocID(file.Name), ContentType: contentType(file), About: events.About{Title: file.Name, Source: f.order.Source},
		}}
		if limit := c.Limits.DocumentBytes; limit > 0 && file.Bytes > limit {
			e = Entry{Line: line, Refuse: fault.Invalidf("", "document_too_large", "%.200s: %d bytes; the limit is %d", file.Name, file.Bytes, limit)}
		}
		if err := add(e); err != nil {
			return err
		}
	}
	if l.Cursor = cursor; cursor != "" && line >= MaxEntries {
		l.Problem = problem(fault.Invalidf("prefix", "import_too_large", "an import takes %d files; those after are left out", line))
	}
	return nil
}
