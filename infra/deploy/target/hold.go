package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Hold makes the folders of files ours alone among those who hold them, so that of two who edit a file at once none loses what the other
// wrote. It waits for whoever has one, as long as ctx lasts. The system lets go of what is held when its holder dies, and nothing is left
// there. Of a folder that is not there nothing can be lost.
func Hold(ctx context.Context, files ...string) (release func(), err error) {
	var held []*os.File
	release = func() {
		for _, f := range held {
			_ = f.Close() // which is all there is to do
		}
	}
	dirs := make([]string, len(files))
	for i, file := range files {
		if dirs[i], err = filepath.EvalSymlinks(filepath.Dir(file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	slices.SortFunc(dirs, strings.Compare) // the same order for all: no two wait for each other
	for _, dir := range slices.Compact(dirs) {
		if dir == "" {
			continue
		}
		f, err := holdFolder(ctx, dir)
		if err != nil {
			release()
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		held = append(held, f)
	}
	return release, nil
}

// holdFolder locks a folder itself: a file for that would have to stay, and be ignored by git.
func holdFolder(ctx context.Context, dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errors.Join(fmt.Errorf("cannot be locked against others who edit it: %w", err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), f.Close())
		case <-time.After(10 * time.Millisecond):
		}
	}
}
