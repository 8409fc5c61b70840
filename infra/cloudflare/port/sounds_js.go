package port

import (
	"context"
	"errors"
	"io"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
)

// Sounds keeps what was spoken in R2 below the tenant's prefix.
type Sounds struct{ objects }

var _ speech.Sounds = Sounds{}

// NewSounds keeps sounds in a bucket.
func NewSounds(b r2.Bucket) Sounds { return Sounds{objects{b, "speech", "sound_not_found"}} }

// Put implements speech.Sounds.
func (x Sounds) Put(ctx context.Context, s tenants.Scope, reel, name string, part []byte) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := write(ctx, x.bucket, s.Key(x.kind, reel, name), part, "application/octet-stream"); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not take what was spoken")
	}
	return nil
}

// Open implements speech.Sounds.
func (x Sounds) Open(ctx context.Context, s tenants.Scope, reel, name string, from, n int64) (io.ReadCloser, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	obj, err := x.bucket.Get(ctx, s.Key(x.kind, reel, name), &r2.GetOptions{Offset: from, Length: n})
	if errors.Is(err, r2.ErrNotFound) {
		return nil, fault.Missing(x.missing, "no part %.80q of %.80q", name, reel)
	}
	if err != nil {
		return nil, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	return obj.Body, nil
}

// Drop implements speech.Sounds.
func (x Sounds) Drop(ctx context.Context, s tenants.Scope, reel string) (more bool, err error) {
	if err := s.Check(); err != nil {
		return false, err
	}
	page, err := x.bucket.List(ctx, &r2.ListOptions{Prefix: s.Key(x.kind, reel) + "/"})
	if err != nil {
		return false, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	keys := make([]string, len(page.Objects))
	for i, o := range page.Objects {
		keys[i] = o.Key
	}
	if err := x.bucket.Delete(ctx, keys...); err != nil {
		return false, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	return page.Cursor != "", nil
}
