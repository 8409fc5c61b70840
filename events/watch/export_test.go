package watch

// Pads is of how many tenants something lies in w.
func Pads(w *Watch) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pads)
}
