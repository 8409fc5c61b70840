package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asChild has this program be the one that is interrupted.
const asChild = "LEVADA_TEST_INTERRUPTED"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	ctx := interruptible(context.Background())
	fmt.Println("running")
	<-ctx.Done()
	fmt.Println("undoing")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	fmt.Println("undone")
}

func TestOnlyASecondInterruptEndsAtOnce(t *testing.T) {
	for _, test := range []struct {
		name       string
		first      syscall.Signal
		then       []syscall.Signal
		endsAtOnce bool
	}{
		{"Ctrl-C twice", syscall.SIGINT, []syscall.Signal{syscall.SIGINT}, true},
		{"told to end, then Ctrl-C", syscall.SIGTERM, []syscall.Signal{syscall.SIGINT}, true},
		{"Ctrl-C, and a task runner passes it on", syscall.SIGINT, []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, false},
		{"told to end three times", syscall.SIGTERM, []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), asChild+"=1")
			stdin, err := cmd.StdinPipe()
			require.NoError(t, err)
			stdout, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewScanner(stdout)
			next := func() string {
				lines.Scan()
				return lines.Text()
			}
			require.Equal(t, "running", next())
			require.NoError(t, cmd.Process.Signal(test.first))
			require.Equal(t, "undoing", next())
			for _, s := range test.then {
				require.NoError(t, cmd.Process.Signal(s))
			}
			if test.endsAtOnce {
				assert.Empty(t, next())
				assert.ErrorContains(t, cmd.Wait(), "signal: interrupt")
				return
			}
			require.NoError(t, stdin.Close())
			assert.Equal(t, "undone", next())
			assert.NoError(t, cmd.Wait())
		})
	}
}
