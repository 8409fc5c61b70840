package demo

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func goRoot(t *testing.T) string {
	root, err := GoRoot(t.Context())
	require.NoError(t, err)
	return root
}

func TestStandardLibraryReadsEveryDocumentedPackage(t *testing.T) {
	pages, err := StandardLibrary(goRoot(t), false)
	require.NoError(t, err)
	require.Greater(t, len(pages), 120)

	byImport := map[string]Page{}
	for _, p := range pages {
		byImport[p.Import] = p
		assert.NotContains(t, p.Import, "internal")
	}
	http := string(byImport["net/http"].Markdown)
	assert.True(t, strings.HasPrefix(http, "# Package net/http\n"))
	assert.Contains(t, http, "### func (*Client) Do\n")
	assert.Contains(t, http, "func (c *Client) Do(req *Request) (*Response, error)")
	assert.Equal(t, "go.net.http", byImport["net/http"].DocID())
}

func TestOverviewLeavesSymbolsOut(t *testing.T) {
	pages, err := StandardLibrary(goRoot(t), true)
	require.NoError(t, err)
	for _, p := range pages {
		assert.NotContains(t, string(p.Markdown), "\n## func ")
	}
}

func TestStandardLibraryNamesAnEmptyRoot(t *testing.T) {
	_, err := StandardLibrary(t.TempDir(), true)
	require.Error(t, err)
}
