//go:build !js

package port_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// record is a call in the gateway's log.
type record struct {
	Metadata map[string]string
	Model    string
	Status   int `json:"status_code"`
}

// gatewayLog checks that the gateway knows on whose behalf the suites of the models made each call, and how it went.
func (w *worker) gatewayLog(t *testing.T) {
	calls, statuses := map[string]int{}, map[int]int{}
	// A caller who has left is noticed after the call.
	require.Eventually(t, func() bool {
		clear(calls)
		clear(statuses)
		for _, r := range w.records(t) {
			if strings.HasPrefix(r.Model, "@local/") {
				calls[r.Metadata["tenant_id"]+" "+r.Metadata["route"]]++
				statuses[r.Status]++
			}
		}
		return statuses[499] >= 2*3
	}, 10*time.Second, 10*time.Millisecond, "%v", statuses)
	for _, status := range []int{200, 400, 408, 413, 429, 500, 502} {
		assert.NotZero(t, statuses[status], "%d in %v", status, statuses)
	}
	assert.Equal(t, 12, calls["acme summary"])
	assert.Equal(t, 12, calls["globex summary"])
	assert.NotZero(t, calls["acme chat"])
	assert.Zero(t, calls["globex chat"])
	assert.NotZero(t, calls["acme speech"])
	assert.NotZero(t, calls["globex speech"])
	for _, r := range w.records(t) {
		assert.LessOrEqual(t, len(r.Metadata), 5)
		assert.NotEmpty(t, r.Metadata["tenant_id"], "%+v", r)
		if r.Metadata["route"] == "summary" {
			assert.True(t, strings.HasPrefix(r.Metadata["request_id"], r.Metadata["tenant_id"]), "%+v", r)
			assert.Equal(t, http.StatusOK, r.Status, "an answer that was read to its end is none that was left")
		}
	}
}

func (w *worker) records(t *testing.T) (all []record) {
	for page := 1; ; page++ {
		var list struct{ Result []record }
		resp, err := http.Get(fmt.Sprintf("%s/gateways/suite/logs?per_page=50&page=%d", w.gateway, page))
		require.NoError(t, err)
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&list))
		require.NoError(t, resp.Body.Close())
		if len(list.Result) == 0 {
			return all
		}
		all = append(all, list.Result...)
	}
}
