package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/bench/library"
	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/tenants"
	"levada.dev/workflows/rag"
)

// Search measures a whole search through the platform, from the request's first byte to the answer's last, at each size of a tenant's corpus. The
// embedder is stubbed and its time told apart. Each question is also put to another tenant, whose corpus stays as small as the first size, so
// that what the size costs can be told from the machine's moods.
type Search struct {
	Root, Dir string
	Sizes     []int // in chunks, ascending
	Questions int
	Progress  func(what string)
}

// SearchResult is one mode at one size.
type SearchResult struct {
	Chunks    int               `json:"chunks"`
	Mode      rag.Mode          `json:"mode"`
	Spread                      // without what the model took
	Parts     map[string]Spread `json:"parts"`       // of Server-Timing; "rest" is what is left of all of it
	Small     Spread            `json:"small"`       // the same questions to the corpus that stays small
	CPU       time.Duration     `json:"cpuNs"`       // of Node and workerd, for a question
	Cached    Spread            `json:"cached"`      // the same questions again
	Degraded  int               `json:"degraded"`    // answers that a half is missing in, as the machine was too busy for it
	CachedCPU time.Duration     `json:"cachedCPUNs"` // for one of them
	Again     *SearchAgain      `json:"again,omitempty"`
}

// Spread is how long something took.
type Spread struct {
	P50 time.Duration `json:"p50Ns"`
	P95 time.Duration `json:"p95Ns"`
	P99 time.Duration `json:"p99Ns"`
}

func spread(ds []time.Duration) Spread {
	s := slices.Sorted(slices.Values(ds))
	return Spread{s[len(s)/2], s[len(s)*95/100], s[len(s)*99/100]}
}

// The tenants: the one whose corpus grows, and the other.
const (
	searchGrows = "demo"
	searchStays = "acme"
)

// searchAgain is how often a question is asked again.
const searchAgain = 3

// asker is a tenant that asks.
type asker struct {
	url    string
	header http.Header
	docs   int
}

// Run measures.
func (x Search) Run(ctx context.Context) (results []SearchResult, err error) {
	x.Progress("starting a platform, the embedder stubbed")
	l, err := local.Start(ctx, local.Options{
		Root: x.Root, State: filepath.Join(x.Dir, "search"), Build: filepath.Join(x.Dir, "roles"), Lexical: true,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Stop()) }()
	language := library.New()
	grows := &asker{url: l.URL, header: http.Header{"X-Tenant-Id": {searchGrows}}}
	stays := &asker{url: l.URL, header: http.Header{"Authorization": {"Bearer " + l.Keys[tenants.ID(searchStays)]}}}
	if err := x.fill(ctx, language, client.New(l.URL, l.Keys[tenants.ID(searchStays)], nil), stays, x.Sizes[0]); err != nil {
		return nil, err
	}
	for i, size := range x.Sizes {
		if err := x.fill(ctx, language, client.New(l.URL, "", &client.Options{Tenant: searchGrows}), grows, size); err != nil {
			return nil, err
		}
		if i == 0 {
			if err := x.warm(ctx, language, grows); err != nil {
				return nil, err
			}
		}
		for _, mode := range rag.Modes {
			x.Progress(fmt.Sprintf("asking %d questions of %d chunks, %s", x.Questions, size, mode))
			r, err := x.measure(ctx, l.PID(), language, mode, grows, stays)
			if err != nil {
				return nil, err
			}
			r.Chunks, r.Mode = size, mode
			results = append(results, r)
		}
	}
	again, err := x.again(ctx, l, language, grows)
	for i := range results {
		if r := &results[i]; r.Chunks == x.Sizes[len(x.Sizes)-1] && r.Mode == rag.Hybrid {
			r.Again = again
		}
	}
	return results, err
}

// fill imports documents until the tenant has so many chunks.
func (x Search) fill(ctx context.Context, l library.Library, c *client.Client, a *asker, chunks int) error {
	x.Progress(fmt.Sprintf("importing up to %d chunks", chunks))
	var docs []client.Document
	for n := a.docs; n < chunks/library.Sections; n++ {
		docs = append(docs, client.Document{DocID: "doc-" + strconv.Itoa(n), Text: l.Document(n), ContentType: "text/markdown"})
	}
	a.docs += len(docs)
	if len(docs) == 0 {
		return nil
	}
	_, err := together(ctx, c, docs)
	return err
}

