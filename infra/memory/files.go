package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/imports"
)

// Files is tenants' files. The zero value is empty and ready.
type Files struct {
	Hooks
	mu    sync.Mutex
	files map[tenants.ID]map[string]heldFile
}

type heldFile struct {
	imports.File
	data []byte
}

var _ imports.Files = (*Files)(nil)

// Put puts a file, as whoever owns the bucket does.
func (f *Files) Put(s tenants.Scope, name, contentType string, data []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files == nil {
		f.files = map[tenants.ID]map[string]heldFile{}
	}
	if f.files[s.Tenant()] == nil {
		f.files[s.Tenant()] = map[string]heldFile{}
	}
	f.files[s.Tenant()][name] = heldFile{imports.File{Name: name, Bytes: int64(len(data)), ContentType: contentType, Modified: time.Unix(0, 0)}, data}
}

// List implements imports.Files. A cursor is the last name of the page before.
func (f *Files) List(_ context.Context, s tenants.Scope, prefix, cursor string, limit int) (page []imports.File, next string, err error) {
	err = f.do(s, "list", func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(f.files[s.Tenant()])) {
			if !strings.HasPrefix(name, prefix) || cursor != "" && name <= cursor {
				continue
			}
			if len(page) == limit {
				next = page[limit-1].Name
				return nil
			}
			page = append(page, f.files[s.Tenant()][name].File)
		}
		return nil
	})
	return page, next, err
}

// Get implements imports.Files.
func (f *Files) Get(_ context.Context, s tenants.Scope, name string, limit int64) (data []byte, err error) {
	err = f.do(s, "get", func() error {
		f.mu.Lock()
		defer f.mu.Unlock()
		kept, ok := f.files[s.Tenant()][name]
		if !ok {
			return fault.Missing("file_not_found", "no file %.80q", name)
		}
		if kept.Bytes > limit {
			return fault.Invalidf("", "document_too_large", "%d bytes; the limit is %d", kept.Bytes, limit)
		}
		data = bytes.Clone(kept.data)
		return nil
	})
	return data, err
}

// keys are the names of all files, each behind its tenant's prefix.
func (f *Files) keys() (keys []string) {
	for id, files := range f.files {
		for name := range files {
			keys = append(keys, "t/"+string(id)+"/"+name)
		}
	}
	slices.Sort(keys)
	return keys
}

func (f *Files) remove(key string) {
	id, name, _ := strings.Cut(strings.TrimPrefix(key, "t/"), "/")
	delete(f.files[tenants.ID(id)], name)
}
