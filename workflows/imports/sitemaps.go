package imports

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/job"
)

// What the sitemaps of one import are.
const (
	maxSitemaps      = 400       // of an index
	maxSitemapsBytes = 128 << 10 // of their addresses, which a step returns: as JSON in JSON at most seven times as many
	// MaxSitemapFile is how long the file of a sitemap may be, which may be packed.
	MaxSitemapFile = MaxSitemapBytes / 5
)

// pauses are after how long a sitemap is asked for again whose server did not answer, or said that it cannot now; it may ask for more. Each time is
// one of at most 20 seconds (web.MaxTime). That is not what is done for our own stores (flow.Insist): somebody waits for the import, and it is to
// say before long that there is nothing to be had. A source that is synced asks again anyway when its time comes.
var pauses = [...]time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute}

const (
	maxAgain = 6 // so often in all, of one import
	maxLost  = 5 // sitemaps of an index in a row: after that the others are left out
)

// listSitemaps lists a sitemap, or those of an index one by one. A sitemap of an index that cannot be had is one refused entry.
func (f *feed) listSitemaps(ctx context.Context, address string) (listing, error) {
	l, err := f.listOne(ctx, "list", address, 0, listing{})
	children := l.Sitemaps
	l.Sitemaps = nil // so that not every step returns them
	for n, child := range children {
		if err != nil || l.Problem != nil || l.Over {
			break
		}
		l, err = f.listOne(ctx, fmt.Sprintf("list %d", n), child, 1, l)
	}
	return l, err
}

// listOne goes on with a listing by one sitemap. While its server does not answer the job says so, and it is asked again.
func (f *feed) listOne(ctx context.Context, name, address string, depth int, l listing) (listing, error) {
	for try := 0; ; try++ {
		step := name
		if try > 0 {
			step = fmt.Sprintf("%s: try %d", name, try)
		}
		last := try == len(pauses) || f.again == maxAgain
		next, err := f.write(ctx, step, l, func(ctx context.Context, add adder, l *listing) error {
			return l.heard(f.listSitemap(ctx, address, depth, add, l), depth, last, add)
		})
		if err != nil || next.Silent == nil {
			return next, err
		}
		f.again++
		pause := max(pauses[try], next.After)
		if over, err := f.note(ctx, step+": note", *next.Silent, pause); err != nil || over {
			l.Over = over
			return l, err
		}
		if err := f.run.Sleep(ctx, step+": pause", pause); err != nil {
			return l, err
		}
	}
}

// heard takes what came of asking for a sitemap into the listing. What is returned is for the engine to try again, or ends the import.
func (l *listing) heard(err error, depth int, last bool, add adder) error {
	was := l.Lost
	l.Lost = 0
	switch {
	case err == nil:
		return nil
	case fault.As(err).Code == "fetch_failed" && !last:
		l.Silent, l.After, l.Lost = problem(err), fault.As(err).RetryAfter, was
		return nil
	case fault.As(err).Code != "fetch_failed" && fault.Retryable(err):
		return err
	case depth == 0:
		l.Problem = problem(err)
		return nil
	case fault.As(err).Code == "fetch_failed":
		if l.Lost = was + 1; l.Lost == maxLost {
			l.Problem = problem(fault.Invalidf("sitemap", "fetch_failed", "%d sitemaps in a row were not to be had; those after are left out", maxLost))
		}
	}
	return add(Entry{Line: l.Entries + 1, Refuse: fault.As(err)})
}

// note has the job say why it waits, and reports whether it has ended meanwhile.
func (f *feed) note(ctx context.Context, step string, p job.Problem, pause time.Duration) (over bool, err error) {
	p.Message = fmt.Sprintf("%s; it is asked again after %s", p.Message, pause)
	return flow.Insist(ctx, f.run, step, func(ctx context.Context) (bool, error) {
		j, err := f.Ledger.NoteImport(ctx, f.scope, f.id, p)
		return j.State.Final(), err
	})
}

func (f *feed) listSitemap(ctx context.Context, address string, depth int, add adder, l *listing) error {
	m, err := f.sitemap(ctx, address, depth)
	if err != nil {
		return about(address, err)
	}
	if depth == 0 {
		l.Sitemaps = someOf(m.index)
		m.more = m.more || len(l.Sitemaps) < len(m.index)
	}
	for i, page := range m.pages {
		if l.Entries+i == MaxSitemapURLs {
			m.more = true
			break
		}
		if err := add(f.page(l.Entries+i+1, page)); err != nil {
			return err
		}
	}
	if m.more {
		l.Problem = problem(fault.Invalidf("sitemap", "import_too_large", "an import takes %d addresses of %d sitemaps; those after are left out", MaxSitemapURLs, maxSitemaps))
	}
	return nil
}

// sitemap gets and reads a sitemap. A long one is in memory alone.
func (f *feed) sitemap(ctx context.Context, address string, depth int) (sitemap, error) {
	if err := CheckAddress("sitemap", address, f.rules); err != nil {
		return sitemap{}, err
	}
	taken := false
	got, err := f.Fetcher.Fetch(ctx, f.scope, address, corpus.FetchOptions{Limit: MaxSitemapFile, Large: func(ctx context.Context, _ int64) error {
		if err := f.room.Acquire(ctx, maxFiles); err != nil {
			return fault.Unavailablef(err, "memory_busy", "there was no room for the sitemap")
		}
		taken = true
		return nil
	}})
	if taken {
		defer f.room.Release(maxFiles)
	}
	if err != nil {
		if fault.As(err).Code == "fetch_too_large" {
			err = fault.Invalidf("sitemap", "fetch_too_large", "it is longer than %d MiB: pack it with gzip, or divide it and name the parts in an index", MaxSitemapFile>>20)
		}
		return sitemap{}, err
	}
	m, err := readSitemap(got.Body)
	if err == nil && len(m.index) > 0 && depth > 0 {
		err = fault.Invalidf("", "sitemap_invalid", "an index of sitemaps in an index of sitemaps")
	}
	return m, err
}

// someOf is as many sitemaps of an index as a step may return.
func someOf(index []string) []string {
	size := 0
	for i, address := range index {
		if size += len(address); i == maxSitemaps || size > maxSitemapsBytes {
			return index[:i]
		}
	}
	return index
}

// about is a failure with the sitemap that it is about.
func about(address string, err error) error {
	f := *fault.As(err)
	f.Field = "sitemap"
	if f.Code != "url_invalid" { // which quotes it
		f.Message = fmt.Sprintf("%.200s: %s", address, f.Message)
	}
	return &f
}
