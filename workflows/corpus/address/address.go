package address

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"levada.dev/events/fault"
)

// Rules are a tenant's: tenants.Fetch.
type Rules struct {
	Hosts   []string // "docs.example.com", "*.example.com"; empty: any public host
	Private bool     // also private networks and this machine
}

// ports are those that pages are served on, beside the schemes' own. Others are mail servers and the like, which a request
// might be made to speak to.
var ports = []string{"", "80", "443", "8000", "8080", "8443"}

// Parse reads an address of the web. Mistakes are fault.Invalid, code url_invalid.
func Parse(raw string) (*url.URL, error) {
	invalid := func(why string) error {
		return fault.Invalidf("url", "url_invalid", "%s", why).WithHint("give an address such as https://example.com/guide.html")
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return nil, invalid("is not an address")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, invalid("is not an http or https address")
	case u.User != nil:
		return nil, invalid("has a user name in it")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, invalid("names no host")
	case strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }):
		return nil, invalid("has a character that no address has")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// Check refuses an address that the rules do not allow: fault.Invalid, code address_denied.
func (r Rules) Check(u *url.URL) error {
	denied := func(format string, args ...any) error {
		return fault.Invalidf("url", "address_denied", format, args...).
			WithHint("documents are fetched from public hosts, and from those only that the tenant's configuration names, if it does (ingest.fetch.hosts)")
	}
	host, err := Host(u) // which is told as an address: none is logged
	if err != nil {
		return denied("%.100q has no name of a host", u.Scheme+"://"+u.Hostname())
	}
	if !r.Private && !slices.Contains(ports, u.Port()) {
		return denied("port %s is not one of the web", u.Port())
	}
	ip, numeric := number(host)
	switch {
	case numeric && !r.Allows(ip):
		return denied("%s is not a public address", ip)
	case !numeric && !r.Private && internal(host):
		return denied("%.100q is not a public host", u.Scheme+"://"+host)
	case !r.named(host):
		return denied("%.100q is not one of the hosts that documents may be fetched from", u.Scheme+"://"+host)
	}
	return nil
}

// Host is the name of an address's host in its one form: lower case, in ASCII, without a dot at the end.
func Host(u *url.URL) (string, error) {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(host, ":") { // IPv6; a zone names a link of this machine
		ip, err := netip.ParseAddr(host)
		if err != nil || ip.Zone() != "" {
			return "", fault.Invalidf("url", "url_invalid", "is not the name of a host")
		}
		return ip.String(), nil
	}
	host, err := hosts.ToASCII(host)
	if err != nil {
		return "", err
	}
	if strings.ContainsFunc(host, func(r rune) bool { return !strings.ContainsRune(hostCharacters, r) }) {
		return "", fault.Invalidf("url", "url_invalid", "is not the name of a host")
	}
	return strings.TrimSuffix(host, "."), nil
}

// hosts maps names as browsers do; underscores are not of hosts, but some have them.
var hosts = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(false), idna.VerifyDNSLength(true))

const hostCharacters = "abcdefghijklmnopqrstuvwxyz0123456789-_."

// named reports whether a host is one that the tenant named, if it named any.
func (r Rules) named(host string) bool {
	return len(r.Hosts) == 0 || slices.ContainsFunc(r.Hosts, func(pattern string) bool {
		below, open := strings.CutPrefix(pattern, "*.")
		return host == pattern || open && strings.HasSuffix(host, "."+below)
	})
}

// internal reports whether a name is one that only a private network resolves: it has no dot, or ends as such names do.
// https://www.iana.org/assignments/special-use-domain-names/
func internal(host string) bool {
	if !strings.Contains(host, ".") {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch last {
	case "localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "test", "example", "invalid", "onion", "alt", "arpa":
		return true
	}
	return strings.HasSuffix(host, ".localdomain") || strings.HasSuffix(host, ".cluster.local")
}

// Allows reports whether a number may be fetched from.
func (r Rules) Allows(ip netip.Addr) bool {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || metadata(ip) {
		return false
	}
	return r.Private || public(ip)
}

// metadata reports whether an address is a cloud's metadata service, which gives credentials to whoever asks.
func metadata(ip netip.Addr) bool {
	return ip.IsLinkLocalUnicast() || ip == netip.MustParseAddr("fd00:ec2::254") || ip == netip.MustParseAddr("100.100.100.200") || ip == netip.MustParseAddr("192.0.0.192")
}

// special are the networks that are not of the public internet, from IANA's registries of special-purpose addresses, and
// those whose addresses have an IPv4 address in them.
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
	"203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	"3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(all ...string) (ps []netip.Prefix) {
	for _, s := range all {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func public(ip netip.Addr) bool {
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// number reads a host that is a number, in every notation that some resolver takes: 127.0.0.1, 127.1, 2130706433,
// 0x7f000001, 0177.0.0.1. A host whose last label is a number is one, or no host at all (WHATWG URL, "ends in a number").
func number(host string) (ip netip.Addr, numeric bool) {
	if strings.Contains(host, ":") {
		ip, err := netip.ParseAddr(host)
		return ip, err == nil
	}
	parts := strings.Split(host, ".")
	if _, ok := digits(parts[len(parts)-1]); !ok {
		return netip.Addr{}, false
	}
	if len(parts) > 4 {
		return netip.Addr{}, true
	}
	var all uint64
	for i, p := range parts {
		n, ok := digits(p)
		last := i == len(parts)-1
		switch {
		case !ok || !last && n > 255:
			return netip.Addr{}, true
		case last && n >= 1<<(8*(4-i)):
			return netip.Addr{}, true
		case last:
			all = all<<(8*(4-i)) | n
		default:
			all = all<<8 | n
		}
	}
	return netip.AddrFrom4([4]byte{byte(all >> 24), byte(all >> 16), byte(all >> 8), byte(all)}), true
}

func digits(s string) (uint64, bool) {
	base := 10
	switch {
	case strings.HasPrefix(s, "0x"):
		s, base = s[2:], 16
		if s == "" {
			return 0, true
		}
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	if n, err := strconv.ParseUint(s, base, 64); err == nil {
		return n, true
	}
	if s == "" {
		return 0, false
	}
	allDigits := !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	return 1 << 40, allDigits // 08 is no octal, and too long is too large: a number, but none of a host
}
