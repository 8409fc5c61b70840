package nx_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/deploy/deploytest"
	"levada.dev/infra/deploy/double"
)

// TestAnUndoIsNotKilledWithItsTask: Nx is told to end while a canary has some of the traffic. The API answers nothing of the undo before Nx
// has lost its patience and killed the executor.
func TestAnUndoIsNotKilledWithItsTask(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		send  func(nx int) error
		shows string
	}{
		{"Ctrl-C", func(nx int) error { return syscall.Kill(-nx, syscall.SIGINT) }, "traffic 50 %"}, // Nx shows nothing from then on
		{"Nx is told to end", func(nx int) error { return syscall.Kill(nx, syscall.SIGTERM) }, "taking it back"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDeployment(t, deploytest.Pool{Name: "acme"})
			d.fine("run tenant-acme:deploy --release v1 --yes")
			live := d.live()
			d.world.Code("two")

			killed := d.executorEnds()
			half, told := make(chan struct{}), make(chan struct{})
			var once sync.Once
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-told:
					if r.Method != http.MethodGet {
						<-killed
					}
				default:
				}
				d.world.API.ServeHTTP(w, r)
			}))
			t.Cleanup(api.Close)
			d.world.API.Watch(func(r double.Request) {
				if r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/deployments") && d.halved() {
					once.Do(func() { close(half) })
					<-told
				}
			})
			cmd := d.command("run", "tenant-acme:deploy", "--release", "v2", "--yes", "--env", "prod", "--excludeTaskDependencies")
			cmd.Env = append(cmd.Env, "LEVADA_API_URL="+api.URL+double.Root, "NX_PROCESS_KILL_GRACE_PERIOD=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			var out strings.Builder
			cmd.Stdout, cmd.Stderr = &out, &out
			require.NoError(t, cmd.Start())
			<-half
			assert.NotEqual(t, live, d.live(), "another version has some of the traffic")
			require.NoError(t, test.send(cmd.Process.Pid))
			close(told)
			_ = cmd.Wait() // until nobody writes any more: levada does
			assert.Equal(t, live, d.live(), "the release before has all of the traffic\n%s", &out)
			assert.Contains(t, out.String(), test.shows)
			d.fine("run tenant-acme:drift")
		})
	}
}

// executorEnds is closed when the next executor has ended, however.
func (d *deployment) executorEnds() <-chan struct{} {
	d.t.Helper()
	address := filepath.Join(d.t.TempDir(), "s")
	l, err := net.Listen("unix", address)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = l.Close() })
	d.write("holds.cjs", "if (process.argv[1].endsWith('run-executor.js')) require('net').connect(process.env.EXECUTOR_ENDS).on('error', () => {}).unref()\n")
	d.env = append(d.env, "NODE_OPTIONS=--require="+d.path("holds.cjs"), "EXECUTOR_ENDS="+address)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c)
			_ = c.Close()
			_ = l.Close()
		}
	}()
	return ended
}

// live are the versions that have the traffic, by their Workers.
func (d *deployment) live() map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	d.world.API.Edit(deploytest.AccountID("acme"), func(a *double.Account) {
		for _, script := range a.Scripts() {
			all[script] = a.Live(script)
		}
	})
	return all
}

// halved reports whether two versions of a Worker share its traffic.
func (d *deployment) halved() bool {
	for _, versions := range d.live() {
		for _, percent := range versions {
			if percent == 50 {
				return true
			}
		}
	}
	return false
}
