//go:build unix

package workerdtest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Server is a running Worker.
type Server struct {
	URL string // without a slash at the end

	t      testing.TB
	cmd    *exec.Cmd
	log    output
	client *http.Client
}

// launch starts the command in a process group of its own, which ends with the test.
func launch(t testing.TB, cmd *exec.Cmd) *Server {
	t.Helper()
	s := &Server{t: t, cmd: cmd, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = &s.log
	if cmd.Stdout == nil {
		cmd.Stdout = &s.log
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		// workerd waits for its requests on SIGTERM; a test has nothing left to lose.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait() // "killed"
		if t.Failed() {
			t.Logf("the Worker's output:\n%s", s.Log())
		}
	})
	return s
}

// PID is the id of the process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Log returns what the process has written, from the end when that is long.
func (s *Server) Log() string { return s.log.String() }

// Reply is an answer, read to its end, or the error that prevented it.
type Reply struct {
	Status int
	Header http.Header
	Body   string
	Err    error
}

// requestTimeout is for requests that hang; no test waits for it.
const requestTimeout = 60 * time.Second

// Get sends a GET request.
func (s *Server) Get(path string) Reply {
	return s.Send(context.Background(), http.MethodGet, path, nil)
}

// Post sends a POST request.
func (s *Server) Post(path, body string) Reply {
	return s.Send(context.Background(), http.MethodPost, path, strings.NewReader(body))
}

// Send sends a request and reads the whole answer; what has arrived of a broken one is in Body.
func (s *Server) Send(ctx context.Context, method, path string, body io.Reader) Reply {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, body)
	if err != nil {
		return Reply{Err: err}
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return Reply{Err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return Reply{resp.StatusCode, resp.Header, string(b), err}
}

// Open sends a GET request and returns the answer with its body unread. The caller closes it.
func (s *Server) Open(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, nil)
	if err != nil {
		return nil, err
	}
	return s.client.Do(req)
}

// output keeps the end of what a process writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const maxOutput = 64 << 10

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.buf.Len() > 4*maxOutput {
		o.buf.Next(o.buf.Len() - maxOutput)
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.buf.Bytes()
	return string(b[max(0, len(b)-maxOutput):])
}