// warm asks until V8 has optimised what is asked for often: until then it takes more than twice as much.
func (x Search) warm(ctx context.Context, l library.Library, a *asker) error {
	const questions, clients = 800, 2
	x.Progress(fmt.Sprintf("warming up with %d questions", questions))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(clients)
	for i := range questions {
		g.Go(func() error {
			_, err := a.ask(ctx, l.Question(2*x.Questions+i, a.docs), rag.Hybrid, i%4 != 0)
			return err
		})
	}
	return g.Wait()
}

// measure asks every question of both tenants, and then again those of the one that grows.
func (x Search) measure(ctx context.Context, pid int, l library.Library, mode rag.Mode, grows, stays *asker) (r SearchResult, err error) {
	for i := range x.Questions / 4 { // reads what is asked for often
		for _, a := range []*asker{grows, stays} {
			if _, err := a.ask(ctx, l.Question(x.Questions+i, a.docs), mode, true); err != nil {
				return r, err
			}
		}
	}
	var all, small, again []time.Duration
	parts := map[string][]time.Duration{}
	for i := range x.Questions {
		before, _, err := usage(pid)
		if err != nil {
			return r, err
		}
		one, err := grows.ask(ctx, l.Question(i, grows.docs), mode, true)
		if err != nil {
			return r, err
		}
		after, _, err := usage(pid)
		if err != nil {
			return r, err
		}
		r.CPU += (after - before) / time.Duration(x.Questions)
		if one.degraded {
			r.Degraded++
		}
		all = append(all, one.beyondTheModel())
		rest := one.took - max(one.parts["embed"]+one.parts["vectors"], one.parts["lexicon"]) - one.parts["ledger"]
		for _, p := range searchParts {
			parts[p] = append(parts[p], one.parts[p])
		}
		parts["rest"] = append(parts["rest"], rest)
		other, err := stays.ask(ctx, l.Question(i, stays.docs), mode, true)
		if err != nil {
			return r, err
		}
		small = append(small, other.beyondTheModel())
	}
	for i := range x.Questions {
		if err := grows.remember(ctx, l.Question(i, grows.docs), mode); err != nil {
			return r, err
		}
		before, _, err := usage(pid)
		if err != nil {
			return r, err
		}
		for range searchAgain {
			one, err := grows.ask(ctx, l.Question(i, grows.docs), mode, false)
			if err != nil {
				return r, err
			}
			if !one.cached {
				return r, errors.New("a question that was asked again was not answered from the cache")
			}
			again = append(again, one.took)
		}
		after, _, err := usage(pid)
		if err != nil {
			return r, err
		}
		r.CachedCPU += (after - before) / time.Duration(x.Questions*searchAgain)
	}
	r.Spread, r.Small, r.Cached, r.Parts = spread(all), spread(small), spread(again), map[string]Spread{}
	for p, took := range parts {
		r.Parts[p] = spread(took)
	}
	return r, nil
}

// searchParts are the parts of Server-Timing that are told.
var searchParts = []string{"embed", "vectors", "lexicon", "ledger", "total"}

// answered is one question.
type answered struct {
	took     time.Duration
	parts    map[string]time.Duration
	cached   bool
	degraded bool // a half took 3 s longer than the other
	bytes    int  // of the answer
}

// beyondTheModel is what the answer took without the question's embedding, as far as that was waited for: the lexical half goes on beside it.
func (a answered) beyondTheModel() time.Duration {
	with := max(a.parts["embed"]+a.parts["vectors"], a.parts["lexicon"])
	return a.took - (with - max(a.parts["vectors"], a.parts["lexicon"]))
}

