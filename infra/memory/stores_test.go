package memory_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"levada.dev/events/meter/metertest"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/erasure"
	"levada.dev/workflows/erasure/erasuretest"
	"levada.dev/workflows/letters"
	"levada.dev/workflows/speech/speechtest"
	"levada.dev/workflows/tools"
)

func TestSweptObjects(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		texts, claims, parts, files, sounds := &memory.Texts{}, &memory.Claims{}, &memory.Parts{}, &memory.Files{}, &memory.Sounds{}
		return erasuretest.Subject{Store: memory.NewObjects(texts, claims, parts, files, sounds), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			name := fmt.Sprint("x", n)
			switch n % 5 {
			case 0:
				return texts.Put(ctx, s, name, []byte("text"), "text/plain")
			case 1:
				return claims.Put(ctx, s, name, []byte("{}"))
			case 2:
				return parts.Put(ctx, s, "import", n, strings.NewReader("{}\n"), 3)
			case 3:
				return sounds.Put(ctx, s, "reel", name, []byte("sound"))
			}
			files.Put(s, name, "text/plain", []byte("file"))
			return nil
		}}
	})
}

func TestSweptCache(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		c := memory.NewCache(time.Now)
		return erasuretest.Subject{Store: memory.NewCached(c), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return c.Put(ctx, s, cache.Key{Kind: "k", Name: fmt.Sprint(n)}, []byte("value"), time.Hour)
		}}
	})
}

func TestSweptVectors(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		x := memory.NewVectors(time.Now)
		return erasuretest.Subject{Store: erasure.NewVectors(x), AtOnce: corpus.MaxTopK, Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			values := make([]float32, 384)
			values[n] = 1
			return x.Upsert(ctx, s, model, []corpus.Vector{{ID: corpus.VectorID(s, "doc", 1, n), Values: values}})
		}}
	})
}

func TestSweptLetters(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		box := memory.NewLetters(time.Now)
		return erasuretest.Subject{Store: erasure.NewLetters(box), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return box.Keep(ctx, s, []letters.Letter{{
				Tenant: s.Tenant(), ID: fmt.Sprint("l", n), Queue: "audit", Code: "c", At: time.Unix(int64(1_795_000_000+n), 0), Body: []byte("{}"),
			}})
		}}
	})
}

func TestSweptCalls(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		kept := memory.NewCalls(time.Now)
		return erasuretest.Subject{Store: erasure.NewCalls(kept), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			name := fmt.Sprint("call", n)
			_, err := kept.Begin(ctx, s, tools.Opening{Key: name, Hash: "h", ID: name, Lease: time.Minute})
			return err
		}}
	})
}

func TestSweptSpeech(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		desks := memory.NewSpeech(time.Now)
		return erasuretest.Subject{Store: erasure.NewSpeech(desks), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return speechtest.Fill(ctx, desks, s, n)
		}}
	})
}

func TestSweptMeters(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		meters := memory.NewMeters(time.Now)
		return erasuretest.Subject{Store: erasure.NewMeters(meters), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return metertest.Fill(ctx, meters, s, n)
		}}
	})
}

func TestSweptPassages(t *testing.T) {
	erasuretest.TestStore(t, func(*testing.T) erasuretest.Subject {
		x := memory.NewLexicon()
		return erasuretest.Subject{Store: erasure.NewLexicon(x), Fill: func(ctx context.Context, s tenants.Scope, n int) error {
			return x.Put(ctx, s, []corpus.Passage{{Metadata: corpus.Metadata{DocID: fmt.Sprint("doc", n), Generation: 1}, Body: []string{"x"}}})
		}}
	})
}
