package r2

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"levada.dev/infra/cloudflare/isolate"
	"levada.dev/infra/cloudflare/isolate/wire"
)

var (
	// ErrNotFound is returned for a key that does not exist.
	ErrNotFound = errors.New("r2: not found")
	// ErrCondition is returned when the condition of a read or write does not hold.
	ErrCondition = errors.New("r2: the condition does not hold")
)

const (
	// patience is how long a call may take, of a read until its body begins.
	patience = 20 * time.Second
	// streaming is how long a body may take that streams through, from whoever sends it.
	streaming = 15 * time.Minute
)

// Bucket is an R2 binding. It may be shared by all goroutines.
type Bucket struct{ binding string }

// Open returns the bucket bound under the name. A missing binding shows at the first call.
func Open(binding string) Bucket { return Bucket{binding} }

// Object is a stored object, with its body when it comes from Get.
type Object struct {
	Key         string
	Size        int64
	ETag        string // without quotes
	Version     string
	Uploaded    time.Time
	ContentType string
	Metadata    map[string]string
	Body        io.ReadCloser // nil unless from Get; the caller closes it
}

// Condition restricts an operation to a state of the object. Empty fields do not count.
type Condition struct {
	ETagMatches      string    `json:"etagMatches,omitempty"`
	ETagDoesNotMatch string    `json:"etagDoesNotMatch,omitempty"` // "*": the object does not exist
	UploadedBefore   time.Time `json:"uploadedBefore,omitzero"`
	UploadedAfter    time.Time `json:"uploadedAfter,omitzero"`
}

func (c *Condition) wire() (any, error) {
	if c == nil {
		return nil, nil
	}
	b, err := json.Marshal(c)
	return json.RawMessage(b), err
}

// GetOptions select a part of the object, or make the read conditional.
type GetOptions struct {
	Offset int64 // first byte; negative: that many from the end
	Length int64 // number of bytes; 0: to the end
	OnlyIf *Condition
}

// Get returns the object with its body. It returns ErrNotFound, or ErrCondition and
// the object without a body.
func (b Bucket) Get(ctx context.Context, key string, o *GetOptions) (*Object, error) {
	offset, length := int64(0), int64(-1)
	var onlyIf *Condition
	if o != nil {
		offset, onlyIf = o.Offset, o.OnlyIf
		if o.Length > 0 {
			length = o.Length
		}
	}
	cond, err := onlyIf.wire()
	if err != nil {
		return nil, err
	}
	r, err := isolate.CallWithin(ctx, patience, "r2.get", b.binding, key, offset, length, cond)
	if err != nil {
		return nil, fmt.Errorf("r2: get: %w", err)
	}
	return result(ctx, r)
}

// ReadAll returns the object and its whole body.
func (b Bucket) ReadAll(ctx context.Context, key string) (*Object, []byte, error) {
	obj, err := b.Get(ctx, key, nil)
	if err != nil {
		return nil, nil, err
	}
	defer obj.Body.Close()
	body := bytes.NewBuffer(make([]byte, 0, obj.Size+bytes.MinRead))
	if _, err := body.ReadFrom(obj.Body); err != nil {
		return nil, nil, fmt.Errorf("r2: read: %w", err)
	}
	return obj, body.Bytes(), nil
}

// Head returns the object without its body, or ErrNotFound.
func (b Bucket) Head(ctx context.Context, key string) (*Object, error) {
	r, err := isolate.CallWithin(ctx, patience, "r2.head", b.binding, key)
	if err != nil {
		return nil, fmt.Errorf("r2: head: %w", err)
	}
	return result(ctx, r)
}

// PutOptions are what is stored beside the body, and the condition of the write.
type PutOptions struct {
	ContentType  string
	Metadata     map[string]string
	OnlyIfAbsent bool       // write only if there is no such object
	OnlyIf       *Condition // or only if this holds
}

// Put writes the object in one piece. It returns ErrCondition when the condition does
// not hold; nothing is written then.
func (b Bucket) Put(ctx context.Context, key string, body []byte, o *PutOptions) (*Object, error) {
	return b.put(ctx, key, body, 0, o)
}

