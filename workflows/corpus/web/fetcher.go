package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/corpus/address"
)

// Limits of a fetch.
const (
	MaxRedirects = 5
	MaxTime      = 20 * time.Second // for the whole document, redirects included
	UserAgent    = "Levada (+https://levada.dev)"
)

// accepted is what the Accept header asks for: what the text can be taken out of, documents made for reading before data.
const accepted = "text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, application/pdf;q=0.9, text/plain;q=0.8, application/json;q=0.7, text/csv;q=0.7, */*;q=0.5"

// Do sends one request and follows no redirect: isolate.Do on Workers, a http.Client's Do elsewhere.
type Do func(*http.Request) (*http.Response, error)

// Fetcher implements corpus.Fetcher.
type Fetcher struct {
	do     Do
	config func(ctx context.Context, tenant tenants.ID) (*tenants.Config, error)
	now    func() time.Time
	opts   Options
}

// Options tunes a Fetcher.
type Options struct {
	// Private lets the tenants' configs open private networks. Without it they stay closed, whatever a config says.
	Private bool
}

var _ corpus.Fetcher = (*Fetcher)(nil)

// New makes a fetcher that sends with do, by the rules of the tenant's config. The options may be nil.
func New(do Do, config func(ctx context.Context, tenant tenants.ID) (*tenants.Config, error), now func() time.Time, o *Options) *Fetcher {
	f := &Fetcher{do: do, config: config, now: now}
	if o != nil {
		f.opts = *o
	}
	return f
}

// Fetch implements corpus.Fetcher.
func (f *Fetcher) Fetch(ctx context.Context, s tenants.Scope, raw string, o corpus.FetchOptions) (corpus.Fetched, error) {
	if err := s.Check(); err != nil {
		return corpus.Fetched{}, err
	}
	config, err := f.config(ctx, s.Tenant())
	if err != nil {
		return corpus.Fetched{}, err
	}
	if o.Limit == 0 {
		o.Limit = config.Limits.DocumentBytes
	}
	u, err := address.Parse(raw)
	if err != nil {
		return corpus.Fetched{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, MaxTime)
	defer cancel()
	rules := address.Rules{Hosts: config.Ingest.Fetch.Hosts, Private: f.opts.Private && config.Ingest.Fetch.Private}
	for range MaxRedirects + 1 {
		if err := rules.Check(u); err != nil {
			return corpus.Fetched{}, err
		}
		got, next, err := f.one(ctx, u, o)
		if err != nil || next == nil {
			return got, err
		}
		u = next
	}
	return corpus.Fetched{}, refused("the address redirects more than %d times", MaxRedirects)
}

// one asks one address. It returns what is there, or where to ask instead.
func (f *Fetcher) one(ctx context.Context, u *url.URL, o corpus.FetchOptions) (got corpus.Fetched, next *url.URL, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return got, nil, fault.New(fault.Invalid, "url_invalid", "is not an address", err)
	}
	req.Header.Set("User-Agent", UserAgent)
	req.Header.Set("Accept", accepted)
	if o.ETag != "" {
		req.Header.Set("If-None-Match", o.ETag)
	}
	if !o.Modified.IsZero() {
		req.Header.Set("If-Modified-Since", o.Modified.UTC().Format(http.TimeFormat))
	}
	ctx, span := watch.Start(ctx, trace.Outside, "document")
	defer func() { span.End(ctx, err) }()
	resp, err := f.answer(req, o.Patience)
	if err != nil {
		return got, nil, failed(err)
	}
	defer resp.Body.Close()
	span.Note(func(f *trace.Facts) { f.Status = resp.StatusCode })
	switch resp.StatusCode {
	case http.StatusOK:
		got, err = f.body(ctx, resp, u, o)
		return got, nil, err
	case http.StatusNotModified:
		return corpus.Fetched{Unchanged: true, URL: u.String()}, nil, nil
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err = Location(u, resp.Header.Get("Location"))
		return got, next, err
	}
	return got, nil, f.status(resp)
}

