package corpus

import (
	"time"

	"levada.dev/tenants"
)

// PaceOf is the pace that a tenant's configuration sets.
func PaceOf(c *tenants.Config) Pace {
	return Pace{
		Weight: c.Ingest.Weight, MaxWaiting: c.Ingest.MaxWaiting, Deadline: time.Duration(c.Ingest.DeadlineMinutes) * time.Minute,
	}
}
