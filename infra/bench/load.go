package bench

import (
	"bytes"
	"cmp"
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
	ends   string        // how the body of a success ends
}

// Sample is what one round of a load measured.
type Sample struct {
	Requests int
	Failed   int
	Elapsed  time.Duration
	P50, P99 time.Duration
	CPU      time.Duration // of the measured process, a request

	First50, First99 time.Duration // until the first byte of the body

	Err error // one of the failures
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
	var all, first []time.Duration
	failed := 0
	var why error
	var wg sync.WaitGroup
	for range l.Clients {
		wg.Go(func() {
			took, firsts, bad, err := l.loop(ctx, client, start.Add(l.For))
			mu.Lock()
			defer mu.Unlock()
			all = append(all, took...)
			first = append(first, firsts...)
			failed += bad
			why = cmp.Or(err, why)
		})
	}
	wg.Wait()
	elapsed := time.Since(start)
	after, _, err := usage(pid)
	if err != nil {
		return Sample{}, err
	}
	if len(all) == 0 {
		return Sample{}, fmt.Errorf("no request to %s was answered as it should be (%d failed): %w", l.URL, failed, why)
	}
	slices.Sort(all)
	slices.Sort(first)
	return Sample{
		Requests: len(all), Failed: failed, Elapsed: elapsed,
		P50: all[len(all)/2], P99: all[len(all)*99/100],
		First50: first[len(first)/2], First99: first[len(first)*99/100],
		CPU: (after - before) / time.Duration(len(all)),
		Err: why,
	}, nil
}

func (l Load) loop(ctx context.Context, c *http.Client, end time.Time) (took, firsts []time.Duration, failed int, why error) {
	buf := make([]byte, 0, 16<<10)
	for time.Now().Before(end) && ctx.Err() == nil {
		t := time.Now()
		first, err := l.once(ctx, c, buf)
		if err != nil {
			failed, why = failed+1, err
			continue
		}
		took, firsts = append(took, time.Since(t)), append(firsts, first.Sub(t))
	}
	return took, firsts, failed, why
}

// once sends a request and reads its answer into buf; first is when its body began.
func (l Load) once(ctx context.Context, c *http.Client, buf []byte) (first time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, l.Method, l.URL, strings.NewReader(l.body()))
	if err != nil {
		return first, err
	}
	for k, v := range l.Header {
		req.Header[k] = v
	}
	req.Header.Set("content-type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return first, err
	}
	defer resp.Body.Close()
	body := bytes.NewBuffer(buf)
	_, err = io.CopyN(body, resp.Body, 1)
	first = time.Now()
	if err == nil {
		_, err = io.Copy(body, resp.Body)
	}
	switch {
	case err != nil && err != io.EOF: // an empty body is none
		return first, err
	case resp.StatusCode != l.status || !bytes.HasSuffix(body.Bytes(), []byte(l.ends)):
		return first, fmt.Errorf("status %d: %.200s", resp.StatusCode, body)
	}
	return first, nil
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

// usage is the CPU time and memory of a platform's processes.
func usage(pid int) (cpu time.Duration, mib float64, err error) {
	for _, p := range descendants(pid) {
		c, err := cpuTime(p)
		if err != nil {
			return 0, 0, err
		}
		m, err := residentMiB(p)
		if err != nil {
			return 0, 0, err
		}
		cpu, mib = cpu+c, mib+m
	}
	return cpu, mib, nil
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
