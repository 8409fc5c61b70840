package cache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/memory"
	"levada.dev/tenants"
	"levada.dev/workflows/cache"
)

func Example() {
	ctx, now := context.Background(), time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	store := memory.NewCache(func() time.Time { return now })
	acme, _ := tenants.Resume("acme")
	globex, _ := tenants.Resume("globex")
	key := cache.Key{Kind: "answer", Name: "capital of Madeira"}

	if err := store.Put(ctx, acme, key, []byte("Funchal"), time.Hour); err != nil {
		panic(err)
	}
	value, _ := store.Get(ctx, acme, key)
	_, err := store.Get(ctx, globex, key)
	fmt.Printf("acme: %s\nglobex: %s\n", value, fault.As(err).Code)

	now = now.Add(time.Hour)
	_, err = store.Get(ctx, acme, key)
	fmt.Println("acme an hour later:", fault.As(err).Code)
	// Output:
	// acme: Funchal
	// globex: cache_miss
	// acme an hour later: cache_miss
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	key := cache.Key{Kind: "k", Name: "n"}
	for _, c := range []struct {
		key   cache.Key
		bytes int
		ttl   time.Duration
		code  string
	}{
		{key, cache.MaxValue, cache.MinTTL, ""},
		{key, cache.MaxValue + 1, cache.MinTTL, "cache_value"},
		{key, 1, cache.MinTTL - time.Nanosecond, "cache_ttl"},
		{key, 1, 0, "cache_ttl"},
		{cache.Key{Kind: "k"}, 1, cache.MinTTL, "cache_key"},
		{cache.Key{Name: "n"}, 1, cache.MinTTL, "cache_key"},
	} {
		code := ""
		if err := cache.Check(c.key, make([]byte, c.bytes), c.ttl); err != nil {
			code = fault.As(err).Code
		}
		if code != c.code {
			t.Errorf("%+v: %q", c, code)
		}
	}
}
