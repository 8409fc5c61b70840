package dev

import (
	"context"

	"levada.dev/infra/stack"
)

// R2 is a bucket of the running platform, reached from outside of its Workers.
type R2 struct {
	child           *child
	worker, binding string
}

// R2 is a bucket of a Worker by its binding.
func (p *Platform) R2(role stack.Role, binding string) R2 {
	return R2{child: p.child, worker: string(role), binding: binding}
}

// Keys lists the objects whose keys begin with prefix.
func (b R2) Keys(ctx context.Context, prefix string) (keys []string, err error) {
	for cursor := ""; ; {
		var page struct {
			Objects   []struct{ Key string }
			Truncated bool
			Cursor    string
		}
		options := map[string]any{"prefix": prefix}
		if cursor != "" {
			options["cursor"] = cursor
		}
		if err := b.ask(ctx, "list", &page, options); err != nil {
			return nil, err
		}
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		if cursor = page.Cursor; !page.Truncated {
			return keys, nil
		}
	}
}

// Get returns an object, which must be UTF-8 text.
func (b R2) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	var text *string
	if err := b.ask(ctx, "get", &text, key); err != nil || text == nil {
		return nil, false, err
	}
	return []byte(*text), true, nil
}

// Delete removes an object.
func (b R2) Delete(ctx context.Context, key string) error { return b.ask(ctx, "delete", nil, key) }

func (b R2) ask(ctx context.Context, method string, out any, args ...any) error {
	return b.child.ask(ctx, "r2", map[string]any{"worker": b.worker, "binding": b.binding, "method": method, "args": args}, out)
}

// Put writes an object of text.
func (b R2) Put(ctx context.Context, key, text string) error {
	return b.ask(ctx, "put", nil, key, text)
}
