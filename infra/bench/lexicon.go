package bench

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// Lexicon fills the lexical index of one tenant, in one shard, and asks it at each size.
type Lexicon struct {
	Root, Dir string
	Sizes     []int // of the index, ascending, in passages
	Questions int
	Progress  func(what string)
}

// LexiconResult is what a question costs at one size, from the Worker that asks to its answer, without the request to that Worker.
type LexiconResult struct {
	Passages int           `json:"passages"`
	P50      time.Duration `json:"p50Ns"`
	P95      time.Duration `json:"p95Ns"`
	CPU      time.Duration `json:"cpuNs"`      // of workerd, both Workers, for a question
	Filtered time.Duration `json:"filteredNs"` // p95 with a filter on a number
	Put      time.Duration `json:"putNs"`      // of 16 passages on the way here, the median
	PutP99   time.Duration `json:"putP99Ns"`
	Bytes    int64         `json:"bytesPerPassage"` // of the database
	Right    float64       `json:"right"`           // how many of its first ten are among the ten best of all passages, as a share
}

const (
	wordsRole  stack.Role = "words"
	putAtOnce  int        = 16 // as a slice of a document has
	lexiconHit int        = 50
)

// Run measures.
func (x Lexicon) Run(ctx context.Context) ([]LexiconResult, error) {
	x.Progress("building the index and its caller")
	w, err := x.start(ctx)
	if err != nil {
		return nil, err
	}
	defer w.Stop()
	var results []LexiconResult
	truth, have := newExact(), 0
	for _, size := range x.Sizes {
		x.Progress(fmt.Sprintf("writing up to %d passages", size))
		var puts []time.Duration
		for ; have < size; have += putAtOnce {
			took, err := x.ask(ctx, w, "/put", url.Values{"from": {strconv.Itoa(have)}, "n": {strconv.Itoa(min(putAtOnce, size-have))}})
			if err != nil {
				return nil, err
			}
			puts = append(puts, took)
		}
		r, err := x.measure(ctx, w)
		if err != nil {
			return nil, err
		}
		slices.Sort(puts)
		r.Passages, r.Put, r.PutP99 = size, puts[len(puts)/2], puts[len(puts)*99/100]
		bytes, err := stored(filepath.Join(x.Dir, "state"))
		if err != nil {
			return nil, err
		}
		r.Bytes = bytes / int64(size)
		truth.grow(size)
		if r.Right, err = x.right(ctx, w, truth); err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}

// measure asks every question once to warm up, and then once again.
func (x Lexicon) measure(ctx context.Context, w *Workerd) (r LexiconResult, err error) {
	x.Progress(fmt.Sprintf("asking %d questions", x.Questions))
	if _, err = x.all(ctx, w, "/find", ""); err != nil {
		return r, err
	}
	nothing, err := x.all(ctx, w, "/nothing", "")
	if err != nil {
		return r, err
	}
	base := nothing[len(nothing)/2]
	before, err := cpuTime(w.PID)
	if err != nil {
		return r, err
	}
	took, err := x.all(ctx, w, "/find", "")
	if err != nil {
		return r, err
	}
	after, err := cpuTime(w.PID)
	if err != nil {
		return r, err
	}
	filtered, err := x.all(ctx, w, "/find", `{"meta.year":{"$gte":2010,"$lt":2020}}`)
	p95 := func(ds []time.Duration) time.Duration { return max(0, ds[len(ds)*95/100]-base) }
	if err == nil {
		r = LexiconResult{P50: max(0, took[len(took)/2]-base), P95: p95(took), Filtered: p95(filtered), CPU: (after - before) / time.Duration(len(took))}
	}
	return r, err
}

// all asks all questions, one after the other, and says how long each took, in order of that.
func (x Lexicon) all(ctx context.Context, w *Workerd, path, filter string) ([]time.Duration, error) {
	var all []time.Duration
	for i := range x.Questions {
		took, err := x.ask(ctx, w, path, url.Values{"question": {strconv.Itoa(i)}, "topK": {strconv.Itoa(lexiconHit)}, "filter": {filter}})
		if err != nil {
			return nil, err
		}
		all = append(all, took)
	}
	slices.Sort(all)
	return all, nil
}

func (x Lexicon) ask(ctx context.Context, w *Workerd, path string, form url.Values) (time.Duration, error) {
	took, _, err := x.send(ctx, w, path, form)
	return took, err
}

func (x Lexicon) send(ctx context.Context, w *Workerd, path string, form url.Values) (took time.Duration, text string, err error) {
	begun := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL+path+"?"+form.Encode(), nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %d: %.300s", path, resp.StatusCode, body)
	}
	return time.Since(begun), string(body), err
}

