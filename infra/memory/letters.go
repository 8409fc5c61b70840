package memory

import (
	"context"
	"slices"
	"sync"

	"levada.dev/consumers"
)

// Letters keeps dead letters. The zero value is empty and ready.
type Letters struct {
	Hooks
	mu sync.Mutex
	ls []consumers.Letter
}

var _ consumers.Letters = (*Letters)(nil)

// Keep implements consumers.Letters.
func (l *Letters) Keep(_ context.Context, ls []consumers.Letter) error {
	return l.run("keep", func() error {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, letter := range ls {
			l.ls = slices.DeleteFunc(l.ls, func(old consumers.Letter) bool {
				return old.Queue == letter.Queue && old.MessageID == letter.MessageID
			})
			l.ls = append(l.ls, letter)
		}
		return nil
	})
}

// All is every letter, oldest first.
func (l *Letters) All() []consumers.Letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.ls)
}
