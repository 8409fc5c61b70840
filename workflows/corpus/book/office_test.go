package book_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	stored "levada.dev/tenants/rows"
	"levada.dev/workflows/corpus/book"
)

// office is a tenant's book at the far end of a wire on which answers are lost.
type office struct {
	*desk
	*book.Client
	rng  *rand.Rand
	kept *stored.Memory
	calm bool // nothing is lost any more
}

func newOffice(t *testing.T, tenant string, rng *rand.Rand) *office {
	w := &office{desk: newDesk(t), rng: rng, kept: stored.NewMemory()}
	s, err := tenants.Resume(tenant)
	require.NoError(t, err)
	w.scope = s
	w.Client = book.NewClient(w.carry)
	return w
}

// carry runs a call. Its answer may be lost, and then the caller calls again.
func (w *office) carry(_ context.Context, _ tenants.Scope, _ []string, method string, body []byte) (reply []byte, err error) {
	for {
		tx := w.kept.Begin()
		reply, commit := w.book.Call(tx, method, body)
		if commit {
			tx.Commit()
		}
		if !w.seldom(10) {
			return reply, nil
		}
	}
}

// seldom is true once in so many times, and never when nothing is to go wrong any more.
func (w *office) seldom(n int) bool { return !w.calm && w.rng.IntN(n) == 0 }

func (w *office) lookAfter() (next time.Time) {
	tx := w.kept.Begin()
	next, err := w.book.Watch(tx)
	require.NoError(w.t, err)
	tx.Commit()
	return next
}
