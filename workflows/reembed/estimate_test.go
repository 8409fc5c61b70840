package reembed_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/events/fault"
	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
	"levada.dev/workflows/llm"
	"levada.dev/workflows/reembed"
)

// pages is a ledger in which each tenant's space lacks so many pages of documents.
type pages struct {
	of    map[tenants.ID]int
	calls int
}

func (p *pages) Missing(_ context.Context, s tenants.Scope, _, cursor string) (m reembed.Missing, err error) {
	p.calls++
	n, _ := strconv.Atoi(cursor)
	if n++; n < p.of[s.Tenant()] {
		m.Next = strconv.Itoa(n)
	}
	m.Documents, m.Chunks, m.Tokens = 1000, 3001, 500_000
	return m, nil
}

func TestAnEstimateIsCountedInPieces(t *testing.T) {
	acme, globex := tenantstest.Two(t)
	to := llm.EmbeddingModels()[0]
	for _, n := range []int{1, 20, 21, 500} {
		p := &pages{of: map[tenants.ID]int{acme.Tenant(): n, globex.Tenant(): 1}}
		var e reembed.Estimate
		var err error
		requests := 0
		for cursor := ""; requests == 0 || cursor != ""; requests++ {
			p.calls = 0
			e, err = reembed.EstimateOf(t.Context(), p, acme, "from", to, cursor)
			require.NoError(t, err)
			assert.LessOrEqual(t, p.calls, 20, "calls of the ledger for one request")
			cursor = e.Next
		}
		assert.Equal(t, (n+19)/20, requests)
		assert.Equal(t, reembed.Missing{Documents: 1000 * n, Chunks: 3001 * n, Tokens: 500_000 * int64(n)}, e.Missing, "%d pages", n)
		assert.Equal(t, e.Tokens*to.Price, e.Nanos)
		calls := (3001*n + to.Batch - 1) / to.Batch
		assert.InDelta(t, (corpus.Settling.Seconds() + float64(calls)/2), e.Time.Seconds(), 1, "as of all of them at once")

		e, err = reembed.EstimateOf(t.Context(), p, globex, "from", to, "")
		require.NoError(t, err)
		assert.Equal(t, 1000, e.Documents)
	}
}

func TestACursorOfNoEstimate(t *testing.T) {
	acme, _ := tenantstest.Two(t)
	for _, text := range []string{"x", `{}`, `{"next":""}`, `{"next":"a","documents":-1}`, `{"next":"a","chunks":-1}`, `{"next":"a","tokens":-5}`,
		fmt.Sprintf(`{"next":"a","tokens":%d}`, int64(1)<<62), `[]`} {
		_, err := reembed.EstimateOf(t.Context(), &pages{}, acme, "from", llm.EmbeddingModels()[0], base64.RawURLEncoding.EncodeToString([]byte(text)))
		require.True(t, fault.Is(err, fault.Invalid), text)
		assert.Equal(t, "cursor", fault.As(err).Field, text)
	}
	_, err := reembed.EstimateOf(t.Context(), &pages{}, acme, "from", llm.EmbeddingModels()[0], "no base64!")
	assert.True(t, fault.Is(err, fault.Invalid))
}
