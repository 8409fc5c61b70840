package consoletest_test

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"levada.dev/infra/console/consoletest"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
	"levada.dev/infra/logbook/logbooktest"
)

// TestFlows does every flow. LEVADA_SHOTS is where the screenshots are kept; without it there are none.
func TestFlows(t *testing.T) {
	chromium, err := consoletest.Chromium()
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	shots := os.Getenv("LEVADA_SHOTS")
	if shots != "" && !filepath.IsAbs(shots) {
		shots = filepath.Join(root, shots)
	}
	state := devtest.Dir(t)
	log, err := os.Create(filepath.Join(state, "workers.log"))
	require.NoError(t, err)
	platform, err := local.Start(context.Background(), local.Options{
		Root: root, State: state, Build: filepath.Join(root, "bin", "console"), Version: "test", Logs: io.MultiWriter(log, t.Output()), Lexical: true,
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, platform.Stop())
		require.NoError(t, logbooktest.Hold(root, log.Name(), slices.Collect(maps.Values(platform.Keys))...))
	})
	platform.Models().Refuse("unspeakable") // what becomes dead letters

	keys := map[string]string{}
	for tenant, key := range platform.Keys {
		keys[string(tenant)] = key
	}
	browser, err := consoletest.Start(consoletest.Options{Root: root, Chromium: chromium, URL: platform.URL, Keys: keys, Shots: shots, Logs: t.Output()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, browser.Stop()) })
	require.NotEmpty(t, browser.Flows)
	for _, flow := range browser.Flows {
		t.Run(flow, func(t *testing.T) { require.NoError(t, browser.Run(flow)) })
	}
}
