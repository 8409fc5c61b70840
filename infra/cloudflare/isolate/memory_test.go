//go:build unix

package isolate_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where as much is alive as the limit lets, the collector does not run at each allocation: it has some megabytes all the same, and the limit
// is what it was when that is over.
func TestTheCollectorHasRoom(t *testing.T) {
	t.Parallel()
	s := start(t, nil)
	type told struct{ Collections, LimitMiB int }
	garbage := func(alive, mib int) (is told) {
		r := s.Get(fmt.Sprintf("/garbage?alive=%d&garbage=%d", alive, mib))
		require.Equal(t, http.StatusOK, r.Status, r.Body)
		require.NoError(t, json.Unmarshal([]byte(r.Body), &is))
		return is
	}
	for _, alive := range []int{30, 56, 64} {
		t.Run(fmt.Sprint(alive), func(t *testing.T) {
			is := garbage(alive, 64)
			t.Logf("%+v", is)
			assert.LessOrEqual(t, is.Collections, 64/8+4)
			assert.Equal(t, alive > 50, is.LimitMiB > 60)
			assert.Equal(t, 60, garbage(1, 256).LimitMiB)
		})
	}
}
