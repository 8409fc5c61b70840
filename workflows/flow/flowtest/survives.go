package flowtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Survives runs a flow undisturbed, then once for each moment at which it can die, then dying at all of them, and with signals that
// come twice, or also before the run has begun. Each time make makes a world and the run in it, and check says what must be so at its end.
// After it has ended, a run is gone through once more: what was kept must lead the same way.
func Survives(t *testing.T, make func(t *testing.T) (e *Engine, check func(t *testing.T))) {
	var points []Point
	var sent []Signal
	try := func(name string, disturb func(*Engine)) {
		t.Run(name, func(t *testing.T) {
			e, check := make(t)
			disturb(e)
			require.NoError(t, e.Run(t.Context()))
			check(t)
			lives := e.Lives
			e.Die = nil
			require.NoError(t, e.Run(t.Context()), "after its end")
			assert.Equal(t, lives+1, e.Lives)
			check(t)
			sent = e.Sent
		})
	}
	try("undisturbed", func(e *Engine) {
		e.Die = func(p Point) bool { points = append(points, p); return false }
	})
	require.NotEmpty(t, points, "a flow without a step")
	early := sent
	for _, at := range points {
		try("dies "+at.String(), func(e *Engine) { e.Die = once(at) })
	}
	try("dies all the time", func(e *Engine) {
		seen := map[Point]bool{}
		e.Die = func(p Point) bool { died := seen[p]; seen[p] = true; return !died }
	})
	try("signals twice", func(e *Engine) { e.Twice = true })
	try("signals before it has begun", func(e *Engine) {
		for _, s := range early {
			e.mail.Put(s.Name, s.Payload)
		}
	})
}

// once dies at a moment, the first time that it comes.
func once(at Point) func(Point) bool {
	died := false
	return func(p Point) bool {
		if died || p != at {
			return false
		}
		died = true
		return true
	}
}

// Lost is an Engine.Die that takes a run's life at one call, by its name.
func Lost(name string, when When) func(Point) bool {
	died := false
	return func(p Point) bool {
		if died || p.Name != name || p.When != when {
			return false
		}
		died = true
		return true
	}
}
