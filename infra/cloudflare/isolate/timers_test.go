//go:build unix

package isolate_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

func TestTimers(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	for _, how := range []string{"sleep", "after", "ctx", "ticker"} {
		t.Run(how, func(t *testing.T) {
			slept(t, many(100, 100, func(i int) workerdtest.Reply {
				return s.Get(fmt.Sprintf("/sleep?how=%s&ms=%d&io=%d&tag=t%d", how, 20+(i*37)%400, 5+i%20, i))
			}))
		})
	}
	t.Run("a lone sleeper", func(t *testing.T) {
		slept(t, many(5, 1, func(i int) workerdtest.Reply { return s.Get(fmt.Sprintf("/sleep?ms=30&io=5&tag=t%d", i)) }))
	})
	t.Run("hosts that end before the timer", func(t *testing.T) {
		slept(t, many(60, 30, func(i int) workerdtest.Reply {
			ms := 10 + i%20
			if i%10 == 0 {
				ms = 500 + i
			}
			return s.Get(fmt.Sprintf("/sleep?ms=%d&io=5&tag=t%d", ms, i))
		}))
	})
	t.Run("deadlines over a slow subrequest", func(t *testing.T) {
		allOK(t, many(100, 100, func(i int) workerdtest.Reply {
			return s.Get(fmt.Sprintf("/timeout?to=%d&ms=5000", 30+i))
		}), func(int) string { return quoted("context deadline exceeded") })
	})
	st := quiet(t, s)
	assert.LessOrEqual(t, st.Stats.Host.Timers, 1)
}

// slept checks the answers of /sleep: each its own tag, none early. Lateness is only shown.
func slept(t *testing.T, replies []workerdtest.Reply) {
	t.Helper()
	var late []int
	for i, r := range replies {
		v := decode[struct {
			Tag  string
			Late int
		}](t, r)
		assert.Equal(t, fmt.Sprintf("t%d", i), v.Tag)
		assert.GreaterOrEqual(t, v.Late, 0, "woke early")
		late = append(late, v.Late)
	}
	slices.Sort(late)
	t.Logf("late by %d ms in the median, %d ms at most", late[len(late)/2], late[len(late)-1])
}
