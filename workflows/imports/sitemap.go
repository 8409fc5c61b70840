package imports

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus/address"
	"levada.dev/workflows/corpus/markup"
)

// What a sitemap may hold: https://www.sitemaps.org/protocol.html.
const (
	MaxSitemapURLs  = 50_000
	MaxSitemapBytes = 50 << 20 // unpacked
)

const (
	maxAddress   = 2048     // how long an address may be
	maxAddresses = 16 << 20 // how long those of a sitemap may be together
)

// sitemap is what one file says: addresses of pages, or of other sitemaps. One that is longer than any address comes cut, and is refused
// like any that is none.
type sitemap struct {
	pages []string
	index []string
	more  bool // than MaxSitemapURLs, or maxAddresses
}

// held is what roots hold.
var held = map[string]string{"urlset": "url", "sitemapindex": "sitemap"}

// readSitemap reads a sitemap or an index of sitemaps, packed by gzip or not. Addresses come as they are; those that are none are for
// the caller to refuse. What is no sitemap is fault.Invalid, code sitemap_invalid.
//
// It may be made to unpack to much more than it shows: nothing is held but the addresses, whatever else is in it and however deep.
func readSitemap(body []byte) (sitemap, error) {
	var r io.Reader = bytes.NewReader(body)
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(r)
		if err != nil {
			return sitemap{}, errSitemap(err, "it is packed, and cannot be unpacked")
		}
		r = unpacked
	}
	left := int64(MaxSitemapBytes)
	s := &siteReader{}
	if err := s.read(markup.NewDecoder(r, &left)); err != nil {
		return sitemap{}, err
	}
	return s.sitemap, nil
}

// siteReader walks the tokens of a sitemap.
type siteReader struct {
	sitemap
	entry string          // what the root holds; empty before it
	depth int             // how many elements are open
	in    bool            // an entry is
	at    int             // the depth of the <loc> that is open; 0 when none is
	loc   strings.Builder // what it says so far
	size  int             // of the addresses, in bytes
}

func (s *siteReader) read(d *markup.Decoder) error {
	for {
		t, err := d.Token()
		switch {
		case errors.Is(err, markup.ErrExpands):
			return errSitemap(err, "it is above 50 MiB, or a part of it above 1 MiB")
		case err == io.EOF && s.entry != "" && s.depth == 0:
			return nil
		case err != nil:
			return errSitemap(err, "it is not XML")
		}
		switch t := t.(type) {
		case xml.StartElement:
			err = s.start(t.Name.Local)
		case xml.EndElement:
			err = s.end()
		case xml.CharData:
			if s.at > 0 && s.loc.Len() <= maxAddress {
				s.loc.Write(t)
			}
		}
		if err != nil || s.more {
			return err
		}
	}
}

func (s *siteReader) start(name string) error {
	if s.entry == "" {
		if s.entry = held[name]; s.entry == "" {
			return errSitemap(nil, "its root is neither urlset nor sitemapindex")
		}
	}
	s.depth++
	switch {
	case s.depth == 2:
		s.in = name == s.entry
	case s.depth == 3 && s.in && name == "loc":
		s.at = s.depth
		s.loc.Reset()
	}
	return nil
}

func (s *siteReader) end() error {
	if s.depth--; s.depth < 0 {
		return errSitemap(nil, "it is not XML")
	}
	if s.depth == s.at-1 {
		s.at = 0
	}
	if s.depth != 1 || !s.in {
		return nil
	}
	s.in = false
	loc := strings.TrimSpace(s.loc.String())
	loc = strings.Clone(loc[:min(len(loc), maxAddress+1)])
	s.loc.Reset()
	if s.size += len(loc); len(s.pages)+len(s.index) == MaxSitemapURLs || s.size > maxAddresses {
		s.more = true
		return nil
	}
	if s.entry == "url" {
		s.pages = append(s.pages, loc)
	} else {
		s.index = append(s.index, loc)
	}
	return nil
}

func errSitemap(cause error, why string) error {
	return fault.New(fault.Invalid, "sitemap_invalid", "what is there is no sitemap: "+why, cause).
		WithHint("see https://www.sitemaps.org/protocol.html")
}

// CheckAddress refuses what is no address of the web, and what the rules do not allow, if there are any.
func CheckAddress(field, raw string, rules *address.Rules) error {
	if len(raw) > maxAddress {
		return fault.Invalidf(field, "url_too_long", "%d bytes; the limit is %d", len(raw), maxAddress)
	}
	u, err := address.Parse(raw)
	if err == nil && rules != nil {
		err = rules.Check(u)
	}
	if err != nil {
		f := *fault.As(err)
		f.Field = field
		if f.Code == "url_invalid" {
			f.Message = fmt.Sprintf("%.200q %s", raw, f.Message)
		}
		return &f
	}
	return nil
}
