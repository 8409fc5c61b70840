package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/infra/stack"
)

// Memory ingests large documents of each format, on a platform of its own each, and reads how much memory the roles' instances have
// taken. An instance never gives any back, so that is the most that it needed.
type Memory struct {
	Root, Dir string
	Bytes     int // of a document
	Progress  func(what string)
}

// MemoryResult is one format.
type MemoryResult struct {
	Format   string                 `json:"format"`
	Limit    int                    `json:"limitMiB"` // of an instance of the consumers
	Alone    map[stack.Role]float64 `json:"aloneMiB"` // after one document
	Two      map[stack.Role]float64 `json:"twoMiB"`   // after two more, at the same time
	Deaths   int                    `json:"deaths"`   // of instances
	Problems []string               `json:"problems,omitempty"`
}

// formats are documents of about so many bytes. All of them become longer, or at least not much shorter, when their text is taken out.
var formats = []struct {
	name, contentType string
	make              func(bytes int) string
}{
	{"CSV", "text/csv", func(n int) string { return repeated(n, "number,terrace,gate,keeper,remarks\n", csvRecord, "") }},
	{"HTML", "text/html", func(n int) string {
		return repeated(n, "<!doctype html><html><head><title>Levadas</title></head><body><nav><a href=\"/\">Home</a></nav><main><h1>Levadas</h1>", paragraph, "</main></body></html>")
	}},
	{"JSON", "application/json", func(n int) string { return repeated(n, `{"gates":[`, jsonRecord, `{}]}`) }},
	{"text", "text/plain", func(n int) string { return repeated(n, "", prose, "") }},
}

func prose(i int) string {
	return fmt.Sprintf("Channel %d follows the contour of the hill, and at terrace %d a gate lets the water in for %d hours of the night. Its keeper walks it twice a week.\n\n", i, i%97, i%11)
}

func csvRecord(i int) string {
	return fmt.Sprintf("%d,%d,gate %d,Keeper No. %d,\"Opened at night, closed in the morning; round %d\"\n", i, i%97, i%1009, i%61, i)
}

func paragraph(i int) string {
	return fmt.Sprintf("<h2>Channel %d</h2>\n<p>It follows the contour of the <b>hill</b>, and at <a href=\"/terraces/%d\">terrace %d</a> a gate lets the water in for %d hours.</p>\n", i, i%97, i%97, i%11)
}

func jsonRecord(i int) string {
	return fmt.Sprintf(`{"number":%d,"terrace":%d,"gate":"gate %d","keeper":{"name":"Keeper No. %d"},"remarks":"Opened at night, closed in the morning"},`, i, i%97, i%1009, i%61)
}

// repeated is pieces, each with a number, until there are so many bytes.
func repeated(bytes int, head string, piece func(i int) string, tail string) string {
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < bytes; i++ {
		b.WriteString(piece(i))
	}
	b.WriteString(tail)
	return b.String()
}

// Run measures.
func (m Memory) Run(ctx context.Context) (results []MemoryResult, err error) {
	for _, f := range formats {
		m.Progress(fmt.Sprintf("%s of %d bytes", f.name, m.Bytes))
		r, err := m.format(ctx, f.name, f.contentType, f.make(m.Bytes))
		if err != nil {
			return results, fmt.Errorf("%s: %w", f.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// memoryTenant may have the largest documents.
const memoryTenant = "acme"

func (m Memory) format(ctx context.Context, name, contentType, text string) (r MemoryResult, err error) {
	l, err := local.Start(ctx, local.Options{
		Root: m.Root, State: filepath.Join(m.Dir, "memory-"+name), Build: filepath.Join(m.Dir, "roles"), Lexical: true,
	})
	if err != nil {
		return r, err
	}
	defer l.Stop()
	r.Format = name
	c := client.New(l.URL, l.Keys[memoryTenant], nil)
	var mu sync.Mutex
	ingest := func(ctx context.Context, id string) error {
		a, err := c.Ingest(ctx, client.Document{DocID: id, Base64: []byte(text), ContentType: contentType})
		if err != nil {
			return err
		}
		j, err := c.Finished(ctx, a.JobID, jobPause)
		if err != nil && j.State.Final() {
			mu.Lock()
			defer mu.Unlock()
			r.Problems = append(r.Problems, err.Error())
			return nil
		}
		return err
	}
	if err := ingest(ctx, "alone"); err != nil {
		return r, err
	}
	if r.Alone, err = m.read(ctx, l, &r); err != nil {
		return r, err
	}
	m.Progress(fmt.Sprintf("%s: %.0f MiB of %d; now two at a time", name, r.Alone[stack.Consumers], r.Limit))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for i := range 2 {
		g.Go(func() error { return ingest(gctx, fmt.Sprint("two-", i)) })
	}
	if err := g.Wait(); err != nil {
		return r, err
	}
	if r.Two, err = m.read(ctx, l, &r); err == nil {
		m.Progress(fmt.Sprintf("%s: %.0f MiB of %d, %d deaths", name, r.Two[stack.Consumers], r.Limit, r.Deaths))
	}
	return r, err
}

// read is the memory of each role.
func (m Memory) read(ctx context.Context, l *local.Local, r *MemoryResult) (map[stack.Role]float64, error) {
	mib := map[stack.Role]float64{}
	r.Deaths = 0
	for _, w := range l.Stack.Workers {
		meter, err := l.Meter(ctx, w.Role)
		if err != nil {
			return nil, err
		}
		mib[w.Role] = float64(meter.Memory) / (1 << 20)
		r.Deaths += len(meter.Deaths)
		if w.Role == stack.Consumers {
			r.Limit = w.MemoryMiB
		}
	}
	return mib, nil
}

// MemoryTable shows the results.
func MemoryTable(bytes int, results []MemoryResult) string {
	t := newTable(fmt.Sprintf("%.0f MB, Wasm memory in MiB", float64(bytes)/1e6), "consumers, one", "two at a time", "of", "api", "objects", "deaths")
	for _, r := range results {
		row := []any{r.Format}
		for _, mib := range []float64{r.Alone[stack.Consumers], r.Two[stack.Consumers], float64(r.Limit), r.Two[stack.API], r.Two[stack.Objects]} {
			row = append(row, fmt.Sprintf("%.0f", mib))
		}
		t.AppendRow(append(row, r.Deaths))
	}
	text := t.Render()
	for _, r := range results {
		for _, p := range r.Problems {
			text += "\n" + r.Format + ": " + p
		}
	}
	return text
}
