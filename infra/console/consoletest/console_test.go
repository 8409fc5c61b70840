package consoletest_test

import (
	"bytes"
	"cmp"
	"context"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/console/consoletest"
	"levada.dev/infra/dev/devtest"
	"levada.dev/infra/local"
	"levada.dev/infra/logbook/logbooktest"
)

// TestFlows does every flow. The screenshots are kept in .levada/screenshots, or in the folder that LEVADA_SHOTS names.
func TestFlows(t *testing.T) {
	chromium, root := needs(t)
	shots := cmp.Or(os.Getenv("LEVADA_SHOTS"), filepath.Join(".levada", "screenshots"))
	if !filepath.IsAbs(shots) {
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
		t.Run(flow, func(t *testing.T) {
			judged, err := browser.Run(flow)
			require.NoError(t, err)
			for page, pictures := range judged {
				assert.Equal(t, inAllLooks, widths(t, pictures), page)
			}
		})
	}
}

// inAllLooks is how wide the pictures of a page are that was judged.
var inAllLooks = map[string]int{"light": 1280, "dark": 1280, "phone": 360, "phone-dark": 360}

func TestAFlowLeavesItsPictures(t *testing.T) {
	chromium, root := needs(t)
	flows, shots := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(flows, "some.mjs"), []byte(`export const flows = {
		async "all is well"(t) {
			await t.page.setContent("<html lang=en><title>Well</title><main><h1>Well</h1></main>");
			await t.judge("it's well");
		},
		async "it's broken"(t) {
			await t.page.setContent("<h1>Broken</h1>");
			throw new Error("nothing can be done with it");
		},
		async "nobody looks"(t) {
			await t.page.close();
			throw new Error("it is gone");
		},
	};`), 0o600))
	folder := filepath.Join(shots, "some", "it-s-broken")
	require.NoError(t, os.MkdirAll(folder, 0o755))
	old := filepath.Join(folder, "of-the-last-run-light.png")
	require.NoError(t, os.WriteFile(old, nil, 0o600))
	browser, err := consoletest.Start(consoletest.Options{Root: root, Chromium: chromium, URL: "http://127.0.0.1", Flows: flows, Shots: shots, Logs: t.Output()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, browser.Stop()) })

	judged, err := browser.Run("some/all is well")
	require.NoError(t, err)
	require.Contains(t, judged, "it's well")
	assert.Equal(t, inAllLooks, widths(t, judged["it's well"]))
	assert.FileExists(t, filepath.Join(shots, "some", "all-is-well", "it-s-well-phone-dark.png"))

	_, err = browser.Run("some/it's broken")
	require.ErrorContains(t, err, "nothing can be done with it")
	failed := filepath.Join(folder, "failed.png")
	require.ErrorContains(t, err, "the page as it was: "+failed)
	assert.Equal(t, map[string]int{"failed": 1280}, widths(t, consoletest.Pictures{"failed": failed}))
	assert.NoFileExists(t, old)

	_, err = browser.Run("some/nobody looks")
	require.ErrorContains(t, err, "it is gone")
	require.ErrorContains(t, err, "there is no picture of the page: ")
}

// needs are the browser and the checkout. Where there is no browser the test is passed over, but not in CI.
func needs(t *testing.T) (chromium, root string) {
	t.Helper()
	chromium, err := consoletest.Chromium()
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	root, err = filepath.Abs(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	return chromium, root
}

// widths are how many pixels wide pictures are, by look.
func widths(t *testing.T, pictures consoletest.Pictures) map[string]int {
	t.Helper()
	all := map[string]int{}
	for look, path := range pictures {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		picture, err := png.DecodeConfig(bytes.NewReader(data))
		require.NoError(t, err, path)
		all[look] = picture.Width
	}
	return all
}
