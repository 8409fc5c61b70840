package nx_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The environment of the fake, which Nx hands down.
const (
	fakeRecord = "LEVADA_FAKE_RECORD" // the file it writes what it was called with to, one call a line
	fakeExit   = "LEVADA_FAKE_EXIT"   // the code it exits with
	fakePrints = "LEVADA_FAKE_PRINTS" // what it prints
	fakeWaits  = "LEVADA_FAKE_WAITS"  // it runs until it is told to end, as a deployment does
)

// call is how a program was called.
type call struct {
	Program string
	Args    []string
	Dir     string
	Ended   string // the signal that ended it
}

// TestMain is the tests, or, under the name of one of them, the programs that the plugin calls.
func TestMain(m *testing.M) {
	switch name := filepath.Base(os.Args[0]); name {
	case "levada", "go":
		os.Exit(fake(name))
	}
	code := m.Run()
	for _, made := range []func() (string, error){packed, levada} {
		if file, err := made(); err == nil {
			os.RemoveAll(filepath.Dir(file))
		}
	}
	os.Exit(code)
}

// fake is levada, and the go command that builds it.
func fake(name string) int {
	c := call{Program: name, Args: os.Args[1:]}
	c.Dir, _ = os.Getwd()
	if out := slices.Index(c.Args, "-o"); name == "go" && out >= 0 {
		self, err := os.Executable()
		if err == nil {
			err = os.Symlink(self, c.Args[out+1])
		}
		if err != nil && !os.IsExist(err) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := 0
	if v := os.Getenv(fakeExit); v != "" && name == "levada" {
		fmt.Sscan(v, &code)
	}
	fmt.Print(os.Getenv(fakePrints))
	if os.Getenv(fakeWaits) != "" && name == "levada" {
		c.Ended = wait()
		code = 130
	}
	line, err := json.Marshal(c)
	if err != nil {
		return 1
	}
	f, err := os.OpenFile(os.Getenv(fakeRecord), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 1
	}
	defer f.Close()
	fmt.Fprintln(f, string(line))
	return code
}

// wait runs until it is told to end, and says by what.
func wait() string {
	signals := make(chan os.Signal, 16) // what comes after the first does not end it
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	fmt.Printf("running for %d\n", os.Getppid())
	return (<-signals).String()
}

// calls are those that the fakes have recorded.
func calls(t *testing.T, file string) (all []call) {
	t.Helper()
	text, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var c call
		require.NoError(t, json.Unmarshal([]byte(line), &c))
		all = append(all, c)
	}
	return all
}
