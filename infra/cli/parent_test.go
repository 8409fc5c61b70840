package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const orphanEnv = "LEVADA_CLI_TEST_ORPHAN"

// A process whose parent was killed hears of it; the parent here is a shell.
func TestWithParent(t *testing.T) {
	if os.Getenv(orphanEnv) != "" {
		ctx, cancel := withParent(context.Background())
		defer cancel()
		fmt.Println("waits")
		<-ctx.Done()
		fmt.Println(context.Cause(ctx))
		os.Exit(0)
	}
	parent := exec.Command("sh", "-c", `"$0" -test.run='^TestWithParent$' & wait`, os.Args[0])
	parent.Env = append(os.Environ(), orphanEnv+"=1")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan())
	require.Equal(t, "waits", lines.Text())
	require.NoError(t, parent.Process.Kill())
	require.True(t, lines.Scan())
	assert.Equal(t, errOrphan.Error(), lines.Text())
	_ = parent.Wait() // it was killed
}

func TestParentOf(t *testing.T) {
	want := 0 // where there is no /proc
	if runtime.GOOS == "linux" {
		want = os.Getppid()
	}
	assert.Equal(t, want, parentOf(os.Getpid()))
	assert.Zero(t, parentOf(-1))
}