// remember asks until the answer is one that was kept.
func (a *asker) remember(ctx context.Context, question string, mode rag.Mode) error {
	for range 200 {
		one, err := a.ask(ctx, question, mode, false)
		if err != nil || one.cached {
			return err
		}
		if err := client.Sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("no answer was kept")
}

func (a *asker) ask(ctx context.Context, question string, mode rag.Mode, fresh bool) (one answered, err error) {
	body, err := json.Marshal(map[string]any{"query": question, "mode": mode, "topK": 10, "answer": false})
	if err != nil {
		return one, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"/search", bytes.NewReader(body))
	if err != nil {
		return one, err
	}
	for name, values := range a.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	if fresh {
		req.Header.Set("Cache-Control", "no-cache")
	}
	begun := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return one, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	one.took = time.Since(begun)
	if err != nil {
		return one, err
	}
	var answer struct {
		Data struct {
			Cached   bool              `json:"cached"`
			Degraded []json.RawMessage `json:"degraded"`
		} `json:"data"`
	}
	if resp.StatusCode != http.StatusOK {
		return one, fmt.Errorf("a search answered %d: %.300s", resp.StatusCode, text)
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return one, err
	}
	one.cached, one.degraded, one.bytes = answer.Data.Cached, len(answer.Data.Degraded) > 0, len(text)
	one.parts, err = serverTiming(resp.Header.Get("Server-Timing"))
	return one, err
}

// serverTiming reads the header of that name: "embed;dur=1.25, total;dur=8".
func serverTiming(header string) (map[string]time.Duration, error) {
	parts := map[string]time.Duration{}
	for entry := range strings.SplitSeq(header, ",") {
		name, rest, _ := strings.Cut(strings.TrimSpace(entry), ";")
		for p := range strings.SplitSeq(rest, ";") {
			number, is := strings.CutPrefix(p, "dur=")
			if !is {
				continue
			}
			ms, err := strconv.ParseFloat(number, 64)
			if err != nil {
				return nil, fmt.Errorf("server-timing %q: %w", header, err)
			}
			parts[name] = time.Duration(ms * float64(time.Millisecond))
		}
	}
	return parts, nil
}

// SearchTable shows the results.
func SearchTable(results []SearchResult) string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
	fine := func(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }
	whole := newTable("beyond the model, ms", "chunks", "p50", "p95", "p99", "CPU", "p50 to small", "p95 to small", "cached p50", "p95", "p99", "CPU", "p50 : cached", "CPU : cached")
	parts := newTable("p50 / p95 ms", "chunks", "embed", "vectors", "lexicon", "ledger", "rest", "total")
	for _, r := range results {
		times := func(a, b time.Duration) string { return fmt.Sprintf("%.2f x", a.Seconds()/b.Seconds()) }
		whole.AppendRow([]any{r.Mode, r.Chunks, ms(r.P50), ms(r.P95), ms(r.P99), ms(r.CPU), times(r.P50, r.Small.P50), times(r.P95, r.Small.P95),
			fine(r.Cached.P50), fine(r.Cached.P95), fine(r.Cached.P99), fine(r.CachedCPU), times(r.P50, r.Cached.P50), times(r.CPU, r.CachedCPU)})
		row := []any{r.Mode, r.Chunks}
		for _, name := range []string{"embed", "vectors", "lexicon", "ledger", "rest", "total"} {
			row = append(row, ms(r.Parts[name].P50)+" / "+ms(r.Parts[name].P95))
		}
		parts.AppendRow(row)
	}
	text := whole.Render() + "\n" + parts.Render()
	for _, r := range results {
		if a := r.Again; a != nil {
			text += fmt.Sprintf("\n%s, %d chunks, again, p50 / p95 / p99 ms: %s / %s / %s from KV, as what another isolate has found; %s / %s / %s right after, from memory",
				r.Mode, r.Chunks, fine(a.KV.P50), fine(a.KV.P95), fine(a.KV.P99), fine(a.Memory.P50), fine(a.Memory.P95), fine(a.Memory.P99))
		}
		if r.Degraded > 0 {
			text += fmt.Sprintf("\n%s, %d chunks: %d answers lack a half that took 3 s longer than the other", r.Mode, r.Chunks, r.Degraded)
		}
	}
	return text
}
