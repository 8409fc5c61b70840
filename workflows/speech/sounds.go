package speech

import (
	"context"
	"io"

	"levada.dev/tenants"
)

// Sounds keeps what was spoken.
//
// A part is kept under its reel and its name, which is the digest of its bytes, so what is put twice is the same. What Put returned nil for is
// durable. Open of a part that is not there, or another tenant's, is fault.NotFound, code sound_not_found. Safe for concurrent use.
type Sounds interface {
	Put(ctx context.Context, s tenants.Scope, reel, name string, part []byte) error
	// Open reads n bytes of a part from an offset on. The reader is to be closed.
	Open(ctx context.Context, s tenants.Scope, reel, name string, from, n int64) (io.ReadCloser, error)
	// Drop removes parts of a reel, and reports whether some are left. It may be repeated; nothing is put to the reel meanwhile.
	Drop(ctx context.Context, s tenants.Scope, reel string) (more bool, err error)
}
