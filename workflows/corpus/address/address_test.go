package address_test

import (
	"net/netip"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/workflows/corpus/address"
)

func check(t *testing.T, r address.Rules, raw string) error {
	t.Helper()
	u, err := address.Parse(raw)
	if err != nil {
		return err
	}
	return r.Check(u)
}

func TestPublicAddresses(t *testing.T) {
	for _, raw := range []string{
		"https://example.com/a?b=c#d", "http://EXAMPLE.com.", "https://example.com:8443/", "http://93.184.216.34/", "https://[2606:2800:220:1::1]/",
		"https://bücher.example.net/ä", "https://xn--bcher-kva.example.net/", "https://1.example.com/", "https://a.b.c.d.e.com", "https://localhost.com/", "https://10.com/", "https://my_site.example.com/", "http://1.2.3.0x/",
	} {
		assert.NoError(t, check(t, address.Rules{}, raw), raw)
	}
}

func TestDeniedAddresses(t *testing.T) {
	for _, raw := range []string{
		"http://localhost/", "http://LOCALHOST./", "http://a.localhost/", "http://printer/", "http://db.internal/", "http://metadata.google.internal/",
		"http://nas.local/", "http://x.svc.cluster.local/", "http://host.localdomain/", "http://site.test/",
		"http://127.0.0.1/", "http://127.0.0.1./", "http://127.1/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/", "http://0177.0.0.1/", "http://017700000001/",
		"http://0/", "http://0.0.0.0/", "http://10.0.0.1/", "http://172.16.9.9/", "http://192.168.1.1/", "http://100.64.1.1/", "http://169.254.169.254/latest/meta-data/",
		"http://0xa9fea9fe/", "http://2852039166/", "http://100.100.100.200/", "http://192.0.0.192/", "http://198.18.0.1/", "http://203.0.113.9/", "http://255.255.255.255/", "http://224.0.0.1/",
		"http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:a9fe:a9fe]/", "http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[fd00:ec2::254]/",
		"http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[2002:7f00:1::]/", "http://[2001:db8::1]/",
		"http://1.2.3.4.5/", "http://1.2.3/x.08", "http://256.1.1.1/", "http://99999999999/", "http://08.1.1.1/",
		"http://①②⑦.⓪.⓪.①/", "http://ⅼocalhost/", "http://example.com:25/", "http://example.com:6379/", "http://a..com/",
	} {
		err := check(t, address.Rules{}, raw)
		if raw == "http://1.2.3/x.08" { // 1.2.0.3 written short, and public
			assert.NoError(t, err)
			continue
		}
		assert.Equal(t, "address_denied", fault.As(err).Code, raw)
	}
}

func TestWhatIsNoAddressOfTheWeb(t *testing.T) {
	for _, raw := range []string{
		"", "example.com", "/etc/passwd", "ftp://example.com/", "file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x", "http://", "http:example.com",
		"http://user:secret@example.com/", "http://user@example.com/", "http://exa mple.com/", "http://example.com/a b", "http://example.com\\@127.0.0.1/", "http://[::1/", "http://example.com:port/", "gopher://x/",
	} {
		_, err := address.Parse(raw)
		assert.Equal(t, "url_invalid", fault.As(err).Code, raw)
		assert.Equal(t, "url", fault.As(err).Field, raw)
	}
	u, err := address.Parse("https://example.com/a#secret")
	require.NoError(t, err)
	assert.Equal(t, "https://example.com/a", u.String())
}

func TestATenantsHosts(t *testing.T) {
	r := address.Rules{Hosts: []string{"docs.example.com", "*.example.org"}}
	for raw, allowed := range map[string]bool{
		"https://docs.example.com/": true, "https://DOCS.example.com./": true, "https://example.com/": false, "https://x.docs.example.com/": false,
		"https://a.example.org/": true, "https://a.b.example.org/": true, "https://example.org/": false, "https://badexample.org/": false, "https://93.184.216.34/": false,
	} {
		assert.Equal(t, allowed, check(t, r, raw) == nil, raw)
	}
}

func TestPrivateNetworks(t *testing.T) {
	r := address.Rules{Private: true}
	for raw, allowed := range map[string]bool{
		"http://127.0.0.1:39217/": true, "http://localhost:39217/": true, "http://10.0.0.1/": true, "http://printer/": true, "http://[::1]:1/": true,
		"http://169.254.169.254/": false, "http://0xa9fea9fe/": false, "http://[::ffff:169.254.169.254]/": false, "http://0.0.0.0/": false, "http://224.0.0.1/": false,
	} {
		assert.Equal(t, allowed, check(t, r, raw) == nil, raw)
	}
	assert.False(t, address.Rules{}.Allows(netip.MustParseAddr("127.0.0.1")))
	assert.True(t, address.Rules{}.Allows(netip.MustParseAddr("1.1.1.1")))
	assert.False(t, r.Allows(netip.Addr{}))
}

func FuzzCheck(f *testing.F) {
	f.Add("http://0x7f.1/")
	f.Add("https://[::ffff:127.0.0.1]:80/")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := address.Parse(raw)
		if err != nil {
			return
		}
		if (address.Rules{}).Check(u) != nil {
			return
		}
		again, err := url.Parse(u.String())
		require.NoError(t, err)
		require.NoError(t, address.Rules{}.Check(again), "what is asked is what was checked")
	})
}
