package flowtest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/flow"
	"levada.dev/workflows/flow/flowtest"
)

// till is what the flow of these tests works on: it counts what was done, by tenant and name.
type till map[string]int

func (b till) put(s tenants.Scope, name string) int {
	b[s.Key(name)]++
	return b[s.Key(name)]
}

// order pays, ships each part, sleeps, and waits to be told that it has arrived.
func (b till) order(ctx context.Context, s tenants.Scope, r flow.Run, _ []byte) error {
	parts, err := flow.Do(ctx, r, "pay", func(context.Context) (int, error) { b.put(s, r.ID()+"/paid"); return 2, nil })
	if err != nil {
		return err
	}
	for n := range parts {
		if _, err := flow.Do(ctx, r, fmt.Sprintf("ship %d", n), func(context.Context) (int, error) {
			if b.put(s, fmt.Sprintf("%s/shipped/%d", r.ID(), n)) == 1 && n == 1 {
				return 0, fault.Unavailablef(nil, "carrier_busy", "later")
			}
			return n, nil
		}); err != nil {
			return err
		}
	}
	if err := r.Sleep(ctx, "on the way", time.Hour); err != nil {
		return err
	}
	_, err = r.Wait(ctx, "arrival", "arrived", time.Hour)
	return err
}

func TestSurvives(t *testing.T) {
	for _, tenant := range []string{"acme", "globex"} {
		t.Run(tenant, func(t *testing.T) {
			flowtest.Survives(t, func(t *testing.T) (*flowtest.Engine, func(*testing.T)) {
				b, s := till{}, tenantstest.Scope(t, tenant)
				e := &flowtest.Engine{Flow: b.order, Scope: s, ID: "o-1"}
				e.Idle = func(signal string) { e.Signal(signal, "here") }
				return e, func(t *testing.T) {
					assert.Equal(t, []string{"step pay", "step ship 0", "step ship 1", "sleep on the way", "wait arrival"}, e.Names())
					for _, name := range []string{"o-1/paid", "o-1/shipped/0", "o-1/shipped/1"} {
						assert.Positive(t, b[s.Key(name)], name)
					}
					assert.Len(t, b, 3)
				}
			})
		})
	}
}

func TestADeathCostsTheResultAtMost(t *testing.T) {
	acme := tenantstest.Scope(t, "acme")
	for _, c := range []struct {
		when flowtest.When
		paid int
	}{{flowtest.Before, 1}, {flowtest.Between, 2}, {flowtest.After, 1}} {
		b := till{}
		e := &flowtest.Engine{Flow: b.order, Scope: acme, ID: "o", Die: flowtest.Lost("pay", c.when)}
		assert.Equal(t, flow.ErrTimeout, e.Run(t.Context()), "nobody told it of the arrival")
		assert.Equal(t, c.paid, b[acme.Key("o/paid")], c.when)
		assert.Equal(t, 2, e.Lives)
	}
}

func TestAFlowThatTakesAnotherWayIsRefused(t *testing.T) {
	step := func(r flow.Run, name string) error {
		_, err := r.Step(t.Context(), name, func(context.Context) ([]byte, error) { return nil, nil })
		return err
	}
	for name, second := range map[string]func(flow.Run) error{
		"another name":  func(r flow.Run) error { return errors.Join(step(r, "b"), step(r, "a")) },
		"another call":  func(r flow.Run) error { return r.Sleep(t.Context(), "a", time.Second) },
		"a shorter way": func(r flow.Run) error { return step(r, "a") },
	} {
		t.Run(name, func(t *testing.T) {
			e := &flowtest.Engine{Scope: tenantstest.Scope(t, "acme"), ID: "x", Die: flowtest.Lost("b", flowtest.After)}
			e.Flow = func(_ context.Context, _ tenants.Scope, r flow.Run, _ []byte) error {
				if e.Lives > 1 {
					return second(r)
				}
				return errors.Join(step(r, "a"), step(r, "b"))
			}
			assert.Equal(t, "flow_not_deterministic", fault.As(e.Run(t.Context())).Code)
		})
	}
}

func TestWhatAStepReturns(t *testing.T) {
	refusal := fault.Invalidf("a.b", "bad", "no").WithHint("yes")
	tries := 0
	e := &flowtest.Engine{Scope: tenantstest.Scope(t, "acme"), ID: "x", Die: flowtest.Lost("refused", flowtest.After)}
	e.Flow = func(ctx context.Context, _ tenants.Scope, r flow.Run, params []byte) error {
		assert.Equal(t, `{"n":1}`, string(params))
		_, err := flow.Do(ctx, r, "refused", func(context.Context) (int, error) { tries++; return 0, fmt.Errorf("reading: %w", refusal) })
		assert.Equal(t, *refusal, *fault.As(err))
		_, err = flow.Do(ctx, r, "busy", func(context.Context) (int, error) { tries++; return 0, fault.Unavailablef(nil, "busy", "") })
		assert.Equal(t, "busy", fault.As(err).Code)
		_, err = r.Step(ctx, "large", func(context.Context) ([]byte, error) { return make([]byte, 1<<20+1), nil })
		assert.Equal(t, "step_result_too_large", fault.As(err).Code)
		_, err = flow.Do(ctx, r, "of another form", func(context.Context) (any, error) { return make(chan int), nil })
		return err
	}
	e.Params = map[string]int{"n": 1}
	require.Error(t, e.Run(t.Context()))
	assert.Equal(t, 1+flow.Retries+1, tries)
}
