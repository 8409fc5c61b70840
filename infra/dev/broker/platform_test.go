package broker_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// patience is how long a test waits for what must happen. Nothing depends on it
// but how soon a failure shows.
const patience = time.Minute

// settings are a queue's, as in the binding QUEUES.
type settings map[string]any

// platform is workerd with the broker, a producer, and a consumer that leaves
// every decision to the recorder.
type platform struct {
	*recorder
	t       testing.TB
	queues  map[string]settings
	state   string
	url     string
	command *exec.Cmd
	stdin   io.Closer
}

// newPlatform starts a platform that ends with the test. A queue without a
// "consumer" is consumed by the recorder; nil stands for none.
func newPlatform(t testing.TB, queues map[string]settings) *platform {
	for _, s := range queues {
		if _, ok := s["consumer"]; !ok {
			s["consumer"] = "CONSUMER"
		}
	}
	p := &platform{t: t, queues: queues, state: devtest.Dir(t), recorder: newRecorder(t)}
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *platform) start() {
	t := p.t
	node, err := filepath.Abs(filepath.Join("..", "..", "..", "node_modules", ".bin", "node"))
	require.NoError(t, err)
	_, err = os.Stat(node)
	require.NoError(t, err, "run npm ci: Node, Miniflare and workerd are npm packages")
	queues, err := json.Marshal(p.queues)
	require.NoError(t, err)

	p.command = exec.Command(node, filepath.Join("testdata", "platform.mjs"))
	p.command.Env = append(os.Environ(), "QUEUES="+string(queues), "STATE="+p.state, "RECORDER="+p.address)
	p.command.Stderr = os.Stderr
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.stdin, err = p.command.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err, "the platform did not start")
	var ready struct{ URL string }
	require.NoError(t, json.Unmarshal(line, &ready))
	p.url = ready.URL
}

func (p *platform) stop() {
	p.release()
	p.stdin.Close()
	require.NoError(p.t, p.command.Wait())
}

// kill ends Node and workerd at once. The signal goes to the group, because workerd
// outlives a Node that is killed.
func (p *platform) kill() {
	require.NoError(p.t, syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL))
	require.Error(p.t, p.command.Wait())
	p.stdin.Close()
	p.release()
}

// in is the same platform with its failures in a subtest.
func (p *platform) in(t testing.TB) *platform {
	sub := *p
	sub.t = t
	return &sub
}

// jsError is what a binding's method threw.
type jsError struct{ Name, Message string }

func (e *jsError) Error() string { return e.Name + ": " + e.Message }

// ask posts to the producer.
func (p *platform) ask(request map[string]any) (json.RawMessage, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	response, err := http.Post(p.url, "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result json.RawMessage
		Error  *jsError
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, fmt.Errorf("%w: %s", err, data)
	}
	if answer.Error != nil {
		return nil, answer.Error
	}
	return answer.Result, nil
}

// try calls a method of a queue binding.
func (p *platform) try(queue, method string, args ...any) (json.RawMessage, error) {
	return p.ask(map[string]any{"queue": queue, "call": method, "args": args})
}

// call is try for what must succeed.
func (p *platform) call(queue, method string, args ...any) json.RawMessage {
	result, err := p.try(queue, method, args...)
	require.NoError(p.t, err)
	return result
}

// send sends one message for each body, as one batch.
func (p *platform) send(queue string, bodies ...any) {
	messages := make([]map[string]any, len(bodies))
	for i, b := range bodies {
		messages[i] = map[string]any{"body": b}
	}
	p.call(queue, "sendBatch", messages)
}

type metrics struct {
	Count  int        `json:"backlogCount"`
	Bytes  int        `json:"backlogBytes"`
	Oldest *time.Time `json:"oldestMessageTimestamp"`
}

func (p *platform) metrics(queue string) (m metrics) {
	require.NoError(p.t, json.Unmarshal(p.call(queue, "metrics"), &m))
	return m
}

// stored is a message as peek shows it.
type stored struct {
	ID             string
	Timestamp, Due time.Time
	Attempts       int
	ContentType    string
	Body           any
}

func (p *platform) peek(queue string) (s []stored) {
	require.NoError(p.t, json.Unmarshal(p.call(queue, "peek", map[string]int{"limit": 1000}), &s))
	return s
}

// eventually waits for a state of the queue that no delivery announces: what
// the broker does after a handler's end.
func (p *platform) eventually(is func() bool) {
	p.t.Helper()
	require.Eventually(p.t, is, patience, 20*time.Millisecond)
}

// emptied waits until everything is settled.
func (p *platform) emptied(queue string) {
	p.t.Helper()
	p.eventually(func() bool { return p.metrics(queue).Count == 0 })
}
