package consoletest

import (
	"errors"
	"os"
	"os/exec"
)

// ErrNoChromium says what to do where there is no browser.
var ErrNoChromium = errors.New("there is no Chromium for the tests of the console: install it (apt-get install chromium fonts-dejavu-core, or whatever the system calls it), or name one in CHROMIUM")

// Chromium finds the browser: the one that CHROMIUM names, else one that the system has.
func Chromium() (string, error) {
	if named := os.Getenv("CHROMIUM"); named != "" {
		return exec.LookPath(named)
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoChromium
}
