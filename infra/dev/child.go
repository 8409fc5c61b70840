package dev

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// child is the Node process that runs platform.mjs, and the conversation with it: one line of JSON for each request
// and each answer. It is safe for concurrent use.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	gone  chan struct{} // closed when the process has ended
	cause error         // why, once gone is closed

	mu      sync.Mutex
	next    int
	waiting map[int]chan reply
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// spawn starts the process. What the Workers log goes to logs; the process holds keep open as long as it lives.
func spawn(root string, logs io.Writer, keep *os.File) (*child, error) {
	cmd := exec.Command(filepath.Join(root, "node_modules", ".bin", "node"),
		"--disable-warning=ExperimentalWarning", // of node:sqlite
		filepath.Join(root, "infra", "dev", "platform.mjs"))
	cmd.ExtraFiles = []*os.File{keep}
	cmd.Dir = root
	cmd.Stderr = logs
	// A process group of its own: Ctrl-C is for the parent, which then stops the child in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (run npm ci)", err)
	}
	c := &child{cmd: cmd, stdin: stdin, gone: make(chan struct{}), waiting: map[int]chan reply{}}
	go c.listen(stdout)
	return c, nil
}

// listen hands out the answers until the process ends.
func (c *child) listen(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var r reply
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			continue
		}
		c.mu.Lock()
		ch := c.waiting[r.ID]
		delete(c.waiting, r.ID)
		c.mu.Unlock()
		if ch != nil {
			ch <- r
		}
	}
	c.killGroup() // workerd does not end with a Node that was killed
	c.cause = errors.Join(errors.New("the platform's process has ended"), lines.Err(), c.cmd.Wait())
	close(c.gone)
}

// ask makes a request and decodes its result into out, unless out is nil.
func (c *child) ask(ctx context.Context, request string, args, out any) error {
	ch := make(chan reply, 1)
	if err := c.tell(ch, request, args); err != nil {
		select {
		case <-c.gone:
			return c.cause // and so its input is closed
		default:
			return err
		}
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-c.gone:
		return c.cause
	case r := <-ch:
		if r.Error != "" {
			return fmt.Errorf("%s: %s", request, r.Error)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(r.Result, out)
	}
}

func (c *child) tell(ch chan reply, request string, args any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	line, err := json.Marshal(map[string]any{"id": c.next, "request": request, "args": args})
	if err != nil {
		return err
	}
	c.waiting[c.next] = ch
	_, err = c.stdin.Write(append(line, '\n'))
	return err
}

// grace is how long the process may take to stop before it is killed; its state is safe at any moment.
const grace = 5 * time.Second

// stop ends the process and waits until it is gone.
func (c *child) stop() {
	_ = c.stdin.Close() // platform.mjs ends when its input does
	select {
	case <-c.gone:
	case <-time.After(grace):
		c.kill()
	}
}

// kill ends the process and workerd below it at once, as a crash would.
func (c *child) kill() {
	c.killGroup()
	<-c.gone
}

// killGroup ends the process and what it started; both may have ended already. It is called before the process is
// waited for, or its number could be another's.
func (c *child) killGroup() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) }
