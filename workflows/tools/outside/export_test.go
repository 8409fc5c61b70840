package outside

// Kept is how many tenants' tools are kept, and how many bytes of schemas.
func (t *Tools) Kept() (tenants, bytes int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.kept {
		bytes += e.bytes
	}
	if bytes != t.bytes {
		panic("the sum is wrong")
	}
	return len(t.kept), bytes
}

// Expand is the path of a template with arguments.
var Expand = expand
