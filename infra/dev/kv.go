package dev

import "context"

// KV is a namespace of the running platform, reached from outside of its Workers.
type KV struct {
	child           *child
	worker, binding string
}

// Get returns the value under a key.
func (kv KV) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	var text *string
	if err := kv.ask(ctx, "get", &text, key); err != nil || text == nil {
		return nil, false, err
	}
	return []byte(*text), true, nil
}

// Put stores a value, which must be UTF-8 text.
func (kv KV) Put(ctx context.Context, key string, value []byte) error {
	return kv.ask(ctx, "put", nil, key, string(value))
}

// Delete removes a key.
func (kv KV) Delete(ctx context.Context, key string) error { return kv.ask(ctx, "delete", nil, key) }

// Keys lists the keys that begin with prefix.
func (kv KV) Keys(ctx context.Context, prefix string) (keys []string, err error) {
	for cursor := ""; ; {
		var page struct {
			Keys     []struct{ Name string }
			Complete bool `json:"list_complete"`
			Cursor   string
		}
		options := map[string]any{"prefix": prefix}
		if cursor != "" {
			options["cursor"] = cursor
		}
		if err := kv.ask(ctx, "list", &page, options); err != nil {
			return nil, err
		}
		for _, k := range page.Keys {
			keys = append(keys, k.Name)
		}
		if cursor = page.Cursor; page.Complete || cursor == "" {
			return keys, nil
		}
	}
}

func (kv KV) ask(ctx context.Context, method string, out any, args ...any) error {
	return kv.child.ask(ctx, "kv", map[string]any{"worker": kv.worker, "binding": kv.binding, "method": method, "args": args}, out)
}
