package consumers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/consumers"
	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/workflows/corpus"
)

func TestWhatComesAgainIsNotedOnceAGroup(t *testing.T) {
	p := &parish{}
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	calls := 0
	o := consumers.Options{Now: func() time.Time { return now }}
	r := router(p, o, func(_ context.Context, s tenants.Scope, ds []consumers.Delivery) []error {
		calls++
		errs := make([]error, len(ds))
		for i, d := range ds {
			if d.Event.Subject != "documents/good" {
				errs[i] = fault.New(fault.Unavailable, "model_busy", "out of capacity", nil)
			}
		}
		return errs
	})
	ms := []consumers.Message{
		message(t, "acme", "first", 1), message(t, "acme", "second", 2), message(t, "acme", "good", 3), message(t, "acme", "third", 3),
		message(t, "globex", "second", 2),
	}
	vs := r.Handle(t.Context(), "ingest", ms)
	require.Len(t, p.progress, 3, "from the second attempt on")
	assert.Equal(t, 2, p.calls, "one call for each group")
	for _, got := range p.progress {
		assert.Equal(t, []any{corpus.StageChunk, "model_busy", "out of capacity"}, []any{got.Stage, got.Code, got.Message})
		assert.Contains(t, []time.Time{now.Add(vs[1].Delay), now.Add(vs[3].Delay), now.Add(vs[4].Delay)}, got.Retry)
	}

	p.err = errors.New("down")
	assert.Equal(t, vs, r.Handle(t.Context(), "ingest", ms), "no verdict depends on it")
}
