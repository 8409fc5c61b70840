package credential

import (
	"fmt"
	"io"
	"log/slog"
)

// Token is the secret. However it is printed, logged or encoded, it says whose it is and not what.
type Token struct {
	owner string
	value string
}

// Secret is the token itself, for the one place that sends it.
func (t Token) Secret() string { return t.value }

func (t Token) cover() string { return "[token of " + t.owner + "]" }

// String implements fmt.Stringer.
func (t Token) String() string { return t.cover() }

// Format implements fmt.Formatter, for every verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.cover()) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.cover()), nil }

// LogValue implements slog.LogValuer.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.cover()) }
