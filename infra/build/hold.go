package build

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// hold makes a folder hold exactly the files, by their paths with slashes, and tells whether that changed anything. What else is in it goes:
// files that have gone since the last build, and what an interrupted one left. Builds at the same time take turns: what one is writing would be
// left over to the other.
func hold(dir string, files map[string][]byte) (changed bool, err error) {
	turn, err := lock(dir)
	if err != nil {
		return false, err
	}
	defer turn.Close() // which ends the lock
	for _, name := range slices.Sorted(maps.Keys(files)) {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return changed, err
		}
		wrote, err := writeChanged(to, files[name])
		if err != nil {
			return changed, err
		}
		changed = changed || wrote
	}
	gone, err := prune(dir, files)
	return changed || gone, err
}

// lock waits until the folder is nobody else's. It is there afterwards.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, syscall.EINTR):
			return nil, errors.Join(fmt.Errorf("cannot be locked against other builds: %w", err), f.Close())
		}
	}
}

// writeChanged puts data into the file, unless it is there already. A reader
// sees the old content or the new, never a part.
func writeChanged(path string, data []byte) (wrote bool, err error) {
	old, err := os.ReadFile(path)
	if err == nil && bytes.Equal(old, data) {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return false, err
	}
	_, err = temp.Write(data)
	err = errors.Join(err, temp.Chmod(0o644), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return false, errors.Join(err, os.Remove(temp.Name()))
	}
	return true, nil
}

// prune removes the files that are not wanted, and folders that hold none.
func prune(dir string, wanted map[string][]byte) (removed bool, err error) {
	var folders []string
	err = filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			folders = append(folders, name)
			return nil
		}
		rel, err := filepath.Rel(dir, name)
		if _, ours := wanted[filepath.ToSlash(rel)]; ours || err != nil {
			return err
		}
		removed = true
		return os.Remove(name)
	})
	for _, folder := range slices.Backward(folders) { // the deepest first
		if entries, readErr := os.ReadDir(folder); readErr == nil && len(entries) == 0 {
			err = errors.Join(err, os.Remove(folder))
		}
	}
	return removed, err
}
