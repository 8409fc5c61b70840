package tenants

import (
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

// Key is the tenant's name for a stored value: "t/acme/corpus/guide.md". An element may hold any text; what could
// be taken for a separator or a traversal is escaped, so no element reaches into a neighbour's prefix.
func (s Scope) Key(elem ...string) string {
	var b strings.Builder
	b.WriteString("t/")
	b.WriteString(string(s.tenant))
	for _, e := range elem {
		b.WriteByte('/')
		escape(&b, e)
	}
	return b.String()
}

// Object is the name of the tenant's Durable Object; elem distinguishes several of one class.
func (s Scope) Object(elem ...string) string { return s.Key(elem...) }

// Namespace is the tenant's vector namespace.
func (s Scope) Namespace() string { return string(s.tenant) }

// Source is the CloudEvents source of what a worker does for the tenant: "/tenants/acme/api".
func (s Scope) Source(worker string) string { return "/tenants/" + string(s.tenant) + "/" + worker }

const hexDigits = "0123456789ABCDEF"

// escape percent-encodes everything but the unreserved characters of RFC 3986; a lone "." or ".." is encoded, too.
func escape(b *strings.Builder, e string) {
	if e == "." || e == ".." || e == "" {
		b.WriteString(map[string]string{"": "%", ".": "%2E", "..": "%2E%2E"}[e])
		return
	}
	for i := 0; i < len(e); i++ {
		c := e[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
}
