package client

import (
	"context"
	"errors"
	"time"
)

// The pauses between attempts grow from the first to the longest; what the platform asks for comes on top.
const (
	firstPause   = 200 * time.Millisecond
	longestPause = 5 * time.Second
)

// patiently calls f again while the platform says that it is busy, after the time that it asks for and some jitter. It
// gives up where that would take longer than the client's patience.
func (c *Client) patiently(ctx context.Context, f func() error) error {
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := f()
		var e *Error
		if err == nil || !errors.As(err, &e) || !e.busy() {
			return err
		}
		wait := e.Fault.RetryAfter + c.opts.Jitter(pause)
		if time.Since(began)+wait > c.opts.Patience {
			return err
		}
		if err := Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// Sleep waits, or fails with what ended ctx.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
