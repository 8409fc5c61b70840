package dev

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/stack"
)

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		text string
		at   string
		has  bool
	}{
		{"* * * * *", "2026-11-22T11:31:00Z", true},
		{"*/5 * * * *", "2026-11-22T11:30:00Z", true},
		{"*/5 * * * *", "2026-11-22T11:31:00Z", false},
		{"0 3 * * *", "2026-11-22T03:00:00Z", true},
		{"0 3 * * *", "2026-11-22T04:00:00Z", false},
		{"10-20/5,59 * * * *", "2026-11-22T00:15:00Z", true},
		{"10-20/5,59 * * * *", "2026-11-22T00:59:00Z", true},
		{"10-20/5,59 * * * *", "2026-11-22T00:16:00Z", false},
		{"0 0 1 * *", "2026-11-01T00:00:00Z", true},
		{"0 0 * * 1", "2026-11-22T00:00:00Z", true}, // a Sunday
		{"0 0 * * 1", "2026-11-23T00:00:00Z", false},
		{"0 0 23 * 1", "2026-11-23T00:00:00Z", true}, // one of the two
		{"0 0 * 12 *", "2026-11-22T00:00:00Z", false},
		{"30/10 * * * *", "2026-11-22T00:50:00Z", true},
	} {
		s, err := parseSchedule(c.text)
		require.NoError(t, err, c.text)
		at, err := time.Parse(time.RFC3339, c.at)
		require.NoError(t, err)
		assert.Equal(t, c.has, s.has(at), "%s at %s", c.text, c.at)
	}
	for _, bad := range []string{"", "* * * *", "60 * * * *", "*/0 * * * *", "a * * * *", "1-x * * * *", "5-1 * * * *", "* * * JAN *", "* * L * *", "* * * * 0"} {
		_, err := parseSchedule(bad)
		assert.Error(t, err, "%q", bad)
	}
}

func TestTheStacksSchedulesAreRead(t *testing.T) {
	all, err := triggers(stack.Levada(stack.Pool{Name: "demo"}))
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Equal(t, []any{stack.Workflows, stack.SyncCron}, []any{all[0].role, all[0].text})
	_, err = triggers(stack.Stack{Workers: []stack.Worker{{Role: stack.API, Crons: []string{"never"}}}})
	assert.ErrorContains(t, err, `worker api: cron "never"`)
}

func TestSchedulesRunByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all, err := triggers(stack.Stack{Workers: []stack.Worker{{Role: stack.API, Crons: []string{"*/5 * * * *"}}, {Role: stack.Workflows, Crons: []string{"0 * * * *"}}}})
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Hour)
		defer cancel()
		ran := map[stack.Role]int{}
		keepTime(ctx, all, func(_ context.Context, of trigger) {
			ran[of.role]++
			assert.LessOrEqual(t, time.Now().UTC().Second(), 1)
			time.Sleep(time.Second) // it takes a while
		})
		assert.InDelta(t, 36, ran[stack.API], 1)
		assert.InDelta(t, 3, ran[stack.Workflows], 1)
	})
}
