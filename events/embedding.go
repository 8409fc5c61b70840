package events

import "levada.dev/events/fault"

// TenantEmbeddingRequested says that the tenant's documents are to be brought to another embedding model's space, and searches with them, or
// that what is in a space is to be removed.
type TenantEmbeddingRequested struct {
	JobID string `json:"jobId"`
	Model string `json:"model"`
	Stay  bool   `json:"stay,omitempty"` // the space is filled only, and searches stay where they are
	Drop  bool   `json:"drop,omitempty"` // what is in the space is removed
}

// Type implements Fact.
func (TenantEmbeddingRequested) Type() string { return TypeTenantEmbeddingRequested }

// Subject implements Fact.
func (TenantEmbeddingRequested) Subject() string { return "tenant" }

// Identity implements Fact.
func (f TenantEmbeddingRequested) Identity() string { return f.JobID }

// Check implements Fact.
func (f TenantEmbeddingRequested) Check() error {
	switch {
	case f.JobID == "":
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	case f.Model == "":
		return fault.Invalidf("model", "fact_invalid", "is required")
	case f.Stay && f.Drop:
		return fault.Invalidf("drop", "fact_invalid", "a space is filled or removed, not both")
	}
	return nil
}

// TenantEmbeddingSwitched says that searches use another embedding model's space from then on.
type TenantEmbeddingSwitched struct {
	JobID string `json:"jobId"`
	From  string `json:"from,omitempty"` // none where the tenant had no document yet
	To    string `json:"to"`
}

// Type implements Fact.
func (TenantEmbeddingSwitched) Type() string { return TypeTenantEmbeddingSwitched }

// Subject implements Fact.
func (TenantEmbeddingSwitched) Subject() string { return "tenant" }

// Identity implements Fact.
func (f TenantEmbeddingSwitched) Identity() string { return f.JobID }

// Check implements Fact.
func (f TenantEmbeddingSwitched) Check() error {
	switch {
	case f.JobID == "":
		return fault.Invalidf("jobId", "fact_invalid", "is required")
	case f.To == "" || f.To == f.From:
		return fault.Invalidf("to", "fact_invalid", "%.80q after %.80q", f.To, f.From)
	}
	return nil
}
