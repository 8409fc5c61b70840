package cache

import (
	"context"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// Store keeps values for a tenant, for a while.
//
// What Get returns is, byte for byte, what the same tenant put under the same key, at most as long ago as the ttl it was
// put with and the time that a write takes to be seen everywhere, which on KV is a minute and more. Any
// value may be lost at any time, and an older one may be seen after a newer one, but never another tenant's or another key's.
// Get of what is not there is fault.NotFound, code cache_miss; Put refuses what Check does; a store that does not
// answer is fault.Unavailable, code cache_unavailable. Both return soon after ctx has ended. Safe for concurrent use.
type Store interface {
	Get(ctx context.Context, s tenants.Scope, key Key) ([]byte, error)
	Put(ctx context.Context, s tenants.Scope, key Key, value []byte, ttl time.Duration) error
}

// Key names a value of a tenant. Each use of the cache has a kind of its own, so their names never meet.
type Key struct{ Kind, Name string }

const (
	// MaxValue is the largest value in bytes. KV would take 25 MiB, but a value is in memory as a whole.
	MaxValue = 1 << 20
	// MinTTL is the shortest life of a value, as KV has it.
	MinTTL = tenants.MinCacheTTL * time.Second
)

// ErrMiss is Get's answer when there is nothing.
var ErrMiss = fault.Missing("cache_miss", "nothing is cached under this key")

// Check refuses, as fault.Invalid, a key without a kind or a name, code cache_key, a value that is too large, code
// cache_value, and a life that is too short, code cache_ttl.
func Check(key Key, value []byte, ttl time.Duration) error {
	switch {
	case key.Kind == "" || key.Name == "":
		return fault.Invalidf("", "cache_key", "a key has a kind and a name")
	case len(value) > MaxValue:
		return fault.Invalidf("", "cache_value", "%d bytes are more than the %d that a cached value may have", len(value), MaxValue)
	case ttl < MinTTL:
		return fault.Invalidf("", "cache_ttl", "%v is shorter than the %v that a cached value lives", ttl, MinTTL)
	}
	return nil
}
