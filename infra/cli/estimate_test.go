package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/client/clienttest"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

// asked runs a command line while somebody is there who answers.
func (w *world) asked(ctx context.Context, tenant, answers string, args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	var out, errs bytes.Buffer
	args = append(args, "--tenant", tenant, "--state-dir", w.state)
	code = execute(ctx, &globals{http: clienttest.Inside{Handler: w}, stdin: strings.NewReader(answers)}, args, &out, &errs)
	return code, w.plain(out.String()), w.plain(errs.String())
}

func (w *world) documents(tenant string) int {
	w.t.Helper()
	all, err := w.ledger.List(w.t.Context(), tenantstest.Scope(w.t, tenant), corpus.Listing{Limit: 100})
	require.NoError(w.t, err)
	return len(all.Documents)
}

func TestWhatAnIngestWouldCost(t *testing.T) {
	folder(t, handbook)
	inWorld(t, func(t *testing.T, w *world) {
		for _, tenant := range []string{"acme", "globex"} {
			code, out, errs := w.run(t.Context(), tenant, "ingest", "--estimate", "docs", "https://example.com/a")
			require.Equal(t, exitOK, code, errs)
			for _, said := range []string{"calls of models", "tokens", "neurons", "$0.0000", "tokens left this day: it fits", "prices of 20", "pages that the platform fetches are not counted"} {
				assert.Contains(t, out, said)
			}
			assert.NotContains(t, out, "characters left")
			code, out, errs = w.run(t.Context(), tenant, "ingest", "--estimate", "--json", "docs")
			require.Equal(t, exitOK, code, errs)
			var e client.Estimate
			require.NoError(t, json.Unmarshal([]byte(out), &e))
			assert.Equal(t, int64(29+3*2), e.Tokens, "114 bytes, three chunks")
			assert.Zero(t, w.documents(tenant), "nothing was sent")
		}
	})
}

// A large import says what it costs, and begins when whoever is there wants it.
func TestALargeImportIsAskedAbout(t *testing.T) {
	large := map[string]string{"small/a.txt": "Water."}
	for i := range 500 {
		large[fmt.Sprintf("big/%d.txt", i)] = "Water."
	}
	folder(t, large)
	inWorld(t, func(t *testing.T, w *world) {
		code, _, errs := w.asked(t.Context(), "acme", "n\n", "ingest", "--wait", "small")
		assert.Equal(t, exitOK, code, "a small one is not asked about: %s", errs)
		assert.NotContains(t, errs, "Begin?")

		code, _, errs = w.asked(t.Context(), "acme", "n\n", "ingest", "big")
		assert.Equal(t, exitRefused, code)
		for _, said := range []string{"500 documents, 3000 bytes: about 1752 tokens", "the budgets have room for it", "Begin? yes or no [y]", "nothing was done"} {
			assert.Contains(t, errs, said)
		}
		assert.Equal(t, 1, w.documents("acme"))

		code, _, errs = w.asked(t.Context(), "acme", "\n", "ingest", "--wait", "big")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, errs, "Begin? yes or no [y]")
		code, _, errs = w.asked(t.Context(), "globex", "", "ingest", "--wait", "--yes", "big")
		assert.Equal(t, exitOK, code, errs)
		assert.NotContains(t, errs, "Begin?")
		assert.Contains(t, errs, "500 documents, 3000 bytes: about")
		for _, tenant := range []string{"acme", "globex"} {
			assert.Greater(t, w.documents(tenant), 1, tenant)
		}
	})
}

