package events_test

import (
	"strings"
	"testing"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/stretchr/testify/require"

	"levada.dev/events"
	"levada.dev/tenants/tenantstest"
)

// The sizes of the hot path: one event for an API call, and a slice of chunks.
func benchmarked(b *testing.B) map[string]events.Event {
	s := tenantstest.Scope(b, "acme")
	small, err := events.New(s, "api", events.Cause{ID: "r-1", TraceParent: traceparent}, noon, samples()["document.submitted/full"])
	require.NoError(b, err)
	chunked := samples()["document.chunked/full"].(events.DocumentChunked)
	for len(chunked.Parts) < 16 {
		chunked.Parts = append(chunked.Parts, events.Chunk{Text: strings.Repeat("A levada is a water channel. ", 60)})
	}
	slice, err := events.New(s, "consumers", events.Cause{ID: "r-1", TraceParent: traceparent}, noon, chunked)
	require.NoError(b, err)
	return map[string]events.Event{"small": small, "slice": slice}
}

func BenchmarkNew(b *testing.B) {
	s, fact := tenantstest.Scope(b, "acme"), samples()["document.submitted/full"]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := events.New(s, "api", events.Cause{ID: "r-1"}, noon, fact); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	for name, e := range benchmarked(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Data)))
			for b.Loop() {
				if _, err := e.MarshalJSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/sdk", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Data)))
			for b.Loop() {
				if _, err := sdkOf(b, e).MarshalJSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, e := range benchmarked(b) {
		text, err := e.MarshalJSON()
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := events.Decode(text); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/sdk", func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				var ce cloudevents.Event
				if err := ce.UnmarshalJSON(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
