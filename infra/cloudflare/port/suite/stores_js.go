package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"levada.dev/events/meter/metertest"
	"levada.dev/infra/cloudflare/kv"
	"levada.dev/infra/cloudflare/object"
	"levada.dev/infra/cloudflare/port"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/erasure/erasuretest"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/speech/speechtest"
	"levada.dev/workflows/tools"
)

// swept is a store that an erasure sweeps, in the event.
type swept struct {
	event
	erasure.Store
}

func (x swept) Sweep(ctx context.Context, s tenants.Scope, limit int) (int, bool, error) {
	return x.Store.Sweep(x.in(ctx), s, limit)
}

func (x swept) Left(ctx context.Context, s tenants.Scope) (int, error) {
	return x.Store.Left(x.in(ctx), s)
}

// sweptStores are the suites of the stores that an erasure sweeps.
func sweptStores(ev event, bucket r2.Bucket, small llm.EmbeddingModel) map[string]func(*testing.T) {
	all := map[string]erasuretest.Subject{
		"TestSweptObjects": {Store: port.NewObjects(bucket), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			name := fmt.Sprint("x", n)
			switch n % 5 {
			case 0:
				return port.NewTexts(bucket).Put(ctx, s, name, []byte("text"), "text/plain")
			case 1:
				return port.NewClaims(bucket).Put(ctx, s, name, []byte("{}"))
			case 2:
				return port.NewParts(bucket).Put(ctx, s, "import", n, strings.NewReader("{}\n"), 3)
			case 3:
				return port.NewSounds(bucket).Put(ctx, s, "reel", name, []byte("sound"))
			}
			_, err := bucket.Put(ctx, s.Key("files", name), []byte("file"), nil)
			return err
		}},
		"TestSweptCache": {Store: port.NewCached(kv.Open("CACHE")), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return port.NewCache(kv.Open("CACHE")).Put(ctx, s, cache.Key{Kind: "k", Name: fmt.Sprint(n)}, []byte("value"), time.Hour)
		}},
		"TestSweptVectors": {Store: erasure.NewVectors(port.Indexes()), AtOnce: corpus.MaxTopK, Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			values := make([]float32, small.Dimensions)
			values[n] = 1
			return port.Indexes().Upsert(ctx, s, small.Name, []corpus.Vector{{ID: corpus.VectorID(s, "doc", 1, n), Values: values}})
		}},
		"TestSweptPassages": {Store: erasure.NewLexicon(newLexicon(3)), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return newLexicon(3).Put(ctx, s, []corpus.Passage{{Metadata: corpus.Metadata{DocID: fmt.Sprint("doc", n), Generation: 1}, Body: []string{"x"}}})
		}},
		"TestSweptLetters": {Store: erasure.NewLetters(port.NewLetters(object.Open("LETTERS"))), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return port.NewLetters(object.Open("LETTERS")).Keep(ctx, s, []letters.Letter{{
				Tenant: s.Tenant(), ID: fmt.Sprint("l", n), Queue: "audit", Code: "c", At: time.Unix(int64(1_795_000_000+n), 0), Body: []byte("{}"),
			}})
		}},
		"TestSweptCalls": {Store: erasure.NewCalls(port.NewCalls(object.Open("CALLS"))), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			name := fmt.Sprint("call", n)
			_, err := port.NewCalls(object.Open("CALLS")).Begin(ctx, s, tools.Opening{Key: name, Hash: "h", ID: name, Lease: time.Minute})
			return err
		}},
		"TestSweptSpeech": {Store: erasure.NewSpeech(port.NewSpeech(object.Open("SPEECH"))), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return speechtest.Fill(ctx, port.NewSpeech(object.Open("SPEECH")), s, n)
		}},
		"TestSweptMeters": {Store: erasure.NewMeters(port.NewMeters(object.Open("METERS"))), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return metertest.Fill(ctx, port.NewMeters(object.Open("METERS")), s, n)
		}},
	}
	tests := map[string]func(*testing.T){}
	for name, x := range all {
		fill := x.Fill
		x.Store, x.Fill = swept{ev, x.Store}, func(ctx context.Context, s tenants.Scope, n int) error { return fill(ev.in(ctx), s, n) }
		tests[name] = func(t *testing.T) { erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject { return x }) }
	}
	return tests
}
