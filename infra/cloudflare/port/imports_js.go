package port

import (
	"context"
	"io"
	"strconv"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/infra/cloudflare/r2"
	"levada.dev/tenants"
	"levada.dev/workflows/imports"
)

// Parts keeps the parts of imports in R2 below the tenant's prefix.
type Parts struct{ objects }

var _ imports.Parts = Parts{}

// NewParts keeps parts in a bucket.
func NewParts(b r2.Bucket) Parts { return Parts{objects{b, "imports", "part_not_found"}} }

// partKey is a part's name among the parts of all imports: Drop lists those that begin like it.
func partKey(s tenants.Scope, id string, part int) string {
	return s.Key("imports", id, strconv.Itoa(part))
}

// Put implements imports.Parts.
func (p Parts) Put(ctx context.Context, s tenants.Scope, id string, part int, ndjson io.Reader, size int64) error {
	if err := s.Check(); err != nil {
		return err
	}
	if err := p.write(ctx, partKey(s, id, part), ndjson, size); err != nil {
		return fault.Unavailablef(err, "store_unavailable", "the object store did not take a part of an import")
	}
	return nil
}

func (p Parts) write(ctx context.Context, key string, ndjson io.Reader, size int64) error {
	const contentType = "application/x-ndjson"
	if size >= streamed {
		return stream(ctx, p.bucket, key, ndjson, size, contentType)
	}
	part := make([]byte, size)
	if _, err := io.ReadFull(ndjson, part); err != nil {
		return err
	}
	return write(ctx, p.bucket, key, part, contentType)
}

// Get implements imports.Parts.
func (p Parts) Get(ctx context.Context, s tenants.Scope, id string, part int, limit int64) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	b, err := read(ctx, p.bucket, partKey(s, id, part), p.missing, limit)
	if f := fault.As(err); err != nil && f.Code == "document_too_large" {
		return nil, fault.Invalidf("", "part_too_large", "%s", f.Message)
	}
	return b, err
}

// Drop implements imports.Parts.
func (p Parts) Drop(ctx context.Context, s tenants.Scope, id string) error {
	if err := s.Check(); err != nil {
		return err
	}
	for prefix, more := s.Key("imports", id)+"/", true; more; {
		page, err := p.bucket.List(ctx, &r2.ListOptions{Prefix: prefix})
		if err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
		}
		keys := make([]string, len(page.Objects))
		for i, o := range page.Objects {
			keys[i] = o.Key
		}
		if err := p.bucket.Delete(ctx, keys...); err != nil {
			return fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
		}
		more = page.Cursor != "" // what was listed is gone, so the rest begins the list
	}
	return nil
}

// Files is what the tenant's owner has put into the bucket below t/<tenant>/files/, by R2's S3 API or anyhow.
type Files struct{ bucket r2.Bucket }

var _ imports.Files = Files{}

// NewFiles lists files of a bucket.
func NewFiles(b r2.Bucket) Files { return Files{b} }

// filesPrefix is what the keys of the tenant's files begin with. Names follow as they are: they are whole keys to whoever wrote them, and
// a key has no dots that lead out of its prefix.
func filesPrefix(s tenants.Scope) string { return s.Key("files") + "/" }

// List implements imports.Files.
func (f Files) List(ctx context.Context, s tenants.Scope, prefix, cursor string, limit int) ([]imports.File, string, error) {
	if err := s.Check(); err != nil {
		return nil, "", err
	}
	page, err := f.bucket.List(ctx, &r2.ListOptions{Prefix: filesPrefix(s) + prefix, Cursor: cursor, Limit: limit})
	if err != nil {
		return nil, "", fault.Unavailablef(err, "store_unavailable", "the object store did not answer")
	}
	files := make([]imports.File, len(page.Objects))
	for i, o := range page.Objects {
		files[i] = imports.File{
			Name: strings.TrimPrefix(o.Key, filesPrefix(s)), Bytes: o.Size, ContentType: o.ContentType, Modified: o.Uploaded,
		}
	}
	return files, page.Cursor, nil
}

// Get implements imports.Files.
func (f Files) Get(ctx context.Context, s tenants.Scope, name string, limit int64) ([]byte, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	return read(ctx, f.bucket, filesPrefix(s)+name, "file_not_found", limit)
}
