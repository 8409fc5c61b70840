package flow_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
)

func TestInlineTriesStepsAgain(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails int
		err   error
		tries int
		took  time.Duration
	}{
		{"it succeeds at once", 0, nil, 1, 0},
		{"it succeeds in the end", 5, fault.Unavailablef(nil, "busy", ""), 6, 155 * time.Second},
		{"it never succeeds", 9, fault.Unavailablef(nil, "busy", ""), 6, 155 * time.Second},
		{"it is refused", 9, fault.Invalidf("", "bad", ""), 1, 0},
		{"nobody knows", 1, errors.New("reset"), 2, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, began := 0, time.Now()
				err := flow.Inline(t.Context(), tenantstest.Scope(t, "acme"), func(ctx context.Context, s tenants.Scope, r flow.Run, params []byte) error {
					assert.Equal(t, "acme r-1 [1]", string(s.Tenant())+" "+r.ID()+" "+string(params))
					n, err := flow.Do(ctx, r, "try", func(context.Context) (int, error) {
						if tries++; tries <= c.fails {
							return 0, c.err
						}
						return tries, nil
					})
					if err == nil {
						assert.Equal(t, tries, n)
					}
					return err
				}, "r-1", []int{1}, nil)
				if c.fails >= c.tries {
					assert.ErrorIs(t, err, c.err)
				} else {
					assert.NoError(t, err)
				}
				assert.Equal(t, c.tries, tries)
				assert.Equal(t, c.took, time.Since(began))
			})
		})
	}
}

func TestInlineWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mail flow.Mailbox
		mail.Put("a", []byte("early"))
		go func() {
			time.Sleep(time.Minute)
			mail.Put("b", []byte("other"))
			time.Sleep(time.Minute)
			mail.Put("a", []byte("late"))
		}()
		began := time.Now()
		err := flow.Inline(t.Context(), tenantstest.Scope(t, "acme"), func(ctx context.Context, _ tenants.Scope, r flow.Run, _ []byte) error {
			for _, want := range []string{"early", "late"} {
				got, err := r.Wait(ctx, "for a", "a", time.Hour)
				require.NoError(t, err)
				assert.Equal(t, want, string(got))
			}
			require.NoError(t, r.Sleep(ctx, "rest", time.Minute))
			_, err := r.Wait(ctx, "for c", "c", time.Minute)
			return err
		}, "r", nil, &flow.InlineOptions{Mail: &mail})
		assert.Equal(t, flow.ErrTimeout, err)
		assert.Equal(t, 4*time.Minute, time.Since(began))
	})
}

func TestInlineEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := errors.New("over")
		for name, wait := range map[string]func(context.Context, flow.Run) error{
			"sleep": func(ctx context.Context, r flow.Run) error { return r.Sleep(ctx, "x", time.Hour) },
			"wait":  func(ctx context.Context, r flow.Run) error { _, err := r.Wait(ctx, "x", "y", time.Hour); return err },
			"step": func(ctx context.Context, r flow.Run) error {
				_, err := r.Step(ctx, "x", func(context.Context) ([]byte, error) { return nil, errors.New("again") })
				return err
			},
		} {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, over)
			err := flow.Inline(ctx, tenantstest.Scope(t, "acme"), func(ctx context.Context, _ tenants.Scope, r flow.Run, _ []byte) error { return wait(ctx, r) }, "r", nil, nil)
			assert.ErrorIs(t, err, over, name)
			cancel()
		}
	})
	assert.Error(t, flow.Inline(t.Context(), tenants.Scope{}, nil, "r", nil, nil), "nobody has no runs")
}