// right compares the first ten of some questions with the ten best of all passages.
func (x Lexicon) right(ctx context.Context, w *Workerd, truth *exact) (float64, error) {
	const first, compared = 10, 100
	right, all := 0, 0
	for i := range min(compared, x.Questions) {
		best := truth.best(truth.language.Question(i, first), first)
		_, body, err := x.send(ctx, w, "/find", url.Values{"question": {strconv.Itoa(i)}, "topK": {strconv.Itoa(first)}})
		if err != nil {
			return 0, err
		}
		all += min(first, len(best))
		for line := range strings.Lines(body) {
			if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && best[n] {
				right++
			}
		}
	}
	return float64(right) / float64(max(all, 1)), nil
}

// start serves the objects of the stack and the caller.
func (x Lexicon) start(ctx context.Context) (*Workerd, error) {
	table := stack.Levada(stack.Pool{Name: "bench"})
	caller := stack.Worker{Role: wordsRole, Package: "infra/bench/words", MemoryMiB: 96}
	objects, _ := table.Worker(stack.Objects)
	caller.CompatibilityFlags = objects.CompatibilityFlags
	for _, b := range objects.Bindings {
		if b.Kind == stack.Class {
			caller.Bindings = append(caller.Bindings, b)
		}
	}
	caller.Bindings = append(caller.Bindings, stack.Binding{Name: "LEXICON", Kind: stack.Class, Target: "Lexicon"})
	table.Workers = []stack.Worker{caller, objects}
	if _, err := build.Roles(ctx, build.Options{Root: x.Root, Out: x.Dir, Stack: table}); err != nil {
		return nil, err
	}
	s := site{state: filepath.Join(x.Dir, "state")}
	if err := os.Mkdir(s.state, 0o755); err != nil {
		return nil, err
	}
	for _, w := range table.Workers {
		one := service{name: string(w.Role), dir: filepath.Join(x.Dir, string(w.Role)), flags: w.CompatibilityFlags, bindings: map[string]string{}}
		for _, b := range w.Bindings {
			one.bindings[b.Name] = bindingTo(table, b)
		}
		for _, o := range table.ObjectsOf(w.Role) {
			one.classes = append(one.classes, o.Class)
		}
		s.services = append(s.services, one)
	}
	absent := filepath.Join(x.Dir, "absent")
	if err := os.Mkdir(absent, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(absent, "worker.mjs"), []byte(absentService), 0o600); err != nil {
		return nil, err
	}
	s.services = append(s.services, service{name: "absent", dir: absent})
	return startSite(ctx, x.Root, x.Dir, s)
}

// stored is how many bytes the databases below a folder have, with what is still in their logs.
func stored(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".sqlite") || strings.HasSuffix(d.Name(), "-shm") {
			return err
		}
		info, err := d.Info()
		if err == nil && !strings.HasSuffix(d.Name(), "-wal") {
			n += info.Size()
		}
		return err
	})
	return n, err
}

// LexiconTable shows the results.
func LexiconTable(results []LexiconResult) string {
	t := newTable("passages", "p50 ms", "p95 ms", "CPU ms", "p95 ms filtered", "put of 16 ms", "p99 ms", "bytes a passage", "of the best ten")
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	for _, r := range results {
		t.AppendRow([]any{r.Passages, ms(r.P50), ms(r.P95), ms(r.CPU), ms(r.Filtered), ms(r.Put), ms(r.PutP99), r.Bytes, fmt.Sprintf("%.3f", r.Right)})
	}
	return t.Render()
}
