package bench

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// Cold starts each role in a fresh workerd, again and again.
type Cold struct {
	Root, Dir string
	Stack     stack.Stack
	Times     int
	Progress  func(what string)
}

// ColdResult is one role: what it weighs, and how long a fresh process takes to its first answer.
type ColdResult struct {
	Role    stack.Role    `json:"role"`
	Raw     int64         `json:"rawBytes"`
	Gzip    int64         `json:"gzipBytes"`
	Process time.Duration `json:"processNs"` // from the start of workerd to the first answer; the median
	Request time.Duration `json:"requestNs"` // of it the first request: instantiation and Go's start; the median
	MiB     float64       `json:"residentMiB"`
}

// Run builds the roles and measures.
func (c Cold) Run(ctx context.Context) ([]ColdResult, error) {
	c.Progress("building the roles")
	built, err := build.Roles(ctx, build.Options{Root: c.Root, Out: filepath.Join(c.Dir, "roles"), Stack: c.Stack, Measure: true})
	if err != nil {
		return nil, err
	}
	var results []ColdResult
	for _, b := range built {
		w, _ := c.Stack.Worker(b.Role)
		r := ColdResult{Role: b.Role, Raw: b.WasmBytes, Gzip: b.Gzip}
		var process, request []time.Duration
		for i := range c.Times {
			c.Progress(fmt.Sprintf("cold start %d of %d: %s", i+1, c.Times, b.Role))
			whole, first, mib, err := c.once(ctx, b.Dir, w.CompatibilityFlags)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.Role, err)
			}
			process, request, r.MiB = append(process, whole), append(request, first), mib
		}
		r.Process, r.Request = median(process), median(request)
		results = append(results, r)
	}
	return results, nil
}

// once starts a role in a new process and asks it anything; that it answers is all that counts.
func (c Cold) once(ctx context.Context, dir string, flags []string) (whole, first time.Duration, mib float64, err error) {
	begun := time.Now()
	w, err := startWorkerd(ctx, c.Root, dir, nil, flags...)
	if err != nil {
		return 0, 0, 0, err
	}
	defer w.Stop()
	asked := time.Now()
	resp, err := http.Get(w.URL + "/health")
	if err != nil {
		return 0, 0, 0, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, 0, 0, err
	}
	whole, first = time.Since(begun), time.Since(asked)
	mib, err = residentMiB(w.PID)
	return whole, first, mib, err
}

func median[T cmp.Ordered](xs []T) T {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

// ColdTable shows the results.
func ColdTable(results []ColdResult) string {
	t := newTable("role", "Wasm KiB", "gzip KiB", "process to answer ms", "first request ms", "workerd MiB")
	for _, r := range results {
		t.AppendRow([]any{r.Role, r.Raw >> 10, r.Gzip >> 10, r.Process.Milliseconds(), r.Request.Milliseconds(), fmt.Sprintf("%.0f", r.MiB)})
	}
	return t.Render()
}
