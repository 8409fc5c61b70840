package flow

import "time"

// How a step that fails with a retryable fault is tried again: so often after the first attempt, and with these delays, each
// twice the one before. A fault that says when to come back (RetryAfter) is for the flow itself to sleep on: an adapter may know of it
// only that the step failed.
const (
	Retries    = 5
	RetryDelay = 5 * time.Second
)

// Delay is how long a step waits before its n-th retry, n from 1 on, when the first delay is base.
func Delay(base time.Duration, n int) time.Duration { return base << min(max(n-1, 0), 16) }
