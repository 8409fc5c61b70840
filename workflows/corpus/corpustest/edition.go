package corpustest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/tenants"
	"levada.dev/tenants/tenantstest"
	"levada.dev/workflows/corpus"
)

func edition(t *testing.T, l Ledger, s tenants.Scope) corpus.Edition {
	t.Helper()
	e, err := l.Edition(t.Context(), s)
	require.NoError(t, err)
	return e
}

func editions(t *testing.T, l Ledger) {
	acme, globex := tenantstest.Two(t)
	none, others := edition(t, l, acme), edition(t, l, globex)
	ref := submit(t, l, acme, tenantstest.Fresh(t, "doc-"), 1)
	advance(t, l, acme, chunked(ref, 1, 7))
	begun := edition(t, l, acme)
	assert.Equal(t, none.Number, begun.Number, "nobody sees it yet")
	assert.NotEmpty(t, begun.Space, "the first document says which space it is")
	advance(t, l, acme, indexed(ref, 0, 1, 7))
	first := edition(t, l, acme)
	assert.Greater(t, first.Number, none.Number)
	advance(t, l, acme, indexed(ref, 0, 1, 7))
	assert.Equal(t, first, edition(t, l, acme), "told again")
	submit(t, l, acme, ref.DocID, 2)
	second := edition(t, l, acme)
	assert.Greater(t, second.Number, first.Number, "its title is that of what was submitted")
	deleted(t, l, acme, ref.DocID)
	assert.Greater(t, edition(t, l, acme).Number, second.Number)
	assert.Equal(t, others, edition(t, l, globex))
	_, err := l.Edition(t.Context(), tenants.Scope{})
	assert.Error(t, err, "nobody's")
}
