package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
)

// BenchmarkDryRunOfAHundred is levada deploy --all --dry-run for a hundred tenants, each in an account of its own, in which it is deployed: in a
// copy of this checkout, whose Workers are built from the build cache each time, against the API's double behind loopback. It prints what a
// run takes.
func BenchmarkDryRunOfAHundred(b *testing.B) {
	pools := deploytest.Pools(100)
	w := deploytest.New(b, pools...)
	copyCheckout(b, w.Root)
	api, stop, err := double.Serve(w.API)
	require.NoError(b, err)
	defer stop()
	site, stopSite, err := double.Serve(w.API.Site())
	require.NoError(b, err)
	defer stopSite()
	b.Setenv(apiVariable, api+double.Root)
	b.Setenv(siteVariable, site)
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	code, _, errs := w.Run(Execute, "deploy", "--all", "--env", "prod", "--yes", "--release", "v1")
	require.Zero(b, code, errs)
	for _, state := range []struct {
		name string
		code int
		make func()
	}{
		{"nothing to do", exitOK, func() {}},
		{"another configuration of each", exitChanges, func() {
			for _, p := range pools {
				w.Tenant(p.Name, map[string]any{"name": "Renamed", "pool": p.Name})
			}
		}},
	} {
		b.Run(state.name, func(b *testing.B) {
			state.make()
			w.API.Forget()
			for b.Loop() {
				code, out, errs := w.Run(Execute, "deploy", "--all", "--env", "prod", "--dry-run")
				require.Equal(b, state.code, code, out+errs)
			}
			b.ReportMetric(float64(len(w.API.Requests()))/float64(b.N), "requests/op")
			require.Empty(b, w.API.Writes())
		})
	}
}

// copyCheckout copies what Workers are built from. The tenants of this checkout stay behind.
func copyCheckout(b *testing.B, to string) {
	b.Helper()
	from := filepath.Join("..", "..")
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(from, path)
		switch {
		case err != nil:
			return err
		case e.IsDir() && (e.Name() == "node_modules" || e.Name() == "bin" || name != "." && strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case !e.Type().IsRegular() || filepath.Dir(filepath.Dir(name)) == "tenants" && e.Name() == "tenant.config.json" || name == filepath.Join("tenants", "deploy.json"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), text, 0o644)
	})
	require.NoError(b, err)
}
