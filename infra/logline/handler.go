package logline

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"levada.dev/events/trace"
	"levada.dev/workflows/safety/redact"
)

// Handler is a slog.Handler. What it cannot write itself (groups, values of any type, texts to be escaped) it leaves to a
// slog.JSONHandler on the same writer. Safe for concurrent use, if the writer takes one line in each Write.
type Handler struct {
	w    io.Writer
	rest slog.Handler
}

var _ slog.Handler = (*Handler)(nil)

// New writes to w what a slog.JSONHandler without options would, but for personal data and keys (package redact), and addresses, in messages and values: their
// kinds stand in their place.
func New(w io.Writer) *Handler {
	return &Handler{w, slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if !isID(a) {
			a.Value = clean(a.Value)
		}
		return a
	}})}
}

// isID reports whether an attribute is the id of a trace or a span, which is random: one in some ten thousand spans has that of a card, by its digits.
func isID(a slog.Attr) bool {
	if a.Key != "spanId" && a.Key != "parentSpanId" && a.Key != "traceId" || a.Value.Kind() != slog.KindString {
		return false
	}
	id := a.Value.String()
	return trace.IsID(id, 16) || trace.IsID(id, 32)
}

// clean is a value without personal data. One that is no text is looked at as the JSON it becomes.
func clean(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(shown(v.String()))
	case slog.KindAny:
		if err, ok := v.Any().(error); ok {
			return slog.StringValue(shown(err.Error()))
		}
		if b, err := json.Marshal(v.Any()); err == nil {
			if text := shown(string(b)); text != string(b) {
				return slog.StringValue(text)
			}
		}
	}
	return v
}

// shown is what of a text may be in the log.
func shown(s string) string {
	s, _ = redact.Text(s)
	for from := 0; ; {
		at := strings.Index(s[from:], "://")
		if at < 0 {
			return s
		}
		at += from
		start, end := at, at+len("://")
		for start > 0 && strings.IndexByte(schemes, s[start-1]) >= 0 {
			start--
		}
		if start == at { // of nothing
			from = end
			continue
		}
		for end < len(s) && s[end] > ' ' { // whatever an address is quoted in: rather more than less
			end++
		}
		end = start + len(strings.TrimRight(s[start:end], `.,:;)]}"'\`))
		s = s[:start] + address + s[end:]
		from = start + len(address)
	}
}

const (
	// address stands for one: also the id of a document has it, where an import took it from there.
	address = "[URL]"
	schemes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-."
)

// Enabled implements slog.Handler.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.rest.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler { return h.rest.WithAttrs(attrs) }

// WithGroup implements slog.Handler.
func (h *Handler) WithGroup(name string) slog.Handler { return h.rest.WithGroup(name) }

// Handle implements slog.Handler.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	p := buffers.Get().(*[]byte)
	defer buffers.Put(p)
	b, ok := appendRecord((*p)[:0], r)
	*p = b
	if !ok {
		return h.rest.Handle(ctx, r)
	}
	_, err := h.w.Write(b)
	return err
}

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, 512)
	return &b
}}

// appendRecord reports false when the record has something that is not for it.
func appendRecord(b []byte, r slog.Record) ([]byte, bool) {
	b, plain := append(b, '{'), true
	if !r.Time.IsZero() {
		b, plain = appendTime(append(b, `"time":`...), r.Time)
		b = append(b, ',')
	}
	b = append(append(b, `"level":"`...), r.Level.String()...)
	b, ok := appendText(append(b, `","msg":`...), shown(r.Message))
	plain = plain && ok
	if plain {
		r.Attrs(func(a slog.Attr) bool {
			b, plain = appendAttr(append(b, ','), a)
			return plain
		})
	}
	return append(b, "}\n"...), plain
}

func appendAttr(b []byte, a slog.Attr) ([]byte, bool) {
	b, ok := appendText(b, a.Key)
	if b = append(b, ':'); !ok || a.Key == "" {
		return b, false
	}
	switch a.Value.Kind() {
	case slog.KindString:
		text := a.Value.String()
		if !isID(a) {
			text = shown(text)
		}
		return appendText(b, text)
	case slog.KindInt64:
		return strconv.AppendInt(b, a.Value.Int64(), 10), true
	case slog.KindFloat64:
		f := a.Value.Float64()
		size := math.Abs(f) // others have an exponent, or are no numbers of JSON
		return strconv.AppendFloat(b, f, 'f', -1, 64), f == 0 || size >= 1e-6 && size < 1e21
	case slog.KindBool:
		return strconv.AppendBool(b, a.Value.Bool()), true
	}
	return b, false
}

// appendTime is the time as RFC 3339 has it, which knows years of four digits.
func appendTime(b []byte, t time.Time) ([]byte, bool) {
	year := t.Year()
	b = t.AppendFormat(append(b, '"'), time.RFC3339Nano)
	return append(b, '"'), year >= 0 && year < 10_000
}

// appendText writes a text of which no byte must be escaped.
func appendText(b []byte, s string) ([]byte, bool) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return b, false
		}
	}
	return append(append(append(b, '"'), s...), '"'), true
}
