package build

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// hold makes a folder hold exactly the files, by their paths with slashes, and tells whether that changed anything. What else is in it goes:
// files that have gone since the last build, and what an interrupted one left.
func hold(dir string, files map[string][]byte) (changed bool, err error) {
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
