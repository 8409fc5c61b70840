package fleet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"levada.dev/events/fault"
	"levada.dev/infra/deploy"
)

// lock makes a unit of an account ours alone among all processes that use the folder, until the file is closed, which the system does
// for who was killed. The file stays: to remove it would take it from under another who has just opened it.
func lock(folder, account string, u deploy.Unit, now time.Time) (io.Closer, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the lock of %s: %w", u, err)
	}
	f, held, err := tryLock(filepath.Join(folder, account+"-"+u.Name("lock")))
	if err != nil {
		return nil, fmt.Errorf("the lock of %s: %w", u, err)
	}
	if held {
		holder, _ := io.ReadAll(io.LimitReader(f, 256))
		_ = f.Close()
		return nil, fault.New(fault.Conflict, "deployment_running", fmt.Sprintf("another deployment of %s runs on this machine: %s", u, strings.TrimSpace(string(holder))), nil).
			WithHint("wait until it has ended, and deploy again")
	}
	note := fmt.Sprintf("process %d, since %s\n", os.Getpid(), now.UTC().Format(time.RFC3339)) // for whoever is kept out
	_, err = f.WriteAt([]byte(note), 0)
	if err := errors.Join(err, f.Truncate(int64(len(note)))); err != nil {
		return nil, errors.Join(fmt.Errorf("the lock of %s: %w", u, err), f.Close())
	}
	return f, nil
}

// tryLock opens a file, which it makes, and locks it, unless another open file has it.
func tryLock(path string) (f *os.File, held bool, err error) {
	if f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return f, true, nil
	case err != nil:
		return nil, false, errors.Join(err, f.Close())
	}
	return f, false, nil
}

// lockFolder is where the locks are when nobody says so: where all of a user's processes look.
func lockFolder() string {
	base, err := os.UserCacheDir()
	if err != nil { // no home, as in some containers
		base = os.TempDir()
	}
	return filepath.Join(base, "levada", "deploy")
}
