package fault_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/fault"
)

func TestIsolate(t *testing.T) {
	bad := map[int]bool{3: true, 4: true, 11: true}
	calls := 0
	errs := fault.Isolate(16, func(from, to int) error {
		calls++
		for i := from; i < to; i++ {
			if bad[i] {
				return fault.Invalidf("", "bad", "%d", i)
			}
		}
		return nil
	})
	for i, err := range errs {
		assert.Equal(t, bad[i], err != nil, i)
	}
	assert.Less(t, calls, 20)

	calls = 0
	errs = fault.Isolate(8, func(int, int) error { calls++; return fault.Unavailablef(nil, "busy", "later") })
	assert.Equal(t, 1, calls, "what may succeed later is not taken apart")
	for _, err := range errs {
		assert.Error(t, err)
	}
	assert.Empty(t, fault.Isolate(0, func(int, int) error { t.Fatal("nothing to do"); return nil }))
}