// PutStream writes an object of exactly size bytes, which stream through: nothing of
// it is kept in memory. R2 needs the size beforehand.
func (b Bucket) PutStream(ctx context.Context, key string, body io.Reader, size int64, o *PutOptions) (*Object, error) {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	handle, err := isolate.Pipe(own, cancel, body, size)
	if err != nil {
		return nil, fmt.Errorf("r2: put: %w", err)
	}
	return b.put(own, key, nil, handle, o)
}

func (b Bucket) put(ctx context.Context, key string, body []byte, stream int64, o *PutOptions) (*Object, error) {
	if o == nil {
		o = &PutOptions{}
	}
	onlyIf := o.OnlyIf
	if o.OnlyIfAbsent {
		onlyIf = &Condition{ETagDoesNotMatch: "*"}
	}
	cond, err := onlyIf.wire()
	if err != nil {
		return nil, err
	}
	var metadata any
	if len(o.Metadata) > 0 {
		m, err := json.Marshal(o.Metadata)
		if err != nil {
			return nil, err
		}
		metadata = json.RawMessage(m)
	}
	limit := patience
	if stream != 0 {
		limit = streaming
	}
	r, err := isolate.CallWithin(ctx, limit, "r2.put", b.binding, key, body, stream, o.ContentType, metadata, cond)
	if err != nil {
		return nil, fmt.Errorf("r2: put: %w", err)
	}
	return result(ctx, r)
}

// maxDelete is how many keys one call of the platform deletes.
const maxDelete = 1000

// Delete removes the objects; ones that do not exist are no error.
func (b Bucket) Delete(ctx context.Context, keys ...string) error {
	for len(keys) > 0 {
		n := min(len(keys), maxDelete)
		if _, err := isolate.CallWithin(ctx, patience, "r2.delete", b.binding, keys[:n]); err != nil {
			return fmt.Errorf("r2: delete: %w", err)
		}
		keys = keys[n:]
	}
	return nil
}

// ListOptions select the objects of a listing.
type ListOptions struct {
	Prefix    string
	Cursor    string // ListResult.Cursor of the page before
	Delimiter string // groups the keys that share a prefix up to it
	Limit     int    // 0 is 1,000, which is also the most
}

// ListResult is a page of a listing, in the order of the keys.
type ListResult struct {
	Objects  []*Object
	Prefixes []string // the groups, with a Delimiter
	Cursor   string   // empty on the last page
}

// List returns a page of objects. A page may hold less than Limit although more follow.
func (b Bucket) List(ctx context.Context, o *ListOptions) (*ListResult, error) {
	if o == nil {
		o = &ListOptions{}
	}
	r, err := isolate.CallWithin(ctx, patience, "r2.list", b.binding, o.Prefix, o.Cursor, o.Delimiter, o.Limit)
	if err != nil {
		return nil, fmt.Errorf("r2: list: %w", err)
	}
	res := &ListResult{Cursor: r.String()}
	for range r.List() {
		obj, err := object(r)
		if err != nil {
			return nil, err
		}
		res.Objects = append(res.Objects, obj)
	}
	for range r.List() {
		res.Prefixes = append(res.Prefixes, r.String())
	}
	return res, r.Err()
}

// What an operation found; the glue has the same numbers.
const (
	absent    = 0
	condition = 1
)

func result(ctx context.Context, r *wire.Reader) (*Object, error) {
	found := r.Int()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if found == absent {
		return nil, ErrNotFound
	}
	var obj *Object
	if r.Next() != wire.End {
		var err error
		if obj, err = object(r); err != nil {
			return nil, err
		}
	}
	if found == condition {
		return obj, ErrCondition
	}
	switch r.Next() {
	case wire.Bytes:
		obj.Body = io.NopCloser(bytes.NewReader(r.Bytes()))
	case wire.Int:
		obj.Body = isolate.NewStream(ctx, r.Int())
	}
	return obj, r.Err()
}

func object(r *wire.Reader) (*Object, error) {
	r.List()
	o := &Object{Key: r.String(), Size: r.Int(), ETag: r.String(), Version: r.String(), Uploaded: time.UnixMilli(r.Int()), ContentType: r.String()}
	metadata := r.Bytes()
	if err := r.Err(); err != nil {
		return nil, err
	}
	if string(metadata) == "{}" {
		return o, nil
	}
	return o, json.Unmarshal(metadata, &o.Metadata)
}
