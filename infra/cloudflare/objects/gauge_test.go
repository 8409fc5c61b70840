package objects

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
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
	assert.True(t, g.full(t.Context()), "who has not answered is left alone for a while")
	assert.Equal(t, 2, asked)
	now = now.Add(gaugeAgain)
	assert.False(t, g.full(t.Context()))
	assert.Equal(t, 3, asked)
}

// A queue that says nothing costs one submission a second, in ten.
func TestNobodyWaitsLongForAQueueThatSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGauge(Backlog{Measure: func(ctx context.Context) (int64, error) {
			<-ctx.Done()
			return 0, context.Cause(ctx)
		}}, time.Now)
		began, waited := time.Now(), time.Duration(0)
		for time.Since(began) < gaugeAgain {
			asked := time.Now()
			assert.False(t, g.full(t.Context()))
			waited += time.Since(asked)
			time.Sleep(gaugeAgain / 100)
		}
		assert.Equal(t, gaugeEvery, waited)
	})
}
