package dev_test

import (
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where no workerd answers, the error says so, why, and what to do, without a stack of Node's.
func TestUnreachable(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	node := exec.Command(filepath.Join("..", "..", "node_modules", ".bin", "node"), "--input-type=module", "--eval", `
		import { Control } from "./client.mjs";
		await new Control(() => process.argv[1]).ask("kv/api:CONFIG/get", ["k"]).catch((e) => console.log(e.message));`, gone.URL)
	said, err := node.Output()
	require.NoError(t, err)
	assert.Contains(t, string(said), "workerd does not answer (connect ECONNREFUSED 127.0.0.1:")
	assert.Contains(t, string(said), "Start the platform again")
}
