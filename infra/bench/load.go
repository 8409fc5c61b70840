package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Load is a closed loop of identical requests: each client sends the next when the last was answered.
type Load struct {
	Method  string
	URL     string
	Header  http.Header
	Clients int
	For     time.Duration

	body   func() string // of the next request
	status int           // of a success
}

// Sample is what one round of a load measured.
type Sample struct {
	Requests int
	Failed   int
	Elapsed  time.Duration
	P50, P99 time.Duration
	CPU      time.Duration // of the measured process, a request
}

// RPS is requests a second.
func (s Sample) RPS() float64 { return float64(s.Requests) / s.Elapsed.Seconds() }

// Run loads the server and reads the CPU time of process pid, and of those below it, around it.
func (l Load) Run(ctx context.Context, pid int) (Sample, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: l.Clients}}
	defer client.CloseIdleConnections()
	before, _, err := usage(pid)
	if err != nil {
		return Sample{}, err
	}
	start := time.Now()
	var mu sync.Mutex
	var all []time.Duration
	failed := 0
	var wg sync.WaitGroup
	for range l.Clients {
		wg.Go(func() {
			took, bad := l.loop(ctx, client, start.Add(l.For))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			failed += bad
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	after, _, err := usage(pid)
	if err != nil {
		return Sample{}, err
	}
	if len(all) == 0 {
		return Sample{}, fmt.Errorf("no request to %s was answered as it should be (%d failed)", l.URL, failed)
	}
	slices.Sort(all)
	return Sample{
		Requests: len(all), Failed: failed, Elapsed: elapsed,
		P50: all[len(all)/2], P99: all[len(all)*99/100],
		CPU: (after - before) / time.Duration(len(all)),
	}, nil
}

func (l Load) loop(ctx context.Context, c *http.Client, end time.Time) (took []time.Duration, failed int) {
	for time.Now().Before(end) && ctx.Err() == nil {
		t := time.Now()
		if err := l.once(ctx, c); err != nil {
			failed++
			continue
		}
		took = append(took, time.Since(t))
	}
	return took, failed
}

func (l Load) once(ctx context.Context, c *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, l.Method, l.URL, strings.NewReader(l.body()))
	if err != nil {
		return err
	}
	for k, v := range l.Header {
		req.Header[k] = v
	}
	req.Header.Set("content-type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != l.status {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}

// clockTick is Linux's USER_HZ, which is 100 on every architecture Go runs on.
const clockTick = 10 * time.Millisecond

// cpuTime is the user and system time a process has used: fields 14 and 15 of /proc/<pid>/stat.
func cpuTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if !ok || len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: unknown form", pid)
	}
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("/proc/%d/stat: unknown form", pid)
	}
	return time.Duration(user+system) * clockTick, nil
}

// descendants are the processes below pid, itself first: Node and workerd of a platform.
func descendants(pid int) []int {
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", all[i]))
		if err != nil {
			continue // it has ended
		}
		for _, f := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

// residentMiB is the memory a process holds: VmRSS of /proc/<pid>/status.
func residentMiB(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if kb, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.Fields(kb)[0])
			return float64(n) / 1024, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status: no VmRSS", pid)
}
