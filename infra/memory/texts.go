package memory

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

// Texts keeps texts. The zero value is empty and ready.
type Texts struct {
	Hooks
	mu    sync.Mutex
	texts map[string][]byte
	keys  map[string]string // by what they are stored under
}

var _ corpus.Texts = (*Texts)(nil)

// Put implements corpus.Texts.
func (t *Texts) Put(_ context.Context, s tenants.Scope, key string, text []byte, contentType string) error {
	return t.do(s, "put", func() error {
		if key == "" || contentType == "" {
			return fault.New(fault.Internal, "text_rule", "a text needs a key and a content type", nil)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.texts == nil {
			t.texts, t.keys = map[string][]byte{}, map[string]string{}
		}
		stored := s.Key("texts", key)
		t.texts[stored], t.keys[stored] = append([]byte{}, text...), key
		return nil
	})
}

// Get implements corpus.Texts.
func (t *Texts) Get(_ context.Context, s tenants.Scope, key string) (text []byte, err error) {
	err = t.do(s, "get", func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		stored, ok := t.texts[s.Key("texts", key)]
		if !ok {
			return fault.Missing("text_not_found", "no text %.80q", key)
		}
		text = bytes.Clone(stored)
		return nil
	})
	return text, err
}

// Delete implements corpus.Texts.
func (t *Texts) Delete(_ context.Context, s tenants.Scope, keys ...string) error {
	return t.do(s, "delete", func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, key := range keys {
			delete(t.texts, s.Key("texts", key))
		}
		return nil
	})
}

// List implements corpus.Texts.
func (t *Texts) List(_ context.Context, s tenants.Scope, prefix string, limit int) (keys []string, err error) {
	err = t.do(s, "list", func() error {
		if prefix == "" || limit < 1 {
			return fault.New(fault.Internal, "text_rule", "a list needs a prefix and a limit", nil)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, stored := range slices.Sorted(maps.Keys(t.keys)) {
			if key := t.keys[stored]; len(keys) < limit && stored == s.Key("texts", key) && strings.HasPrefix(key, prefix) && t.texts[stored] != nil {
				keys = append(keys, key)
			}
		}
		return nil
	})
	return keys, err
}

// Len is how many texts the tenant has.
func (t *Texts) Len(s tenants.Scope) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for k := range t.texts {
		if strings.HasPrefix(k, s.Key("texts")+"/") {
			n++
		}
	}
	return n
}
