package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"levada.dev/events/fault"
	"levada.dev/tenants"
)

// ReadVault reads a vault of some tenants from a file, which nobody but its owner may read. It is nil when there is no file.
func ReadVault(file string, configs []tenants.Config) (*tenants.Vault, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 {
		return nil, fault.Invalidf("", "vault_open", "%s: others may read it (%v)", file, info.Mode().Perm()).WithHint("chmod 600, and make new secrets if somebody may have")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	v, err := tenants.ParseVault(b, configs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return v, nil
}

// WriteVault replaces a file by a vault, as a whole, readable by its owner alone. Who interrupts it leaves the old one.
func WriteVault(file string, v *tenants.Vault) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".vault-*") // 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone by then, when all went well
	_, err = f.Write(v.JSON())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// Keep refuses a file for secrets that could be committed: one inside the checkout, or inside another work tree of git, that git does not
// ignore. It is fault.Denied, code vault_exposed. git is asked, and sees the environment that is given.
func Keep(ctx context.Context, root, file string, environ []string) error {
	if !filepath.IsAbs(file) {
		return fault.Invalidf("", "vault_path", "%s is no absolute path", file)
	}
	dir := nearest(filepath.Dir(file))
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	checkout, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	rest, err := filepath.Rel(dir, file)
	if err != nil {
		return err
	}
	inside, err := filepath.Rel(checkout, real)
	within := err == nil && inside != ".." && !strings.HasPrefix(inside, ".."+string(filepath.Separator))
	switch ignored(ctx, real, rest, environ) {
	case gitIgnores:
		return nil
	case gitAbsent:
		if !within {
			return nil
		}
	}
	return fault.New(fault.Denied, "vault_exposed", file+" could be committed with the checkout it is in", nil).
		WithHint("keep it elsewhere, such as /run/secrets, or have git ignore it")
}

// nearest is the folder itself, or the first above it that exists.
func nearest(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// verdict is what git says of a file.
type verdict int

const (
	gitAbsent  verdict = iota // nothing: there is no work tree, or no git
	gitIgnores                // it is never added by itself
	gitTakes                  // it could be added
)

// ignored asks git about a file that need not be there. One that is in the index is taken, whatever is said of its name.
func ignored(ctx context.Context, dir, file string, environ []string) verdict {
	git := exec.CommandContext(ctx, "git", "-C", dir, "check-ignore", "--quiet", "--", file)
	git.Env = environ
	err := git.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return gitIgnores
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return gitTakes
	}
	return gitAbsent
}
