package memory

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/speech"
)

// Sounds keeps what was spoken. The zero value is empty and ready.
type Sounds struct {
	Hooks
	// AtOnce is how many parts one Drop removes; 0 for all.
	AtOnce int

	mu    sync.Mutex
	parts map[string][]byte
}

var _ speech.Sounds = (*Sounds)(nil)

func soundKey(s tenants.Scope, reel, name string) string { return s.Key("speech", reel, name) }

// Put implements speech.Sounds.
func (x *Sounds) Put(_ context.Context, s tenants.Scope, reel, name string, part []byte) error {
	return x.do(s, "put", func() error {
		if reel == "" || name == "" || len(part) == 0 {
			return fault.New(fault.Internal, "sound_rule", "a part needs a reel, a name and bytes", nil)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.parts == nil {
			x.parts = map[string][]byte{}
		}
		x.parts[soundKey(s, reel, name)] = bytes.Clone(part)
		return nil
	})
}

// Open implements speech.Sounds.
func (x *Sounds) Open(_ context.Context, s tenants.Scope, reel, name string, from, n int64) (r io.ReadCloser, err error) {
	err = x.do(s, "open", func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		part, ok := x.parts[soundKey(s, reel, name)]
		if !ok {
			return fault.Missing("sound_not_found", "no part %.80q of %.80q", name, reel)
		}
		if from < 0 || n < 1 || from+n > int64(len(part)) {
			return fault.New(fault.Internal, "sound_rule", "what is read is not in the part", nil)
		}
		r = io.NopCloser(bytes.NewReader(bytes.Clone(part[from : from+n])))
		return nil
	})
	return r, err
}

// Drop implements speech.Sounds.
func (x *Sounds) Drop(_ context.Context, s tenants.Scope, reel string) (more bool, err error) {
	err = x.do(s, "drop", func() error {
		x.mu.Lock()
		defer x.mu.Unlock()
		removed := 0
		for _, key := range keysOf(x.parts) {
			if !strings.HasPrefix(key, s.Key("speech", reel)+"/") {
				continue
			}
			if more = x.AtOnce > 0 && removed == x.AtOnce; more {
				return nil
			}
			delete(x.parts, key)
			removed++
		}
		return nil
	})
	return more, err
}

// Len is how many parts the tenant has.
func (x *Sounds) Len(s tenants.Scope) (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range x.parts {
		if strings.HasPrefix(key, s.Key("speech")+"/") {
			n++
		}
	}
	return n
}
