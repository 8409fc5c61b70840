package double_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// health is what a Worker says of itself.
type health struct {
	Code        int `json:"-"`
	Status      string
	Version     string
	VersionID   string
	Environment string
}

func readHealth(t *testing.T, response *http.Response) health {
	t.Helper()
	h := health{Code: response.StatusCode}
	if response.Header.Get("Content-Type") == "application/json" {
		require.NoError(t, json.NewDecoder(response.Body).Decode(&struct{ Data *health }{&h}))
	}
	return h
}
