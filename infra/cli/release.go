package cli

import (
	"os/exec"
	"strings"
	"time"
)

// releaseName is what a release is called when nobody says so: the time to the second, since two in a minute must not have one name, and
// the commit of the checkout, which has a mark when something in it is not committed. Without git it is the time alone.
func releaseName(root string, environ []string, now time.Time) string {
	git := func(args ...string) ([]byte, error) {
		cmd := exec.Command("git", append([]string{"-C", root}, args...)...)
		cmd.Env = environ
		return cmd.Output()
	}
	name := now.UTC().Format("20060102-150405")
	commit, err := git("rev-parse", "--short=7", "HEAD")
	if err != nil {
		return name
	}
	name += "-" + strings.TrimSpace(string(commit))
	if changed, err := git("status", "--porcelain"); err == nil && len(changed) > 0 {
		name += "-dirty"
	}
	return name
}
