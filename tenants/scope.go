package tenants

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"levada.dev/events/fault"
)

// Scope is the right to act for one tenant. It is the second parameter of everything that touches data.
// The zero Scope belongs to nobody, and every adapter refuses it.
type Scope struct{ tenant ID }

// Admit makes the scope of an authenticated request. Only the edge calls it, after the key, the host or the
// open door of the tenant's own configuration has let the caller in.
func Admit(c *Config) (Scope, error) {
	if c == nil {
		return Scope{}, ErrNoScope
	}
	return Resume(string(c.ID))
}

// Resume makes the scope again on the far side of a queue, an RPC or a restart, from the tenant that a
// trusted envelope names.
func Resume(tenant string) (Scope, error) {
	id, err := ParseID(tenant)
	if err != nil {
		return Scope{}, err
	}
	return Scope{tenant: id}, nil
}

// ErrNoScope is what an adapter answers to the zero Scope.
var ErrNoScope = fault.New(fault.Internal, "scope_missing", "no tenant in scope", nil)

// Tenant is the tenant's id.
func (s Scope) Tenant() ID { return s.tenant }

// Check fails closed: the zero Scope is an error.
func (s Scope) Check() error {
	if s.tenant == "" {
		return ErrNoScope
	}
	return nil
}

// maxKey is the longest name a Key has: that of a KV key, the shortest of the stores' limits. An R2 key may have
// 1,024 bytes. https://developers.cloudflare.com/kv/platform/limits/, https://developers.cloudflare.com/r2/platform/limits/
const maxKey = 512

// Key is the tenant's name for a stored value: "t/acme/corpus/guide.md". Different elements make different keys,
// and no element reaches out of its place: everything but the unreserved characters of RFC 3986 is
// percent-encoded, and so are "~", "." and ".." alone. What would be longer than 512 bytes ends in "~" and the SHA-256 of
// the whole instead, so a prefix made of short elements still is one. The key of the zero Scope would be
// everybody's, so asking for it panics.
func (s Scope) Key(elem ...string) string {
	s.must()
	var b strings.Builder
	b.WriteString("t/")
	b.WriteString(string(s.tenant))
	for _, e := range elem {
		b.WriteByte('/')
		escape(&b, e)
	}
	return shorten(b.String())
}

// Object is the name of the tenant's Durable Object; elem distinguishes several of one class.
func (s Scope) Object(elem ...string) string { return s.Key(elem...) }

// Namespace is the tenant's vector namespace. Panics for the zero Scope, as an index searched without a
// namespace shows everybody's vectors.
func (s Scope) Namespace() string {
	s.must()
	return string(s.tenant)
}

// Source is the CloudEvents source of what a worker does for the tenant: "/tenants/acme/api".
func (s Scope) Source(worker string) string {
	s.must()
	return "/tenants/" + string(s.tenant) + "/" + worker
}

func (s Scope) must() {
	if err := s.Check(); err != nil {
		panic(err)
	}
}

const hexDigits = "0123456789ABCDEF"

// escape percent-encodes everything but the unreserved characters. "~" is encoded, too: it stands where no element
// can write, for the empty element and before a hash.
func escape(b *strings.Builder, e string) {
	switch e {
	case "":
		b.WriteString("~")
		return
	case ".":
		b.WriteString("%2E")
		return
	case "..":
		b.WriteString("%2E%2E")
		return
	}
	for i := 0; i < len(e); i++ {
		c := e[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
}

// shorten replaces the tail of a key that is too long by a hash of the whole.
func shorten(key string) string {
	if len(key) <= maxKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	tail := "~" + base64.RawURLEncoding.EncodeToString(sum[:])
	return key[:maxKey-len(tail)] + tail
}
