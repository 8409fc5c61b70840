package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/url"
	"strings"

	"levada.dev/events"
	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Texts keeps documents' texts in R2 below the tenant's prefix.
type Texts struct{ objects }

var _ corpus.Texts = Texts{}

// NewTexts keeps texts in a bucket.
func NewTexts(b r2.Bucket) Texts { return Texts{objects{b, "texts", "text_not_found"}} }

// Put implements corpus.Texts.
func (t Texts) Put(ctx context.Context, s tenants.Scope, key string, text []byte, contentType string) error {
	return t.put(ctx, s, key, text, contentType)
}

// Get implements corpus.Texts.
func (t Texts) Get(ctx context.Context, s tenants.Scope, key string) ([]byte, error) {
	return t.get(ctx, s, key)
}

// Delete implements corpus.Texts.
func (t Texts) Delete(ctx context.Context, s tenants.Scope, keys ...string) error {
	return t.remove(ctx, s, keys...)
}

// List implements corpus.Texts.
func (t Texts) List(ctx context.Context, s tenants.Scope, prefix string, limit int) ([]string, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	below := s.Key(t.kind) + "/"
	found, err := t.bucket.List(ctx, &r2.ListOptions{Prefix: s.Key(t.kind, prefix), Limit: limit})
	if err != nil {
		return nil, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	keys := make([]string, len(found.Objects))
	for i, o := range found.Objects {
		if keys[i], err = url.PathUnescape(strings.TrimPrefix(o.Key, below)); err != nil {
			return nil, fault.New(fault.Internal, "text_key", "a text's key is no key", err)
		}
	}
	return keys, nil
}

// Claims keeps the data of big events in R2 below the tenant's prefix.
type Claims struct{ objects }

var _ events.Claims = Claims{}

// NewClaims keeps claims in a bucket.
func NewClaims(b r2.Bucket) Claims { return Claims{objects{b, "claims", "claim_not_found"}} }

// Put implements events.Claims.
func (c Claims) Put(ctx context.Context, s tenants.Scope, name string, data []byte) error {
	return c.put(ctx, s, name, data, "application/json")
}

// Get implements events.Claims.
func (c Claims) Get(ctx context.Context, s tenants.Scope, name string) ([]byte, error) {
	return c.get(ctx, s, name)
}

// objects is one kind of thing in a bucket.
type objects struct {
	bucket  r2.Bucket
	kind    string
	missing string // the code when there is none
}

func (o objects) put(ctx context.Context, s tenants.Scope, key string, body []byte, contentType string) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := write(ctx, o.bucket, s.Key(o.kind, key), body, contentType); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not take %s", o.kind)
	}
	return nil
}

// streamed is from how many bytes on an object goes to the store as a stream: the frame of a call would be one more copy of it.
const streamed = 1 << 20

// write makes an object of a body.
func write(ctx context.Context, to r2.Bucket, key string, body []byte, contentType string) (err error) {
	if len(body) >= streamed {
		return stream(ctx, to, key, bytes.NewReader(body), int64(len(body)), contentType)
	}
	_, err = to.Put(ctx, key, body, &r2.PutOptions{ContentType: contentType})
	return err
}

// stream makes an object of what is read, which is so many bytes.
func stream(ctx context.Context, to r2.Bucket, key string, body io.Reader, size int64, contentType string) error {
	_, err := to.PutStream(ctx, key, body, size, &r2.PutOptions{ContentType: contentType})
	return err
}

func (o objects) get(ctx context.Context, s tenants.Scope, key string) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return read(ctx, o.bucket, s.Key(o.kind, key), o.missing, math.MaxInt64)
}

// read is a whole object, unless it is longer than limit bytes: then nothing of it is read.
func read(ctx context.Context, from r2.Bucket, key, missing string, limit int64) ([]byte, error) {
	obj, err := from.Get(ctx, key, nil)
	if errors.Is(err, r2.ErrNotFound) {
		return nil, fault.Missing(missing, "nothing is stored under %.80q", key)
	}
	if err != nil {
		return nil, fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	defer obj.Body.Close()
	if obj.Size > limit {
		return nil, fault.Invalidf("", "document_too_large", "%d bytes; the limit is %d", obj.Size, limit)
	}
	b := make([]byte, obj.Size) // at once: what grows by doubling is in memory three times
	if _, err = io.ReadFull(obj.Body, b); err != nil {
		return nil, fault.Unavailablef(err, "store_unavailable", "the object store broke off")
	}
	return b, nil
}

func (o objects) remove(ctx context.Context, s tenants.Scope, keys ...string) error {
	if err := s.Check(); err != nil {
		return err
	}
	stored := make([]string, len(keys))
	for i, key := range keys {
		stored[i] = s.Key(o.kind, key)
	}
	if err := o.bucket.Delete(ctx, stored...); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	return nil
}

// Ping asks whether the bucket answers.
func (o objects) Ping(ctx context.Context) error {
	_, err := o.bucket.Head(ctx, "ping")
	if err == nil || errors.Is(err, r2.ErrNotFound) {
		return nil
	}
	return fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
}
