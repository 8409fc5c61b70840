package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

var errOrphan = errors.New("the process that started this one has ended")

// withParent returns a context that also ends when the process that started this one does, and, where the system tells
// (Linux), when the go command above that does. They are what somebody kills who has started go tool task dev; neither
// passes a signal on.
func withParent(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	parent := os.Getppid()
	grandparent, name := parentOf(parent), ""
	if grandparent > 1 {
		name = nameOf(grandparent)
	}
	go func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if os.Getppid() != parent || name == "go" && parentOf(parent) != grandparent {
				cancel(errOrphan)
			}
		}
	}()
	return ctx, func() { cancel(nil) }
}

// parentOf is the parent of a process, 0 where the system does not tell.
func parentOf(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// pid (name) state ppid ...; the name may hold anything, parentheses included.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, _ := strconv.Atoi(string(fields[1])) // 0 as well
	return parent
}

func nameOf(pid int) string {
	exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return ""
	}
	return filepath.Base(exe)
}
