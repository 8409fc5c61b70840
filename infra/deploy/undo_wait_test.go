package deploy_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy"
	"levada.dev/infra/deploy/double"
)

// patience waits no time, and not longer than a context would have let it wait in all.
func patience() func(ctx context.Context, d time.Duration) error {
	var waited time.Duration
	return func(ctx context.Context, d time.Duration) error {
		waited += d
		if end, ends := ctx.Deadline(); ends && time.Until(end) < waited {
			return context.DeadlineExceeded
		}
		return ctx.Err()
	}
}

// The API blocks for five minutes who was too fast, also whoever takes back what he did.
func TestABlockDoesNotKeepTheTrafficDivided(t *testing.T) {
	w := newWorld(t)
	v1 := w.desired("acme", "v1", "one")
	w.deploy(w.acme(), v1)
	w.deploy(w.globex(), w.desired("globex", "v1", "one"))
	w.sleep = patience()
	p := w.plan(w.acme(), w.desired("acme", "v2", "two"))
	w.api.Sick(func(_, _, tag string) int { return map[bool]int{true: 500}[tag == "v2"] })
	o := w.options()
	o.Progress = func(line string) {
		if strings.HasPrefix(line, "taking it back") {
			w.api.Fail(double.Fault{Path: regexp.MustCompile(acmeAccount), Status: http.StatusTooManyRequests, Code: 10013, Message: "slow down", RetryAfter: "300", Times: 2})
		}
	}
	var back *deploy.RolledBackError
	require.ErrorAs(t, deploy.Apply(t.Context(), p, o), &back)
	assert.Equal(t, "v1", back.To)
	w.api.Sick(nil)
	w.still(w.acme(), v1)
	w.still(w.globex(), w.desired("globex", "v1", "one"))
}

// A queue that was paused because of the release that is live is paused again when that comes back, and it keeps messages as long as before.
func TestAPausedQueueIsPausedAgain(t *testing.T) {
	w := newWorld(t)
	v1, v2 := w.desired("acme", "v1", "one"), w.desired("acme", "v2", "two")
	v2.Stack.Queues[0].Retention /= 2
	w.deploy(w.acme(), v1)
	queue := v1.Unit.Name(v1.Stack.Queues[0].Name)
	w.api.Edit(acmeAccount, func(a *double.Account) {
		a.EditQueue(queue, func(s *double.QueueSettings) { s.DeliveryPaused = true })
	})
	w.api.Fail(double.Fault{Method: "PUT", Path: regexp.MustCompile(`/bulk$`), Status: http.StatusBadRequest, Code: 1, Message: "no", Times: 1})
	var back *deploy.RolledBackError
	require.ErrorAs(t, w.apply(w.plan(w.acme(), v2)), &back)
	drift, err := deploy.MakeDrift(t.Context(), w.acme(), v1.Unit)
	require.NoError(t, err)
	assert.Equal(t, []string{"! queue " + queue + "  (delivery_paused true -> false)"}, changes(drift))
	w.deploy(w.acme(), v2)
}
