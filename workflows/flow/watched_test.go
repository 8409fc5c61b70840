package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/events/trace"
	"levada.dev/events/watch"
	"levada.dev/events/watch/watchtest"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
)

// Each attempt at a step is a span of the trace that started the run; a run that nothing started has a trace of its own, the same whenever it wakes up.
func TestStepsAreNoticed(t *testing.T) {
	cause, err := trace.Parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	require.NoError(t, err)
	for name, from := range map[string]trace.Parent{"started by a request": cause, "started by nobody": {}} {
		t.Run(name, func(t *testing.T) {
			w, seen := watchtest.New("workflows", nil)
			tries := 0
			f := flow.Watched(w, "import", func(ctx context.Context, s tenants.Scope, r flow.Run, _ []byte) error {
				_, err := r.Step(ctx, "open", func(ctx context.Context) ([]byte, error) {
					assert.Equal(t, watch.Of(ctx).Parent(), flow.Cause(ctx), "what it starts is caused by it")
					if tries++; tries%2 == 1 {
						return nil, fault.Unavailablef(nil, "busy", "")
					}
					return []byte("1"), nil
				})
				return err
			})
			for _, id := range []string{"acme", "acme", "globex"} {
				require.NoError(t, flow.Inline(trace.With(t.Context(), from), tenantstest.Scope(t, id), f, "r-1", nil, &flow.InlineOptions{Pause: func(context.Context, time.Duration) error { return nil }}))
			}
			spans := seen.Spans("acme", trace.Step)
			require.Len(t, spans, 4)
			for i, span := range spans {
				assert.Equal(t, []any{"open", "import", spans[0].Trace, i%2 + 1}, []any{span.Name, span.Flow, span.Trace, span.Attempt})
			}
			assert.Equal(t, []trace.Outcome{trace.Failed, trace.OK}, []trace.Outcome{spans[0].Outcome, spans[1].Outcome})
			assert.Equal(t, map[string]int64{"levada_steps [import ok]": 2, "levada_steps [import failed]": 2, "levada_step_duration_seconds [import]": 4}, seen.Sums("acme"))
			other := seen.Spans("globex", trace.Step)
			require.Len(t, other, 2)
			if from == cause {
				assert.Equal(t, []string{cause.TraceID(), "b7ad6b7169203331"}, []string{spans[0].Trace, spans[0].Parent})
				return
			}
			assert.Empty(t, spans[0].Parent)
			assert.NotEqual(t, spans[0].Trace, other[0].Trace)
		})
	}
}

func TestStepsThatNobodyNotices(t *testing.T) {
	f := flow.Watched(nil, "import", func(ctx context.Context, _ tenants.Scope, r flow.Run, _ []byte) error {
		_, err := r.Step(ctx, "open", func(context.Context) ([]byte, error) { return nil, nil })
		return err
	})
	assert.NoError(t, flow.Inline(t.Context(), tenantstest.Scope(t, "acme"), f, "r", nil, nil))
}

func TestCause(t *testing.T) {
	p := trace.Parent{Trace: [16]byte{1}, Span: [8]byte{2}}
	assert.Zero(t, flow.Cause(t.Context()))
	assert.Equal(t, p, flow.Cause(trace.With(t.Context(), p)))
}
