package objects

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestGaugeAsksOnceASecondAndKeepsWhatItKnew(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var backlog int64 = DefaultMaxBacklog + 1
	var err error
	asked := 0
	g := newGauge(Backlog{Measure: func(context.Context) (int64, error) {
		asked++
		return backlog, err
	}}, func() time.Time { return now })
	assert.True(t, g.full(t.Context()))
	backlog = 0
	assert.True(t, g.full(t.Context()), "asked again within the second")
	assert.Equal(t, 1, asked)

	now, err = now.Add(time.Second), errors.New("no answer")
	assert.True(t, g.full(t.Context()), "no answer changes nothing")
	now, err = now.Add(time.Second), nil
	assert.False(t, g.full(t.Context()))
	assert.Equal(t, 3, asked)
}
