//go:build unix

package isolate_test

import (
	"net/http"
	"testing"

	"levada.dev/infra/cloudflare/isolate/workerdtest"
)

// BenchmarkEvents shows what an event costs over HTTP on workerd: an answer without a
// wait, a subrequest, and calls of one Durable Object without SQL, with one statement and with a
// transaction of two.
func BenchmarkEvents(b *testing.B) {
	s := workerdtest.Start(b, workerdtest.Worker{
		Main: testworker, Entry: entry,
		Services: map[string]string{"BACKEND": backend}, Objects: map[string]string{"COUNTER": "Counter"},
	})
	for _, c := range []struct{ name, path string }{
		{"answer", "/ping"}, {"subrequest", "/await?tag=t"}, {"call", "/object/a/echo"}, {"call+statement", "/object/a/inc"}, {"call+transaction", "/object/a/txnfail"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if r := s.Get(c.path); r.Err != nil || r.Status != http.StatusOK && r.Status != http.StatusConflict {
						b.Error(r)
					}
				}
			})
		})
	}
}
