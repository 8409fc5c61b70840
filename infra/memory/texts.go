package memory

import (
	"bytes"
	"context"
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
			t.texts = map[string][]byte{}
		}
		t.texts[s.Key("texts", key)] = bytes.Clone(text)
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
func (t *Texts) Delete(_ context.Context, s tenants.Scope, key string) error {
	return t.do(s, "delete", func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.texts, s.Key("texts", key))
		return nil
	})
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
