package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/trace"
	"levada.dev/events/watch/watchtest"
	"levada.dev/tenants"
)

// What a request has done is told with it: as its tenant's, and of nobody who was not let in.
func TestWhatARequestDoesIsItsTenants(t *testing.T) {
	watch, seen := watchtest.New("api", nil)
	w := newWorld(t, func(w *world) { w.opts.Watch = watch })
	call := `{"tool_name":"echo","params":{"text":"hello"}}`
	for _, name := range []string{"acme", "globex"} {
		require.Equal(t, http.StatusOK, w.do(name, "POST", "/tools/execute", call).Code)
	}
	assert.Equal(t, http.StatusForbidden, w.do("globex", "POST", "/tools/execute", call, "x-tenant-id", "acme").Code)
	for _, id := range []tenants.ID{"acme", "globex"} {
		requests, tools := seen.Spans(id, trace.Request), seen.Spans(id, trace.Tool)
		require.Len(t, requests, 1, id)
		require.Len(t, tools, 1, id)
		assert.Equal(t, []string{"echo", requests[0].Trace, requests[0].ID}, []string{tools[0].Name, tools[0].Trace, tools[0].Parent})
		assert.EqualValues(t, 1, seen.Sums(id)["levada_tool_calls [echo ok]"])
	}
}
