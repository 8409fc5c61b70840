package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
)

// clouds is a world that commands of this package are run in: without a network, and no wait takes time.
type clouds struct {
	*deploytest.World
	t       *testing.T
	now     time.Time
	answers string               // of whoever is asked; nobody is there when empty
	watch   func(double.Request) // may be nil
	cloud   cloud
}

func newClouds(t *testing.T, pools ...deploytest.Pool) *clouds {
	t.Helper()
	c := &clouds{World: deploytest.New(t, pools...), t: t, now: time.Date(2026, 11, 22, 20, 5, 0, 0, time.UTC)}
	c.cloud = cloud{url: deploytest.URL, api: c.Client(), site: c.Site(), locks: t.TempDir(), now: func() time.Time { return c.now },
		sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}
	c.API.Watch(func(r double.Request) {
		if c.watch != nil {
			c.watch(r)
		}
	})
	return c
}

// levada runs a command line.
func (c *clouds) levada(args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	return c.levadaFor(c.t.Context(), args...)
}

func (c *clouds) levadaFor(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	c.t.Helper()
	c.t.Setenv("LEVADA_WORKERS", c.Workers())
	var out, errs bytes.Buffer
	c.now = c.now.Add(time.Minute)
	g := &globals{cloud: c.cloud, stdin: devNull(c.t)}
	if c.answers != "" {
		g.stdin = strings.NewReader(c.answers)
	}
	code = execute(ctx, g, append(args, "--root", c.Root), &out, &errs)
	return code, out.String(), errs.String()
}

// fine runs a command line that ends with an exit code.
func (c *clouds) fine(code int, args ...string) (stdout string) {
	c.t.Helper()
	got, stdout, stderr := c.levada(args...)
	require.Equal(c.t, code, got, "%s\n%s%s", strings.Join(args, " "), stdout, stderr)
	return stdout
}

// view runs a command line with --json.
func (c *clouds) view(code int, args ...string) (v fleetView) {
	c.t.Helper()
	out := c.fine(code, append(args, "--json")...)
	require.NoError(c.t, json.NewDecoder(strings.NewReader(out)).Decode(&v), out)
	return v
}

// devNull is a file that is no terminal: nobody is there.
func devNull(t *testing.T) *os.File {
	f, err := os.Open(os.DevNull)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	return f
}
