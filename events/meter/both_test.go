package meter_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/meter"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
)

// sink notes what it is told, and answers what it is to answer.
type sink struct {
	told []string
	err  error
}

func (x *sink) Add(_ context.Context, s tenants.Scope, b meter.Batch) error {
	x.told = append(x.told, string(s.Tenant())+" "+b.Writer)
	return x.err
}

func TestTheOneBesideIsToldWhatTheOtherHasTaken(t *testing.T) {
	keeps, beside := &sink{err: errors.New("gone")}, &sink{err: errors.New("full")}
	x := meter.Both(keeps, beside)
	acme, globex := tenantstest.Two(t)
	require.ErrorIs(t, x.Add(t.Context(), acme, meter.Batch{Writer: "a"}), keeps.err)
	assert.Empty(t, beside.told, "it comes again")
	keeps.err = nil
	require.NoError(t, x.Add(t.Context(), acme, meter.Batch{Writer: "a"}), "what the other loses is not told again")
	require.NoError(t, x.Add(t.Context(), globex, meter.Batch{Writer: "b"}))
	assert.Equal(t, []string{"acme a", "acme a", "globex b"}, keeps.told)
	assert.Equal(t, []string{"acme a", "globex b"}, beside.told)
}
