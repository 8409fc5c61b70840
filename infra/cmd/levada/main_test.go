package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asChild has this program be the one that is interrupted.
const asChild = "LEVADA_TEST_INTERRUPTED"

// unread has it be one that nobody interrupts, and that prints where nobody reads.
const unread = "unread"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) == "" {
		os.Exit(m.Run())
	}
	ctx := interruptible(context.Background())
	fmt.Println("running")
	if os.Getenv(asChild) == unread {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if _, err := fmt.Println("done"); errors.Is(err, syscall.EPIPE) {
			return
		}
		os.Exit(1)
	}
	<-ctx.Done()
	fmt.Println("undoing,", context.Cause(ctx))
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test closes it
	fmt.Println("undone")
}

// child is this program as the one that is interrupted.
type child struct {
	*exec.Cmd
	stdin  io.Closer
	stdout io.Closer
	lines  *bufio.Scanner
}

func start(t *testing.T, line ...string) *child {
	t.Helper()
	line = append(line, os.Args[0])
	// Tests that nohup runs ignore hangups, and what they start would, too; what is handled here is as usual there.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	c := &child{Cmd: exec.CommandContext(t.Context(), line[0], line[1:]...)}
	c.Env = append(os.Environ(), asChild+"=1")
	stdin, err := c.StdinPipe()
	require.NoError(t, err)
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	c.stdin, c.stdout, c.lines = stdin, stdout, bufio.NewScanner(stdout)
	require.Equal(t, "running", c.next())
	return c
}

// next is the next line, empty at the end.
func (c *child) next() string {
	c.lines.Scan()
	return c.lines.Text()
}

func (c *child) signal(t *testing.T, all ...syscall.Signal) {
	t.Helper()
	for _, s := range all {
		require.NoError(t, c.Process.Signal(s))
	}
}

func TestOnlyAFurtherInterruptEndsAtOnce(t *testing.T) {
	type signals = []syscall.Signal
	for _, test := range []struct {
		name       string
		first      syscall.Signal
		then       signals
		endsAtOnce bool
	}{
		{"Ctrl-C twice", syscall.SIGINT, signals{syscall.SIGINT}, true},
		{"told to end, then Ctrl-C", syscall.SIGTERM, signals{syscall.SIGINT}, true},
		{"Ctrl-C, and a task runner passes it on", syscall.SIGINT, signals{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGTERM}, false},
		{"told to end three times", syscall.SIGTERM, signals{syscall.SIGTERM, syscall.SIGTERM}, false},
		{"the terminal is closed", syscall.SIGHUP, signals{syscall.SIGHUP, syscall.SIGTERM}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := start(t)
			c.signal(t, test.first)
			require.Equal(t, "undoing, told to end: "+test.first.String(), c.next())
			c.signal(t, test.then...)
			if test.endsAtOnce {
				assert.Empty(t, c.next())
				assert.ErrorContains(t, c.Wait(), "signal: interrupt")
				return
			}
			require.NoError(t, c.stdin.Close())
			assert.Equal(t, "undone", c.next())
			assert.NoError(t, c.Wait())
		})
	}
}

func TestWhatIsUndoneNeedsNoReader(t *testing.T) {
	c := start(t)
	c.signal(t, syscall.SIGINT)
	require.NotEmpty(t, c.next())
	require.NoError(t, c.stdout.Close()) // as tee does, when Ctrl-C ends it, too
	require.NoError(t, c.stdin.Close())
	assert.NoError(t, c.Wait())
}

// A pager that is left ends nothing: what is half done is done, or undone, all the same.
func TestWhatRunsNeedsNoReader(t *testing.T) {
	c := start(t, "env", asChild+"="+unread)
	require.NoError(t, c.stdout.Close())
	require.NoError(t, c.stdin.Close())
	assert.NoError(t, c.Wait())
}

func TestWithNohupAClosedTerminalIsNothing(t *testing.T) {
	c := start(t, "nohup")
	c.signal(t, syscall.SIGHUP, syscall.SIGTERM)
	assert.Equal(t, "undoing, told to end: terminated", c.next())
	require.NoError(t, c.stdin.Close())
	assert.Equal(t, "undone", c.next())
	assert.NoError(t, c.Wait())
}
