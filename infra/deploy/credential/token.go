package credential

import (
	"fmt"
	"io"
	"log/slog"
)

// Token is the secret. However it is printed, logged or encoded, it says whose it is and not what.
type Token struct{ covered }

// Text is a secret of any form and some length, such as a file of secrets. However it is printed, logged or encoded, it says whose it is
// and not what.
type Text struct{ covered }

// covered is a secret behind a function, so that nothing that walks through values by reflection finds it, not even where it cannot call
// a method: fmt calls none of an unexported field.
type covered struct {
	what   string // "token", "text"
	owner  string
	secret func() string
}

func cover(what, owner, secret string) covered {
	return covered{what, owner, func() string { return secret }}
}

// Secret is the secret itself, for the one place that uses it. That of the zero value is empty.
func (c covered) Secret() string {
	if c.secret == nil {
		return ""
	}
	return c.secret()
}

// String implements fmt.Stringer.
func (c covered) String() string { return "[" + c.what + " of " + c.owner + "]" }

// Format implements fmt.Formatter, for every verb.
func (c covered) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (c covered) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue implements slog.LogValuer.
func (c covered) LogValue() slog.Value { return slog.StringValue(c.String()) }
