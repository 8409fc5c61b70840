package events

import "levada.dev/events/fault"

// TenantTransferRequested says that what another pool has of the tenant is to be brought here.
type TenantTransferRequested struct {
	JobID string `json:"jobId"`
	From  string `json:"from"` // address of the other pool's API
	Key   string `json:"key"`  // of an API key there, sealed
	Last  bool   `json:"last,omitempty"`
	Usage bool   `json:"usage,omitempty"` // only what was used of budgets
}

// Type implements Fact.
func (TenantTransferRequested) Type() string { return TypeTenantTransferRequested }

// Subject implements Fact.
func (TenantTransferRequested) Subject() string { return "tenant" }

// Identity implements Fact.
func (f TenantTransferRequested) Identity() string { return f.JobID }

// Check implements Fact.
func (f TenantTransferRequested) Check() error {
	switch {
	case f.JobID == "":
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	case f.From == "":
		return fault.Invalidf("from", "fact_invalid", "is required")
	case f.Key == "":
		return fault.Invalidf("key", "fact_invalid", "is required")
	case f.Last && f.Usage:
		return fault.Invalidf("usage", "fact_invalid", "a last run brings everything")
	}
	return nil
}
