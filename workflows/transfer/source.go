package transfer

import (
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus/address"
)

// Address checks the address of a pool's API and returns it without a slash at its end. What goes there has a key with it, so it is https, but where the
// rules open private networks, which they do in no production.
func Address(raw string, rules address.Rules) (string, error) {
	field := func(err error) error {
		f := *fault.As(err)
		f.Field = "from"
		return f.WithHint("the address of the source's API, such as https://api.example.com")
	}
	u, err := address.Parse(raw)
	if err != nil {
		return "", field(err)
	}
	if err := rules.Check(u); err != nil {
		return "", field(err)
	}
	switch {
	case u.Scheme != "https" && !rules.Private:
		return "", field(fault.Invalidf("from", "url_invalid", "is not an https address"))
	case u.RawQuery != "":
		return "", field(fault.Invalidf("from", "url_invalid", "has a query"))
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// SealedFor is what the key of a source is sealed for: this tenant, and that address.
func SealedFor(s tenants.Scope, from string) []string {
	return []string{"transfer", string(s.Tenant()), from}
}
