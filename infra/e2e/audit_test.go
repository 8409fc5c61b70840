package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"levada.dev/infra/client"
	"levada.dev/infra/local"
	"levada.dev/tenants"
	"levada.dev/workflows/trail/verify"
)

// Acts and refused access are on record, each tenant's in its own chain, which is told as it is kept; and what somebody does to it who has
// the disk is found.
func TestWhatIsDoneToATrailIsFound(t *testing.T) {
	state := newState(t)
	p := own(t, state)
	for _, tenant := range []string{"acme", "globex"} {
		u := asOn(t, p, tenant)
		for range 3 {
			require.Equal(t, http.StatusNotFound, u.do(http.MethodDelete, "/jobs/none", nil, "x-user-id", "ada").Status)
		}
		u.key = "no key of theirs"
		require.Equal(t, http.StatusUnauthorized, u.do(http.MethodGet, "/usage", nil, "x-tenant-id", tenant).Status)
	}
	for _, tenant := range []string{"acme", "globex"} {
		u := asOn(t, p, tenant)
		found := func(query string) (page client.TrailPage) {
			u.do(http.MethodGet, "/audit?"+query, nil).into(t, &page)
			return page
		}
		eventually(t, "what was done is on record", func() bool {
			return len(found("name=jobs.cancel").Entries) == 6 && len(found("kind=access").Entries) == 1
		})
		begun := found("name=jobs.cancel&outcome=begun").Entries
		require.Len(t, begun, 3)
		assert.Equal(t, []string{"ada", "jobs/none"}, []string{begun[0].Act.UserID, begun[0].Act.Target})
		assert.Equal(t, "unauthorized", found("kind=access").Entries[0].Act.Code)
		whole, err := verified(p, u)
		require.NoError(t, err)
		assert.GreaterOrEqual(t, whole.Len(), 7)
	}
	for _, c := range []struct {
		tenant, sql string
		seq         int64
	}{
		{"acme", `UPDATE rows SET v = CAST(replace(CAST(v AS TEXT), '"ada"', '"eve"') AS BLOB) WHERE k = 'e/000000000002'`, 2},
		{"globex", `DELETE FROM rows WHERE k = 'e/000000000003'`, 3},
	} {
		require.NoError(t, p.Stop())
		tamper(t, state, c.tenant, c.sql)
		p = own(t, state)
		_, err := verified(p, asOn(t, p, c.tenant))
		var b *verify.Break
		require.True(t, errors.As(err, &b), "%v", err)
		assert.Equal(t, c.seq, b.Seq, b.Why)
		if c.tenant == "acme" {
			_, err = verified(p, asOn(t, p, "globex"))
			require.NoError(t, err, "nobody has touched it")
		}
	}
}

// verified reads the chain of a user's tenant, and holds it to its hashes.
func verified(p *local.Local, u user) (*verify.Chain, error) {
	c := verify.NewChain(tenants.ID(u.tenant), "the trail")
	head, err := client.New(p.URL, u.key, &client.Options{Tenant: u.tenant}).Chain(u.t.Context(), c.Add)
	if err == nil {
		err = c.Ends(head)
	}
	return c, err
}

// tamper changes what a tenant's audit object has stored. No platform may run.
func tamper(t *testing.T, state, tenant, sql string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "node_modules", ".bin", "node"), "--disable-warning=ExperimentalWarning",
		filepath.Join("testdata", "tamper.mjs"), filepath.Join(state, "workerd", "do", "objects-Audit"), tenant, sql)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	require.NoError(t, err, errs.String())
	require.Equal(t, "1", string(out), fmt.Sprint("one row of ", tenant))
}
