package e2e

import (
	"math"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tally counts the answers of many requests that are sent at once, by status and code.
type tally struct {
	mu    sync.Mutex
	count map[string]int
	took  time.Duration
}

// crowd sends a request n times at once.
func crowd(n int, ask func() (answer, error)) *tally {
	c := &tally{count: map[string]int{}}
	began := time.Now()
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			a, err := ask()
			name := http.StatusText(a.Status) + " " + a.Error.Code
			if err != nil {
				name = err.Error()
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.count[name]++
		})
	}
	all.Wait()
	c.took = time.Since(began)
	return c
}

// beside asks again and again until stop is called, which returns how often, and what went wrong.
func beside(ask func() (answer, error)) (stop func() (asked int, failed []string)) {
	quit, done := make(chan struct{}), make(chan struct{})
	asked, failed := 0, []string{}
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			default:
			}
			asked++
			if a, err := ask(); err != nil {
				failed = append(failed, err.Error())
			} else if a.Status != http.StatusOK {
				failed = append(failed, string(a.Body))
			}
		}
	}()
	return func() (int, []string) {
		close(quit)
		<-done
		return asked, failed
	}
}

// A thousand requests at once against a budget for a hundred: exactly a hundred pass, nothing is overdrawn, and the other
// tenant notices nothing.
func TestBudgetIsExact(t *testing.T) {
	t.Parallel()
	u, other := as(t, "thrifty"), as(t, "fir")
	call := thriftyCall()
	body := map[string]any{
		"model": "default", "max_tokens": thriftyAnswer,
		"messages": []any{map[string]any{"role": "user", "content": thriftyMessage(call.Prompt)}},
	}
	stop := beside(func() (answer, error) { return other.try(http.MethodPost, "/v1/chat/completions", body) })
	asked := crowd(1000, func() (answer, error) { return u.try(http.MethodPost, "/v1/chat/completions", body) })
	calls, failed := stop()
	passing, lasting := asked.count["Too Many Requests rate_limit_exceeded"], asked.count["Too Many Requests insufficient_quota"]
	assert.Equal(t, []int{allowance, 1000 - allowance}, []int{asked.count["OK "], passing + lasting},
		"refused while the calls were in flight, or after they had used it up: %v", asked.count)
	assert.NotZero(t, calls)
	assert.Empty(t, failed, "the other tenant has a budget of its own")

	var a account
	eventually(t, "everything is settled and told", func() bool {
		a = u.account()
		_, spent, reserved := a.tokensToday()
		return spent == allowance*call.Tokens && reserved == 0
	})
	limit, spent, _ := a.tokensToday()
	assert.Equal(t, limit, spent)
	assert.EqualValues(t, allowance, a.Totals.Calls)
	assert.Zero(t, a.Totals.Estimated)
	assert.EqualValues(t, allowance*thriftyAnswer, a.Totals.CompletionTokens)

	refused := u.do(http.MethodPost, "/chat", map[string]any{"message": thriftyMessage(call.Prompt)})
	assert.Equal(t, []any{http.StatusTooManyRequests, "budget_exhausted"}, []any{refused.Status, refused.Error.Code})
	assert.NotEmpty(t, refused.Error.TraceID)
	assert.NotEmpty(t, refused.Header.Get("retry-after"))
}

// A thousand requests at once against a rate of a hundred, which fills up again by one a second.
func TestRateIsExact(t *testing.T) {
	t.Parallel()
	u, other := as(t, "strict"), as(t, "fir")
	ask := func(u user) func() (answer, error) {
		return func() (answer, error) { return u.try(http.MethodGet, "/sessions", nil) }
	}
	stop := beside(ask(other))
	asked := crowd(1000, ask(u))
	_, failed := stop()
	passed := asked.count["OK "]
	require.Equal(t, 1000, passed+asked.count["Too Many Requests rate_limited"], "%v", asked.count)
	assert.GreaterOrEqual(t, passed, allowance)
	assert.LessOrEqual(t, passed, allowance+int(math.Ceil(asked.took.Seconds())), "what came back in %v", asked.took)
	assert.Empty(t, failed, "the other tenant has rates of its own")
}
