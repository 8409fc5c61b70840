package dev

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockState makes the state folder ours alone: two platforms on the same databases would destroy them. The child
// inherits the file, so the lock lasts until both have ended. A platform that was killed leaves a child that takes a
// moment to notice; lockState waits for it, and gives up when the holder is there to stay.
func lockState(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*grace)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", dir, err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("another platform runs on %s: stop it, or set LEVADA_STATE to another folder", dir), f.Close())
		case <-time.After(50 * time.Millisecond):
		}
	}
}
