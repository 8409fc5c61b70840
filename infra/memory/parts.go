package memory

import (
	"bytes"
	"context"
	"io"
	"maps"
	"strconv"
	"strings"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/imports"
)

// Parts keeps the parts of imports. The zero value is empty and ready.
type Parts struct {
	Hooks
	mu    sync.Mutex
	parts map[string][]byte
}

var _ imports.Parts = (*Parts)(nil)

func partKey(s tenants.Scope, id string, part int) string {
	return s.Key("imports", id, strconv.Itoa(part))
}

// Put implements imports.Parts.
func (p *Parts) Put(_ context.Context, s tenants.Scope, id string, part int, body io.Reader, size int64) error {
	return p.do(s, "put", func() error {
		ndjson, err := io.ReadAll(body)
		if err != nil {
			return err
		}
		if int64(len(ndjson)) != size {
			return fault.New(fault.Internal, "part_rule", "the part has another size", nil)
		}
		if lines := bytes.Count(ndjson, []byte{'\n'}); lines > imports.MaxPartEntries || len(ndjson) > imports.MaxPartBytes && lines > 1 {
			return fault.New(fault.Internal, "part_rule", "the part is too large", nil)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.parts == nil {
			p.parts = map[string][]byte{}
		}
		p.parts[partKey(s, id, part)] = ndjson
		return nil
	})
}

// Get implements imports.Parts.
func (p *Parts) Get(_ context.Context, s tenants.Scope, id string, part int, limit int64) (ndjson []byte, err error) {
	err = p.do(s, "get", func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		kept, ok := p.parts[partKey(s, id, part)]
		if !ok {
			return fault.Missing("part_not_found", "no part %d of import %.80q", part, id)
		}
		if int64(len(kept)) > limit {
			return fault.Invalidf("", "part_too_large", "%d bytes; the limit is %d", len(kept), limit)
		}
		ndjson = bytes.Clone(kept)
		return nil
	})
	return ndjson, err
}

// Drop implements imports.Parts.
func (p *Parts) Drop(_ context.Context, s tenants.Scope, id string) error {
	return p.do(s, "drop", func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		maps.DeleteFunc(p.parts, func(key string, _ []byte) bool { return strings.HasPrefix(key, s.Key("imports", id)+"/") })
		return nil
	})
}

// Len is how many parts the tenant's imports have.
func (p *Parts) Len(s tenants.Scope) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key := range p.parts {
		if strings.HasPrefix(key, s.Key("imports")+"/") {
			n++
		}
	}
	return n
}
