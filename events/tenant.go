package events

import (
	"fmt"
	"time"

	"levada.dev/events/fault"
)

// Types of the facts about a tenant as a whole.
const (
	TypeTenantErasureRequested   = "dev.levada.tenant.erasure.requested.v1"
	TypeTenantErased             = "dev.levada.tenant.erased.v1"
	TypeTenantEmbeddingRequested = "dev.levada.tenant.embedding.requested.v1"
	TypeTenantEmbeddingSwitched  = "dev.levada.tenant.embedding.switched.v1"
	TypeTenantTransferRequested  = "dev.levada.tenant.transfer.requested.v1"
)

// TenantErasureRequested says that somebody wants everything erased that is stored of the tenant. Nothing new is taken from
// then on, until the job has ended.
type TenantErasureRequested struct {
	JobID string `json:"jobId"`
}

// Type implements Fact.
func (TenantErasureRequested) Type() string { return TypeTenantErasureRequested }

// Subject implements Fact.
func (TenantErasureRequested) Subject() string { return "tenant" }

// Identity implements Fact.
func (f TenantErasureRequested) Identity() string { return f.JobID }

// Check implements Fact.
func (f TenantErasureRequested) Check() error {
	if f.JobID == "" {
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	}
	return nil
}

// TenantErased is the receipt of a tenant's erasure: what was removed of each store, and when nothing was left.
type TenantErased struct {
	JobID     string        `json:"jobId"`
	Stores    []ErasedStore `json:"stores"`
	CheckedAt time.Time     `json:"checkedAt"`
	By        string        `json:"by,omitempty"` // the name of the API key that asked for it; none where the door is open
}

// ErasedStore is what was removed of one store.
type ErasedStore struct {
	Name      string `json:"name"`
	Removed   int    `json:"removed"`
	Remaining int    `json:"remaining"`
}

// Type implements Fact.
func (TenantErased) Type() string { return TypeTenantErased }

// Subject implements Fact.
func (TenantErased) Subject() string { return "tenant" }

// Identity implements Fact.
func (f TenantErased) Identity() string { return f.JobID }

// Act implements Audited.
func (f TenantErased) Act() Act {
	return Act{Kind: ActDeletion, Name: "tenant.erase", Actor: f.By, Target: "tenant", Outcome: OutcomeSucceeded}
}

// Check implements Fact.
func (f TenantErased) Check() error {
	switch {
	case f.JobID == "":
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	case len(f.Stores) == 0:
		return fault.Invalidf("stores", "fact_invalid", "is required")
	case f.CheckedAt.IsZero():
		return fault.Invalidf("checkedAt", "fact_invalid", "is required")
	}
	for i, st := range f.Stores {
		if st.Name == "" || st.Removed < 0 || st.Remaining != 0 {
			return fault.Invalidf(fmt.Sprintf("stores[%d]", i), "fact_invalid", "%.32q: %d removed, %d remaining", st.Name, st.Removed, st.Remaining)
		}
	}
	return nil
}
