package imports

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus/address"
)

// What a sitemap may hold: https://www.sitemaps.org/protocol.html.
const (
	MaxSitemapURLs  = 50_000
	MaxSitemapBytes = 50 << 20 // unpacked
)

// maxAddress is how long an address may be.
const maxAddress = 2048

// sitemap is what one file says: addresses of pages, or of other sitemaps.
type sitemap struct {
	pages []string
	index []string
	more  bool // than MaxSitemapURLs
}

// readSitemap reads a sitemap or an index of sitemaps, packed by gzip or not. Addresses come as they are; those that are none are for
// the caller to refuse. What is no sitemap is fault.Invalid, code sitemap_invalid.
func readSitemap(body []byte) (m sitemap, err error) {
	var r io.Reader = bytes.NewReader(body)
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(r); err != nil {
			return m, errSitemap(err, "it is packed, and cannot be unpacked")
		}
	}
	limited := &io.LimitedReader{R: r, N: MaxSitemapBytes + 1}
	d := xml.NewDecoder(bufio.NewReader(limited))
	root, err := rootOf(d)
	if err != nil {
		return m, err
	}
	entry := map[string]string{"urlset": "url", "sitemapindex": "sitemap"}[root]
	if entry == "" {
		return m, errSitemap(nil, "its root is neither urlset nor sitemapindex")
	}
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, io.EOF):
			return m, nil
		case limited.N <= 0:
			return m, errSitemap(nil, "it is above 50 MiB")
		case err != nil:
			return m, errSitemap(err, "it is not XML")
		}
		start, ok := t.(xml.StartElement)
		if !ok || start.Name.Local != entry {
			continue
		}
		var of struct {
			Loc string `xml:"loc"`
		}
		if err := d.DecodeElement(&of, &start); err != nil {
			return m, errSitemap(err, "it is not XML")
		}
		if len(m.pages)+len(m.index) == MaxSitemapURLs {
			m.more = true
			return m, nil
		}
		if loc := strings.TrimSpace(of.Loc); root == "urlset" {
			m.pages = append(m.pages, loc)
		} else {
			m.index = append(m.index, loc)
		}
	}
}

// rootOf reads up to the first element.
func rootOf(d *xml.Decoder) (string, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return "", errSitemap(err, "it is not XML")
		}
		if start, ok := t.(xml.StartElement); ok {
			return start.Name.Local, nil
		}
	}
}

func errSitemap(cause error, why string) error {
	return fault.New(fault.Invalid, "sitemap_invalid", "what is there is no sitemap: "+why, cause).
		WithHint("see https://www.sitemaps.org/protocol.html")
}

// CheckAddress refuses what is no address of the web.
func CheckAddress(field, raw string) error {
	if len(raw) > maxAddress {
		return fault.Invalidf(field, "url_too_long", "%d bytes; the limit is %d", len(raw), maxAddress)
	}
	if _, err := address.Parse(raw); err != nil {
		f := *fault.As(err)
		f.Field = field
		return &f
	}
	return nil
}