// answer sends a request, and gives up when no answer has begun in time.
func (f *Fetcher) answer(req *http.Request, patience time.Duration) (*http.Response, error) {
	if patience <= 0 || patience >= MaxTime {
		return f.do(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context()) // ends with the request's own context
	silent := time.AfterFunc(patience, func() {
		cancel(fault.Unavailablef(nil, "fetch_failed", "the server did not answer within %d seconds", int(patience.Seconds())))
	})
	defer silent.Stop()
	resp, err := f.do(req.WithContext(ctx))
	if err != nil && context.Cause(ctx) != nil {
		err = context.Cause(ctx)
	}
	return resp, err
}

// Location is where a redirect leads; it is to be checked like any other address before it is asked. It does not lead out of TLS: who asked for
// https is not to get what somebody else wrote.
func Location(from *url.URL, to string) (*url.URL, error) {
	u, err := from.Parse(to)
	if to == "" || err != nil {
		return nil, refused("the server redirects to no address")
	}
	if from.Scheme == "https" && u.Scheme == "http" {
		return nil, fault.Invalidf("url", "fetch_downgraded", "%.200s redirects from https to http, where anybody on the way may write the document", from.Redacted()).
			WithHint("submit the https address of the document itself, or the http one if it is to be had in no other way")
	}
	u.User = nil
	return address.Parse(u.String())
}

// body reads a document, up to the limit.
func (f *Fetcher) body(ctx context.Context, resp *http.Response, u *url.URL, o corpus.FetchOptions) (corpus.Fetched, error) {
	tooLarge := fault.Invalidf("url", "fetch_too_large", "the document is longer than %d bytes", o.Limit)
	if resp.ContentLength > o.Limit {
		return corpus.Fetched{}, tooLarge
	}
	b, err := read(ctx, resp, o)
	if err != nil {
		return corpus.Fetched{}, failed(err)
	}
	if int64(len(b)) > o.Limit {
		return corpus.Fetched{}, tooLarge
	}
	got := corpus.Fetched{Body: b, ContentType: contentType(resp.Header.Get("Content-Type"), u), ETag: etag(resp.Header.Get("ETag")), URL: u.String()}
	if t, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil {
		got.Modified = t
	}
	return got, nil
}

// read reads a byte more than the limit, if there is one, and waits for room before it reads much.
func read(ctx context.Context, resp *http.Response, o corpus.FetchOptions) ([]byte, error) {
	var b bytes.Buffer
	if resp.ContentLength <= corpus.LargeFetch {
		b.Grow(int(max(0, resp.ContentLength)) + bytes.MinRead)
		n, err := b.ReadFrom(io.LimitReader(resp.Body, min(corpus.LargeFetch, o.Limit+1)))
		if err != nil || n < corpus.LargeFetch {
			return b.Bytes(), err
		}
	}
	most := resp.ContentLength
	if most < int64(b.Len()) || resp.Header.Get("Content-Encoding") != "" { // nothing was said, or of something packed
		most = o.Limit + 1
	}
	if o.Large != nil {
		if err := o.Large(ctx, most); err != nil {
			return nil, err
		}
	}
	b.Grow(int(most) - b.Len() + bytes.MinRead) // what grows by doubling is in memory three times
	_, err := b.ReadFrom(io.LimitReader(resp.Body, o.Limit+1-int64(b.Len())))
	return b.Bytes(), err
}

// etag is a validator as it came, unless it is longer than anything sensible.
func etag(s string) string {
	if len(s) > 256 {
		return ""
	}
	return s
}

// contentType is what a server says a document is. One that says nothing, or only that it is text, of a file whose name says
// more, is taken at the file's name: raw files are served so.
func contentType(header string, u *url.URL) string {
	media, params, err := mime.ParseMediaType(header)
	if err != nil || media == "binary/octet-stream" || media == "application/unknown" {
		media, params = corpus.OctetStream, nil
	}
	if media == "text/plain" || media == corpus.OctetStream {
		switch strings.ToLower(path.Ext(u.Path)) {
		case ".md", ".markdown":
			media = "text/markdown"
		case ".csv":
			media = "text/csv"
		case ".tsv":
			media = "text/tab-separated-values"
		}
	}
	kept := map[string]string{}
	if c := params["charset"]; c != "" && len(c) <= 40 {
		kept["charset"] = strings.ToLower(c)
	}
	if s := mime.FormatMediaType(media, kept); s != "" && len(s) <= 200 {
		return s
	}
	return corpus.OctetStream
}

// status is what an answer without a document means: for good, or to be tried again.
func (f *Fetcher) status(resp *http.Response) error {
	code := resp.StatusCode
	switch {
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code == http.StatusTooEarly || code >= 500:
		err := fault.Unavailablef(nil, "fetch_failed", "the server answered %d", code)
		return err.WithRetryAfter(RetryAfter(resp.Header.Get("Retry-After"), f.now()))
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return refused("the server answered %d: it shows the document to some only", code)
	}
	return refused("the server answered %d", code)
}

// maxRetryAfter is how long a server may have us wait. A document would be taken for stuck after more.
const maxRetryAfter = 10 * time.Minute

// RetryAfter is how long a server wants to be left alone, by its header of that name; not longer than ten minutes.
func RetryAfter(header string, now time.Time) time.Duration {
	return Wait(header, now, maxRetryAfter)
}

// Wait is RetryAfter with another bound.
func Wait(header string, now time.Time, most time.Duration) time.Duration {
	var d time.Duration
	if seconds, err := strconv.Atoi(header); err == nil {
		d = time.Duration(min(seconds, 86_400)) * time.Second
	} else if t, err := http.ParseTime(header); err == nil {
		d = t.Sub(now)
	}
	return min(max(d, 0), most)
}

func refused(format string, args ...any) error {
	return fault.Invalidf("url", "fetch_refused", format, args...).WithHint("check the address in a browser that is not signed in")
}

// failed is an error of the way to a server. A fault, such as an address that the adapter does not allow, stays what it is.
func failed(err error) error {
	if f := new(fault.Error); errors.As(err, &f) {
		return err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Unavailablef(err, "fetch_failed", "the server did not send the document within %d seconds", int(MaxTime.Seconds()))
	}
	return fault.Unavailablef(fmt.Errorf("fetch: %w", err), "fetch_failed", "the server did not answer")
}
