package cli

import (
	"os/exec"
	"strings"
	"time"
)

// releaseName is what a release is called when nobody says so: the time to the second, since two in a minute must not have one name, and
// the commit of the checkout, which has a mark when something in it is not committed. Without git it is the time alone.
func releaseName(root string, now time.Time) string {
	name := now.UTC().Format("20060102-150405")
	commit, err := exec.Command("git", "-C", root, "rev-parse", "--short=7", "HEAD").Output()
	if err != nil {
		return name
	}
	name += "-" + strings.TrimSpace(string(commit))
	if changed, err := exec.Command("git", "-C", root, "status", "--porcelain").Output(); err == nil && len(changed) > 0 {
		name += "-dirty"
	}
	return name
}
