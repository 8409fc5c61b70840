package localvec

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// BenchmarkQuery measures exact search among vectors of 1,024 numbers: in namespaces
// of three sizes, in all 200,000, and with a filter that keeps a tenth of a hundred
// thousand. It needs 1.5 GB of memory; -short takes a tenth.
func BenchmarkQuery(b *testing.B) {
	for name, make := range map[string]func(seed uint64, n, dimensions int) [][]float32{"random": random, "clustered": clustered} {
		b.Run(name, func(b *testing.B) { benchmarkQuery(b, make) })
	}
}

func benchmarkQuery(b *testing.B, vectors func(seed uint64, n, dimensions int) [][]float32) {
	const dimensions = 1024
	sizes := []int{1_000, 10_000, 100_000, 89_000}
	if testing.Short() {
		sizes = []int{1_000, 10_000, 9_000}
	}
	dir := devtest.Dir(b)
	options := Options{Indexes: map[string]Index{"docs": {Dimensions: dimensions, Properties: map[string]Kind{"n": Number}}}}
	c := open(b, dir, options)
	total := 0
	var writing time.Duration
	for _, size := range sizes {
		for end := total + size; total < end; total += maxBatch {
			items := make([]item, maxBatch)
			for i, v := range vectors(uint64(total), maxBatch, dimensions) {
				items[i] = item{id: fmt.Sprint(total + i), namespace: fmt.Sprint("of", size), metadata: map[string]any{"n": i % 10}, values: v}
			}
			started := time.Now()
			c.write("upsert", items...)
			writing += time.Since(started)
		}
	}
	b.Logf("%d vectors written in %v", total, writing.Round(time.Millisecond))
	queries := vectors(1<<40, 64, dimensions)
	run := func(name string, query map[string]any) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				at := time.Now()
				c.query(queries[i%len(queries)], query)
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
	for _, size := range sizes[:len(sizes)-1] {
		run(fmt.Sprint(size), map[string]any{"topK": 20, "namespace": fmt.Sprint("of", size)})
	}
	run(fmt.Sprint(total), map[string]any{"topK": 20})
	largest := fmt.Sprint("of", sizes[len(sizes)-2])
	run("filter", map[string]any{"topK": 20, "namespace": largest, "filter": map[string]any{"n": 3}})
	queries = nil
	reopen(b, &c, dir, options)
	require.Equal(b, total, c.describe().VectorCount)
	runtime.GC()
	b.Logf("resident: %s", resident())
}

// clustered answers vectors like a corpus's embeddings: those of the same fifty or
// so chunks are near each other, all lean the same way, and a quarter of the
// directions carries most.
func clustered(seed uint64, n, dimensions int) [][]float32 {
	const topics = 2000
	source := rand.New(rand.NewPCG(seed, 2))
	out := make([][]float32, n)
	for i := range out {
		topic := rand.New(rand.NewPCG(uint64(source.IntN(topics)), 3))
		out[i] = make([]float32, dimensions)
		for j := range out[i] {
			spread := 1 / (1 + 8*float64(j)/float64(dimensions))
			out[i][j] = float32(spread * (0.4 + topic.NormFloat64() + 0.6*source.NormFloat64()))
		}
	}
	return out
}

// reopen lets go of the old store's memory first.
func reopen(b *testing.B, c *client, dir string, options Options) {
	require.NoError(b, c.store.Close())
	c.store = nil
	runtime.GC()
	started := time.Now()
	*c = open(b, dir, options)
	b.Logf("opened in %v", time.Since(started).Round(time.Millisecond))
}

// resident is the process's memory where the system tells it.
func resident() string {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "VmRSS:") {
			return strings.TrimSpace(line[len("VmRSS:"):])
		}
	}
	return "unknown"
}
