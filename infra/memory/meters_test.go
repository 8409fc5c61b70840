package memory_test

import (
	"testing"
	"time"

	"levada.dev/events/meter/metertest"
	"levada.dev/infra/memory"
)

func TestMeters(t *testing.T) {
	meters := memory.NewMeters(time.Now)
	metertest.TestMeters(t, func(*testing.T) metertest.Meters { return meters })
}

func TestRules(t *testing.T) {
	meters := memory.NewMeters(time.Now)
	metertest.TestRules(t, func(*testing.T) metertest.Rules { return meters })
}
