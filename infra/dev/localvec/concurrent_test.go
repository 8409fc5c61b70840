package localvec

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"levada.dev/infra/dev/devtest"
)

// TestConcurrentCallers writes and reads two namespaces at once; run it with -race.
func TestConcurrentCallers(t *testing.T) {
	c := open(t, devtest.Dir(t), Options{})
	var wg sync.WaitGroup
	for _, tenant := range []string{"acme", "globex"} {
		wg.Go(func() {
			for i := range 200 {
				w := c.tryWrite("upsert", item{id: fmt.Sprint(tenant, i%20), namespace: tenant, values: []float32{1, float32(i)}})
				assert.Equal(t, http.StatusOK, w.Code)
				if i%5 == 0 {
					c.call("deleteByIds", map[string]any{"ids": []string{fmt.Sprint(tenant, i%20)}})
				}
			}
		})
		wg.Go(func() {
			for range 200 {
				for _, m := range c.query([]float32{1, 0}, map[string]any{"namespace": tenant, "topK": 50, "returnValues": true}) {
					assert.Equal(t, tenant, m.Namespace)
					assert.Equal(t, float32(1), m.values[0])
				}
			}
		})
	}
	wg.Wait()
}
