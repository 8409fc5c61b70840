package flow

import (
	"context"
	"fmt"
	"time"

	"levada.dev/events/fault"
)

// pauses is for how long something may be gone without a flow failing for it, beside the retries of a step: what is asleep costs
// nothing.
var pauses = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}

// Insist is Do, and does the step again after a longer pause when it has failed so often that the run would give it up: the
// whole takes more than seven hours.
func Insist[T any](ctx context.Context, r Run, name string, f func(ctx context.Context) (T, error)) (T, error) {
	v, err := Do(ctx, r, name, f)
	for n, pause := range pauses {
		if err == nil || !fault.Retryable(err) {
			break
		}
		if err := r.Sleep(ctx, fmt.Sprintf("%s: pause %d", name, n), pause); err != nil {
			return v, err
		}
		v, err = Do(ctx, r, fmt.Sprintf("%s: again %d", name, n), f)
	}
	return v, err
}
