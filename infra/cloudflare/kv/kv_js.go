package kv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"levada.dev/infra/cloudflare/isolate"
)

// ErrNotFound is returned for a key that does not exist.
var ErrNotFound = errors.New("kv: not found")

// patience is how long a call may take. KV answers in milliseconds, from its central stores in less than a second.
const patience = 10 * time.Second

// Namespace is a KV binding. It may be shared by all goroutines.
type Namespace struct{ binding string }

// Open returns the namespace bound under the name. A missing binding shows at the first call.
func Open(binding string) Namespace { return Namespace{binding} }

// GetOptions are the options of a read.
type GetOptions struct {
	// CacheTTL is how long the place that reads may answer from its cache;
	// 0 is the platform's default, 60 seconds.
	CacheTTL time.Duration
}

func (o *GetOptions) ttl() int64 {
	if o == nil {
		return 0
	}
	return int64(o.CacheTTL / time.Second)
}

// Get returns the value of the key, or ErrNotFound.
func (ns Namespace) Get(ctx context.Context, key string, o *GetOptions) ([]byte, error) {
	r, err := isolate.CallWithin(ctx, patience, "kv.get", ns.binding, key, o.ttl())
	if err != nil {
		return nil, fmt.Errorf("kv: get: %w", err)
	}
	if r.Null() {
		return nil, ErrNotFound
	}
	v := r.Bytes()
	return v, r.Err()
}

// GetWithMetadata is Get that also returns the key's metadata, nil when it has none.
func (ns Namespace) GetWithMetadata(ctx context.Context, key string, o *GetOptions) (value []byte, metadata json.RawMessage, err error) {
	r, err := isolate.CallWithin(ctx, patience, "kv.getmeta", ns.binding, key, o.ttl())
	if err != nil {
		return nil, nil, fmt.Errorf("kv: get: %w", err)
	}
	if r.Null() {
		return nil, nil, ErrNotFound
	}
	value, metadata = r.Bytes(), r.Bytes()
	return value, metadata, r.Err()
}

// PutOptions are the options of a write.
type PutOptions struct {
	TTL        time.Duration // the key expires this long after the write, at least 60 s
	Expiration time.Time     // or at this time
	Metadata   any           // JSON of at most 1,024 bytes
}

// Put writes the value.
func (ns Namespace) Put(ctx context.Context, key string, value []byte, o *PutOptions) error {
	var ttl, expiration int64
	var metadata any
	if o != nil {
		ttl = int64(o.TTL / time.Second)
		if !o.Expiration.IsZero() {
			expiration = o.Expiration.Unix()
		}
		if o.Metadata != nil {
			b, err := json.Marshal(o.Metadata)
			if err != nil {
				return fmt.Errorf("kv: metadata: %w", err)
			}
			metadata = json.RawMessage(b)
		}
	}
	if value == nil {
		value = []byte{}
	}
	if _, err := isolate.CallWithin(ctx, patience, "kv.put", ns.binding, key, value, ttl, expiration, metadata); err != nil {
		return fmt.Errorf("kv: put: %w", err)
	}
	return nil
}

// Delete removes the key; one that does not exist is no error.
func (ns Namespace) Delete(ctx context.Context, key string) error {
	if _, err := isolate.CallWithin(ctx, patience, "kv.delete", ns.binding, key); err != nil {
		return fmt.Errorf("kv: delete: %w", err)
	}
	return nil
}

// ListOptions select the keys of a listing.
type ListOptions struct {
	Prefix string
	Cursor string // ListResult.Cursor of the page before
	Limit  int    // 0 is 1,000, which is also the most
}

// Key is an entry of a listing.
type Key struct {
	Name       string
	Expiration time.Time       // zero: never
	Metadata   json.RawMessage // nil: none
}

// ListResult is a page of a listing, in the order of the keys' bytes.
type ListResult struct {
	Keys   []Key
	Cursor string // empty on the last page
}

// List returns a page of keys. A page may be empty although more follow: go on while Cursor is set.
func (ns Namespace) List(ctx context.Context, o *ListOptions) (*ListResult, error) {
	if o == nil {
		o = &ListOptions{}
	}
	r, err := isolate.CallWithin(ctx, patience, "kv.list", ns.binding, o.Prefix, o.Cursor, o.Limit)
	if err != nil {
		return nil, fmt.Errorf("kv: list: %w", err)
	}
	complete, cursor := r.Bool(), r.String()
	res := &ListResult{}
	if !complete {
		res.Cursor = cursor
	}
	n := r.List()
	res.Keys = make([]Key, 0, n)
	for range n {
		r.List()
		k := Key{Name: r.String()}
		if at := r.Int(); at != 0 {
			k.Expiration = time.Unix(at, 0)
		}
		k.Metadata = r.Bytes()
		res.Keys = append(res.Keys, k)
	}
	return res, r.Err()
}
