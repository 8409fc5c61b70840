package build_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/build"
	"levada.dev/infra/stack"
)

// withAssets is the fixture whose first role has a folder of files.
func withAssets(t *testing.T) build.Options {
	o := fixture(t)
	o.Roles = []stack.Role{"one"}
	o.Stack.Workers[0].Public = true
	o.Stack.Workers[0].Assets = &stack.Assets{Folder: "site", Path: "/at/"}
	for name, text := range map[string]string{
		"site/_headers":            "/at/*\n  X-Frame-Options: DENY\n",
		"site/index.html":          "<title>page</title>",
		"site/doc.go":              "package site",
		"site/app/main.js":         "import { one } from \"../vendor/one.js\";",
		"site/app/parts/p.js":      "part",
		"site/app/.swp":            "an editor's",
		"site/sitetest/x.js":       "a test's",
		"site/vendor.json":         `{"one": {"from": "one/dist/one.mjs", "to": "one.js"}, "@two/core": {"from": "@two/core/core.mjs", "to": "two.js"}, "one/sheet": {"from": "one/dist/one.css", "to": "one.css"}}`,
		"node_modules/one/LICENSE": "one's words\n", "node_modules/one/package.json": `{"version": "1.2.3", "license": "MIT"}`,
		"node_modules/one/dist/one.mjs":       "import{x}from\"@two/core\";import y from './own.js';export*from'@two/core';const from = \"one\"; // taken from 'one place'\n//# sourceMappingURL=one.mjs.map\n",
		"node_modules/one/dist/one.css":       ".one{}",
		"node_modules/@two/core/core.mjs":     "export const x = 1;",
		"node_modules/@two/core/LICENSE":      "two's words",
		"node_modules/@two/core/package.json": `{"version": "0.1.0", "license": "ISC"}`,
	} {
		write(t, o.Root, name, text)
	}
	return o
}

func TestAssetsAreGathered(t *testing.T) {
	o := withAssets(t)
	_, err := build.Roles(t.Context(), o)
	require.NoError(t, err)
	dir := build.AssetsDir(o.Out, "one")
	served := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, name)
			served[filepath.ToSlash(rel)] = read(t, name)
		}
		return err
	}))
	assert.Equal(t, map[string]string{
		"_headers":               "/at/*\n  X-Frame-Options: DENY\n",
		"at/index.html":          "<title>page</title>",
		"at/app/main.js":         "import { one } from \"../vendor/one.js\";",
		"at/app/parts/p.js":      "part",
		"at/vendor/one.js":       "import{x}from\"./two.js\";import y from './own.js';export*from'./two.js';const from = \"one\"; // taken from 'one place'\n",
		"at/vendor/one.css":      ".one{}",
		"at/vendor/two.js":       "export const x = 1;",
		"at/vendor/LICENSES.txt": "@two/core 0.1.0 (ISC)\n\ntwo's words\n\none 1.2.3 (MIT)\n\none's words\n\n",
	}, served)
}

// The folder has what is served and nothing else, however it was left, and it is told whether that is another thing than before.
func TestAssetsChange(t *testing.T) {
	o := withAssets(t)
	assert.Len(t, changed(t, o), 1)
	assert.Empty(t, changed(t, o))
	write(t, o.Root, "site/app/main.js", "edited")
	assert.Len(t, changed(t, o), 1)
	write(t, o.Root, "site/doc.go", "package site // edited")
	assert.Empty(t, changed(t, o), "what is not served is not looked at")
	require.NoError(t, os.RemoveAll(filepath.Join(o.Root, "site", "app", "parts")))
	assert.Len(t, changed(t, o), 1)
	assert.NoDirExists(t, filepath.Join(build.AssetsDir(o.Out, "one"), "at", "app", "parts"))
	write(t, o.Root, "node_modules/@two/core/core.mjs", "export const x = 2;")
	assert.Len(t, changed(t, o), 1)
}

func TestAssetsRefused(t *testing.T) {
	for _, test := range []struct{ name, file, text, want string }{
		{"no rules for headers", "site/_headers", "", "_headers"},
		{"a module that npm has not", "node_modules/one/dist/one.mjs", "", "(run npm ci)"},
		{"a module that imports another", "node_modules/@two/core/core.mjs", `import "react";`, "@two/core: imports react, which the list does not name"},
		{"no licence", "node_modules/one/LICENSE", "", "one says no licence"},
		{"a list that is none", "site/vendor.json", "[", "site/vendor.json: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			o := withAssets(t)
			if test.text == "" {
				require.NoError(t, os.Remove(filepath.Join(o.Root, filepath.FromSlash(test.file))))
			} else {
				write(t, o.Root, test.file, test.text)
			}
			_, err := build.Roles(t.Context(), o)
			assert.ErrorContains(t, err, "gather the assets of one: ")
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestAssetFolders(t *testing.T) {
	o := withAssets(t)
	folders, err := build.AssetFolders(o.Root, o.Stack.Workers[0])
	require.NoError(t, err)
	at := filepath.Join(o.Root, "site")
	assert.Equal(t, []string{at, filepath.Join(at, "app"), filepath.Join(at, "app", "parts")}, folders)
	folders, err = build.AssetFolders(o.Root, o.Stack.Workers[1])
	require.NoError(t, err)
	assert.Empty(t, folders)
}
