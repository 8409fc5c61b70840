package api

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"levada.dev/events/trace"
)

func TestMillisecondsAreTheShortestThatAreExact(t *testing.T) {
	for _, us := range []int64{0, 1, 10, 100, 120, 999, 1000, 1001, 1010, 1100, 12_345, 12_340, 100_000, 99_999_999, -1, -1500} {
		d := time.Duration(us) * time.Microsecond
		assert.Equal(t, strconv.FormatFloat(trace.Milliseconds(d), 'f', -1, 64), string(appendMilliseconds(nil, d)))
	}
}

func TestHashesForgetRatherThanGrow(t *testing.T) {
	var h hashes
	for i := range 3 * maxHashes {
		key := strconv.Itoa(i)
		h.put(key, "#"+key)
		hash, ok := h.get(key)
		assert.True(t, ok)
		assert.Equal(t, "#"+key, hash)
		assert.LessOrEqual(t, len(h.known), maxHashes)
	}
	_, ok := h.get("0")
	assert.False(t, ok)
}