// Who may not know what it costs is told so, and goes on.
func TestWhatThisKeyMayNotKnow(t *testing.T) {
	folder(t, handbook)
	noEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		w := newCLIWorldOf(t, []tenants.APIScope{tenants.ScopeIngest, tenants.ScopeAdmin, tenants.ScopeJobs}, func(*tenants.Config) {})
		w.index("acme", "a", "Water flows in channels.")
		code, _, errs := w.run(t.Context(), "acme", "ingest", "--estimate", "docs")
		assert.NotEqual(t, exitOK, code)
		assert.Contains(t, errs, "scope metrics")
		code, _, errs = w.asked(t.Context(), "acme", "", "embedding", "move", "bge-small")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, errs, "what it costs is not known: the key does not hold the scope metrics")
		code, out, errs := w.run(t.Context(), "acme", "embedding", "estimate", "bge-base")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "1 document, 1 chunk")
		assert.Contains(t, errs, "what is left of the budgets is not known")
	})
}

func TestAMoveIsAskedAbout(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.index("acme", "a", "Water flows in channels.")
		code, _, errs := w.asked(t.Context(), "acme", "no\n", "embedding", "move", "bge-small")
		assert.Equal(t, exitRefused, code)
		assert.Contains(t, errs, "to embed 1 document, 1 chunk: about")
		_, out, _ := w.run(t.Context(), "acme", "embedding")
		assert.NotContains(t, out, "bge-small", "nothing was done")
		code, out, errs = w.asked(t.Context(), "acme", "y\n", "embedding", "move", "bge-small")
		assert.Equal(t, exitOK, code, errs)
		assert.Contains(t, out, "succeeded")
		code, _, errs = w.asked(t.Context(), "globex", "", "embedding", "move", "bge-small")
		assert.Equal(t, exitOK, code, "there is nothing to ask about: %s", errs)
	})
}

func TestWhatSpeakingWouldCost(t *testing.T) {
	noEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		w := newCLIWorldOf(t, tenants.AllScopes, func(c *tenants.Config) {
			c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1"}
		})
		code, out, errs := w.run(t.Context(), "acme", "speak", "--estimate", "--json", strings.Repeat("水", 600))
		require.Equal(t, exitOK, code, errs)
		var e client.Estimate
		require.NoError(t, json.Unmarshal([]byte(out), &e))
		assert.Equal(t, []int64{600, 600}, []int64{e.Chars, e.Most.Chars})
		assert.Positive(t, e.Nanos)
		code, _, errs = w.run(t.Context(), "globex", "speak", "--estimate", "--model", "no/such", "Water.")
		assert.NotEqual(t, exitOK, code)
		assert.Contains(t, errs, "model_unknown")
	})
}

// A long text says what it costs, and is spoken when whoever is there wants it.
func TestALongTextIsAskedAbout(t *testing.T) {
	noEnvironment(t)
	synctest.Test(t, func(t *testing.T) {
		w := newCLIWorldOf(t, tenants.AllScopes, func(c *tenants.Config) {
			c.Speech = tenants.Speech{Enabled: true, Model: "@cf/deepgram/aura-1"}
		})
		long, asked := strings.Repeat("Water. ", 3000), map[string]int{}
		w.around = func(api http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if r.Method+" "+r.URL.Path == "POST /tts" {
					asked[r.Header.Get("X-Tenant-Id")]++
				}
				api.ServeHTTP(rw, r)
			})
		}
		for _, tenant := range []string{"acme", "globex"} {
			code, _, errs := w.asked(t.Context(), tenant, "n\n", "speak", long)
			assert.Equal(t, exitRefused, code, errs)
			assert.Contains(t, errs, "21000 characters: ")
			assert.Contains(t, errs, "Begin?")
			assert.Zero(t, asked[tenant], "nothing was asked for")
		}
		ctx, leave := context.WithTimeout(t.Context(), time.Minute) // nobody speaks here
		defer leave()
		_, _, errs := w.asked(ctx, "acme", "y\n", "speak", long)
		assert.Contains(t, errs, "Begin?")
		assert.Equal(t, map[string]int{"acme": 1}, asked)
		ctx, leave = context.WithTimeout(t.Context(), time.Minute)
		defer leave()
		_, _, errs = w.asked(ctx, "globex", "n\n", "speak", "--yes", long)
		assert.NotContains(t, errs, "Begin?")
		assert.Equal(t, map[string]int{"acme": 1, "globex": 1}, asked)
	})
}
