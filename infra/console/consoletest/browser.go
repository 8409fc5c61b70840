package consoletest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Options says what the browser is shown.
type Options struct {
	Root     string            // the checkout
	Chromium string            // the browser's program
	URL      string            // where the platform answers
	Keys     map[string]string // of each tenant
	Flows    string            // the folder of the flows; without one it is the console's
	Shots    string            // the folder for screenshots, made if it is not there: each flow has a folder in it, emptied before it is done
	Logs     io.Writer         // gets what the browser's driver has to say besides; nil drops it
}

// Browser is a running browser with all flows loaded. It is for one goroutine.
type Browser struct {
	Flows []string // by name: the module, a slash, what is done

	cmd     *exec.Cmd
	stdin   io.WriteCloser
	answers *bufio.Scanner
}

// answer is a line of the driver.
type answer struct {
	Flows  []string            `json:"flows"`
	Judged map[string]Pictures `json:"judged"`
	Error  string              `json:"error"`
}

// Pictures are the files of a page's screenshots, by the looks it was judged in.
type Pictures map[string]string

// flowLimit is how long a flow may take: many times what one does, since machines of tests are busy. The driver ends one after a minute.
const flowLimit = 90 * time.Second

// Start runs the driver, and the browser below it.
func Start(o Options) (*Browser, error) {
	home := filepath.Join(o.Root, "infra", "console", "consoletest")
	if o.Flows == "" {
		o.Flows = filepath.Join(home, "flows")
	}
	if err := readAll(o.Flows, home); err != nil {
		return nil, err
	}
	settings, err := json.Marshal(map[string]any{"chromium": o.Chromium, "url": o.URL, "keys": o.Keys, "shots": o.Shots, "flows": o.Flows})
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(o.Root, "node_modules", ".bin", "node"), filepath.Join(home, "driver.mjs"))
	cmd.Dir, cmd.Stderr = o.Root, o.Logs
	cmd.WaitDelay = time.Second
	b := &Browser{cmd: cmd}
	if b.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w (run npm ci)", err)
	}
	b.answers = bufio.NewScanner(stdout)
	b.answers.Buffer(nil, 1<<20)
	first, err := b.ask(string(settings))
	if err == nil && first.Error != "" {
		err = errors.New(first.Error)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the browser: %w", err), b.Stop())
	}
	b.Flows = first.Flows
	return b, nil
}

// readAll reads the flows and what they are made with, so that the go command knows that a result is not the last one's when one of them has changed.
func readAll(folders ...string) error {
	for _, folder := range folders {
		names, err := filepath.Glob(filepath.Join(folder, "*.mjs"))
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, err := os.ReadFile(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Run does a flow, and returns the pictures of the pages that it judged, by the names it gave them. What went wrong names the picture of the
// page as it was then.
func (b *Browser) Run(flow string) (map[string]Pictures, error) {
	late := time.AfterFunc(flowLimit, func() { _ = b.cmd.Process.Kill() })
	defer late.Stop()
	a, err := b.ask(flow)
	if err == nil && a.Error != "" {
		err = errors.New(a.Error)
	}
	return a.Judged, err
}

func (b *Browser) ask(line string) (a answer, err error) {
	if _, err := io.WriteString(b.stdin, line+"\n"); err != nil {
		return answer{}, fmt.Errorf("the driver has ended: %w", err)
	}
	if !b.answers.Scan() {
		return answer{}, errors.Join(errors.New("the driver has ended"), b.answers.Err())
	}
	err = json.Unmarshal(b.answers.Bytes(), &a)
	return a, err
}

// Stop ends the browser: the driver does when its input ends.
func (b *Browser) Stop() error {
	_ = b.stdin.Close()
	late := time.AfterFunc(10*time.Second, func() { _ = b.cmd.Process.Kill() })
	defer late.Stop()
	for b.answers.Scan() { // whatever is said yet
	}
	return b.cmd.Wait()
}
