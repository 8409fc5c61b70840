// Package audit is the consumer that records every event of a tenant in its trail.
package audit
