package build

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Of builds at the same time none takes away what another is writing, and the last one's files are all there.
func TestBuildsTakeTurns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "api", "glue")
	var all sync.WaitGroup
	for build := range 4 {
		all.Go(func() {
			for round := range 50 {
				text := fmt.Appendf(nil, "%d of build %d", round, build)
				_, err := hold(dir, map[string][]byte{"app.wasm": text, "parts/index.mjs": text})
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	one, err := os.ReadFile(filepath.Join(dir, "app.wasm"))
	assert.NoError(t, err)
	other, err := os.ReadFile(filepath.Join(dir, "parts", "index.mjs"))
	assert.NoError(t, err)
	assert.Equal(t, string(one), string(other), "both are of one build")
}
