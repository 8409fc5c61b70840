package bench

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
)

// Streams opens many event streams on one isolate at once and reads each to its end.
type Streams struct {
	Root, Dir string
	Count     int // streams
	Events    int // in each
	Pause     int // milliseconds between two
}

// StreamResult tells how they went.
type StreamResult struct {
	Complete int     `json:"complete"`
	Broken   int     `json:"broken"`
	MixedUp  int     `json:"mixedUp"`
	IdleMiB  float64 `json:"idleMiB"`  // resident memory of workerd before
	PeakMiB  float64 `json:"peakMiB"`  // while all were open
	AfterMiB float64 `json:"afterMiB"` // when they were over
}

// Run measures.
func (s Streams) Run(ctx context.Context) (StreamResult, error) {
	w, err := contenders[0].start(ctx, s.Root, filepath.Join(s.Dir, "streams"))
	if err != nil {
		return StreamResult{}, err
	}
	defer w.Stop()
	var r StreamResult
	if _, err := s.read(ctx, w.URL, "warm", 1); err != nil {
		return r, err
	}
	if r.IdleMiB, err = residentMiB(w.PID); err != nil {
		return r, err
	}
	var mu sync.Mutex
	var open, done sync.WaitGroup
	open.Add(s.Count)
	for i := range s.Count {
		done.Go(func() {
			name := fmt.Sprintf("stream-%d", i)
			lines, err := s.follow(ctx, w.URL, name, s.Events, open.Done)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil || len(lines) != s.Events:
				r.Broken++
			case !inOrder(lines, name):
				r.MixedUp++
			default:
				r.Complete++
			}
		})
	}
	open.Wait()
	r.PeakMiB, err = residentMiB(w.PID)
	done.Wait()
	if err != nil {
		return r, err
	}
	r.AfterMiB, err = residentMiB(w.PID)
	return r, err
}

func (s Streams) read(ctx context.Context, url, name string, n int) ([]string, error) {
	return s.follow(ctx, url, name, n, func() {})
}

// follow reads one stream to its end; opened is called when its first event is there, or there is none.
func (s Streams) follow(ctx context.Context, url, name string, n int, opened func()) (lines []string, err error) {
	once := sync.OnceFunc(opened)
	defer once()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/stream?name=%s&n=%d&ms=%d", url, name, n, s.Pause), nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text := bufio.NewScanner(resp.Body)
	for text.Scan() {
		if data, ok := strings.CutPrefix(text.Text(), "data: "); ok {
			lines = append(lines, data)
			once()
		}
	}
	return lines, text.Err()
}

func inOrder(lines []string, name string) bool {
	for i, line := range lines {
		if line != fmt.Sprintf("%s %d", name, i) {
			return false
		}
	}
	return true
}

// StreamTable shows the result.
func StreamTable(s Streams, r StreamResult) string {
	t := newTable(fmt.Sprintf("%d streams of %d events at once, one isolate", s.Count, s.Events), "complete", "broken", "mixed up",
		"workerd idle MiB", "all open MiB", "after MiB")
	t.AppendRow([]any{"this runtime", r.Complete, r.Broken, r.MixedUp,
		fmt.Sprintf("%.0f", r.IdleMiB), fmt.Sprintf("%.0f", r.PeakMiB), fmt.Sprintf("%.0f", r.AfterMiB)})
	return t.Render()
}
