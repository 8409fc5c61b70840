package imports_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/workflows/imports"
)

// What a sitemap of a few kilobytes unpacks to is not held: neither elements that lie in each other nor a long text between two of them.
func TestASitemapThatUnpacksToMuchStaysSmall(t *testing.T) {
	const url = "<url><loc>https://a.example.com/1</loc></url>"
	for name, c := range map[string]struct {
		body, code string
		refused    []string
		most       int // megabytes
	}{
		"nested":            {"<urlset>" + strings.Repeat("<a>", 4<<20), "sitemap_invalid", nil, 620},
		"nested, and whole": {"<urlset>" + strings.Repeat("<a>", 1<<18) + strings.Repeat("</a>", 1<<18) + url + "</urlset>", "", nil, 100},
		"a comment":         {"<urlset><!--" + strings.Repeat("<>", 20<<20) + "-->" + url + "</urlset>", "sitemap_invalid", nil, 20},
		"a long address":    {"<urlset><url><loc>https://a.example.com/" + strings.Repeat("a", 1<<19) + "</loc></url>" + url + "</urlset>", "", []string{"1 url_too_long"}, 20},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "acme")
			w.serve("https://a.example.com/map.xml.gz", zipped(t, c.body))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			require.NoError(t, w.run(imports.Origin{Sitemap: "https://a.example.com/map.xml.gz"}, 0).Run(t.Context()))
			runtime.ReadMemStats(&after)
			assert.Less(t, (after.TotalAlloc-before.TotalAlloc)>>20, uint64(c.most), "megabytes, those that were given back as well")
			code := ""
			if w.ledger.failed != nil {
				code = w.ledger.failed.Code
			}
			assert.Equal(t, c.code, code)
			assert.Equal(t, c.refused, w.ledger.problems())
		})
	}
}
