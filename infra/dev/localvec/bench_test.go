package localvec

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/dev/devtest"
)

// BenchmarkQuery measures exact search over 200,000 vectors of 1,024 numbers, in
// one namespace and in the first of two. It needs 1 GB of memory; -short takes
// a tenth.
func BenchmarkQuery(b *testing.B) {
	const dimensions = 1024
	total := 200_000
	if testing.Short() {
		total /= 10
	}
	dir := devtest.Dir(b)
	options := Options{Indexes: map[string]Index{"docs": {Dimensions: dimensions, Properties: map[string]Kind{"n": Number}}}}
	c := open(b, dir, options)
	started := time.Now()
	for n := 0; n < total; n += maxBatch {
		items := make([]item, maxBatch)
		for i, v := range random(uint64(n), maxBatch, dimensions) {
			items[i] = item{id: fmt.Sprint(n + i), namespace: fmt.Sprint("tenant", i%2), metadata: map[string]any{"n": i % 10}, values: v}
		}
		c.write("upsert", items...)
	}
	b.Logf("%d vectors written in %v, with the making of them", total, time.Since(started).Round(time.Millisecond))
	queries := random(1<<40, 64, dimensions)
	for name, query := range map[string]map[string]any{
		"all":       {"topK": 10},
		"namespace": {"topK": 10, "namespace": "tenant0"},
		"filter":    {"topK": 10, "filter": map[string]any{"n": 3}},
	} {
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
	queries, c = nil, reopen(b, c, dir, options)
	require.Equal(b, total, c.describe().VectorCount)
	runtime.GC()
	b.Logf("resident: %s", resident())
}

func reopen(b *testing.B, c client, dir string, options Options) client {
	require.NoError(b, c.store.Close())
	c.store = nil
	runtime.GC()
	started := time.Now()
	c = open(b, dir, options)
	b.Logf("opened in %v", time.Since(started).Round(time.Millisecond))
	return c
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
