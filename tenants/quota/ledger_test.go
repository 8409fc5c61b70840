package quota_test

import (
	"testing"
	"time"

	"levada.dev/infra/memory"
	"levada.dev/tenants/quota/quotatest"
)

func TestLedger(t *testing.T) {
	quotatest.TestLedger(t, func(*testing.T) quotatest.Ledger { return memory.NewQuota(time.Now) })
}
