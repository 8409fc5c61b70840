package logline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/logline"
	"levada.dev/workflows/safety/redact"
)

// at has a fraction of a second and another zone than UTC.
var at = time.Date(2026, 11, 22, 9, 30, 1, 120_000_000, time.FixedZone("", 3600))

// both is a record as this handler writes it, and as slog's does.
func both(at time.Time, level slog.Level, message string, attrs ...slog.Attr) (ours, theirs string) {
	r := slog.NewRecord(at, level, message, 0)
	r.AddAttrs(attrs...)
	var a, b bytes.Buffer
	_ = logline.New(&a).Handle(context.Background(), r)
	_ = slog.NewJSONHandler(&b, nil).Handle(context.Background(), r)
	return a.String(), b.String()
}

func TestLinesAreThoseOfSlog(t *testing.T) {
	for _, attrs := range [][]slog.Attr{
		nil,
		{slog.String("a", "b"), slog.Int("n", -7), slog.Float64("f", 0.125), slog.Bool("ok", true)},
		{slog.String("quote", `"\`), slog.String("line", "a\nb"), slog.String("far", "日本 \xff\u2028")},
		{slog.String("", "no name")}, {{}}, {slog.String("html", "<&>")}, {slog.String("na\"me", "")},
		{slog.Float64("f", 1e-7), slog.Float64("g", 1e21), slog.Float64("z", math.Copysign(0, -1))}, {slog.Float64("f", math.NaN())}, {slog.Float64("f", math.Inf(-1))},
		{slog.Duration("d", time.Second), slog.Time("t", at), slog.Any("err", errors.New("no"))}, {slog.Any("any", map[string]int{"a": 1})},
		{slog.Group("g", slog.Int("a", 1)), slog.Int("after", 2)}, {slog.Uint64("u", 1)}, {slog.Any("nil", nil)},
		{slog.Int("1", 1), slog.Int("2", 2), slog.Int("3", 3), slog.Int("4", 4), slog.Int("5", 5), slog.Int("6", 6), slog.Int("7", 7)},
	} {
		for _, when := range []time.Time{at, {}, time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)} {
			ours, theirs := both(when, slog.LevelWarn+1, "request", attrs...)
			assert.Equal(t, theirs, ours)
		}
	}
	ours, theirs := both(at, slog.LevelInfo, "two\nlines")
	assert.Equal(t, theirs, ours)
}

func TestDerivedLoggers(t *testing.T) {
	var a, b bytes.Buffer
	for h, out := range map[slog.Handler]*bytes.Buffer{logline.New(&a): &a, slog.NewJSONHandler(&b, nil): &b} {
		l := slog.New(h).With("a", 1).WithGroup("g")
		l.Handler().Handle(context.Background(), slog.NewRecord(at, slog.LevelInfo, "m", 0))
		slog.New(h).Debug("not said")
		assert.NotEmpty(t, out.String())
	}
	assert.Equal(t, b.String(), a.String())
}

// Wherever something personal stands that is logged, it is not written.
func TestCanaries(t *testing.T) {
	canaries := []string{"ada@canary.example", "+41 71 526 99 04", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "203.0.113.77",
		"lv_acme_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "529.982.247-25"}
	for _, c := range canaries {
		var out bytes.Buffer
		log := slog.New(logline.New(&out))
		said := "it failed for " + c + " again"
		log.Info(said, "text", said, "quoted", "\"\n"+said)
		log.Error("any", "error", errors.New(said), "map", map[string]string{"a": said}, "list", []string{said}, slog.Group("g", slog.String("deep", said)))
		log.With("with", said, "error", fmt.Errorf("wrapped: %w", errors.New(said))).WithGroup("g").Warn("w", "in", said)
		log.Info("value", "v", secret(said))
		assert.NotContains(t, out.String(), c)
		assert.Equal(t, 4, bytes.Count(out.Bytes(), []byte("\n")))
		for line := range bytes.Lines(out.Bytes()) {
			assert.True(t, json.Valid(line), string(line))
		}
	}
}

// An address is not written, wherever it stands, and what stands around it is: an import's documents have theirs for an id.
func TestAddressesAreNotWritten(t *testing.T) {
	for said, want := range map[string]string{
		"documents/https://canary.example/a?b=c":              "documents/[URL]",
		`fetch http://canary:1/a: the server answered 404`:    `fetch [URL]: the server answered 404`,
		`Get "https://canary/\"canary\"x": no such host`:      `Get "[URL]": no such host`,
		"two, s3://canary/a (and levada://documents/canary).": "two, [URL] (and [URL]).",
		"no address: ://, a//b, a:b, canar/y":                 "no address: ://, a//b, a:b, canar/y",
		"https://":                                            "[URL]",
	} {
		for _, rest := range []slog.Attr{slog.Int("n", 1), slog.Any("list", []string{said})} { // written by the handler itself, and by slog's
			var out bytes.Buffer
			slog.New(logline.New(&out)).Info(said, "text", said, "error", errors.New(said), rest)
			assert.NotContains(t, out.String(), "canary")
			var line struct{ Msg, Text, Error string }
			require.NoError(t, json.Unmarshal(out.Bytes(), &line), "%s", out.String())
			assert.Equal(t, []string{want, want, want}, []string{line.Msg, line.Text, line.Error})
		}
	}
}

// secret is a value that says later what it is.
type secret string

func (s secret) LogValue() slog.Value { return slog.StringValue(string(s)) }

func FuzzLines(f *testing.F) {
	f.Add("key", "value", int64(1), 0.5, true, int64(1_790_000_000_123_456_789))
	f.Fuzz(func(t *testing.T, key, text string, n int64, x float64, yes bool, nanos int64) {
		ours, theirs := both(time.Unix(0, nanos).UTC(), slog.Level(n%32), text,
			slog.String(key, text), slog.Int64("n", n), slog.Float64(text, x), slog.Bool("b", yes))
		if clean, found := redact.Text(theirs); len(found) == 0 && clean == theirs && !strings.Contains(theirs, "://") {
			assert.Equal(t, theirs, ours)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for name, h := range map[string]slog.Handler{"logline": logline.New(discard{}), "slog": slog.NewJSONHandler(discard{}, nil)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := slog.NewRecord(at, slog.LevelInfo, "request", 0)
				r.AddAttrs(slog.String("requestId", "0f8fad5b-d9cb-469f-a165-70867728950e"), slog.String("tenantId", "acme"),
					slog.String("method", "POST"), slog.String("route", "/v1/chat/completions"), slog.Int("status", 200), slog.Float64("latencyMs", 12.345))
				_ = h.Handle(context.Background(), r)
			}
		})
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// The id of a span may have the digits of a card, and stays what it is; in any other field it is one.
func TestIDsAreNoCards(t *testing.T) {
	const digits = "4111111111111111"
	for _, rest := range []slog.Attr{slog.Int("n", 1), slog.Any("list", []string{"a"})} { // written by the handler itself, and by slog's
		var out bytes.Buffer
		slog.New(logline.New(&out)).Info("request", "spanId", digits, "parentSpanId", digits, "traceId", digits+digits, "requestId", digits, "code", "a "+digits, rest)
		var line map[string]any
		require.NoError(t, json.Unmarshal(out.Bytes(), &line))
		assert.Equal(t, []any{digits, digits, digits + digits, "[CARD]", "a [CARD]"}, []any{line["spanId"], line["parentSpanId"], line["traceId"], line["requestId"], line["code"]})
	}
}
