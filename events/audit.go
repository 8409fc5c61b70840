package events

import (
	"fmt"
	"strings"
	"time"

	"levada.dev/events/fault"
)

// TypeEventRecorded is the type of what the audit queue carries.
const TypeEventRecorded = "dev.levada.event.recorded.v1"

// AuditEntry is what the audit trail keeps of an event: its envelope and a digest of its data, never the data; and of an act, who did
// what and how it ended.
type AuditEntry struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Source      string    `json:"source"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	TraceParent string    `json:"traceparent,omitempty"`
	CausationID string    `json:"causationId,omitempty"`
	Bytes       int       `json:"bytes"`  // 0 when only the reference was published again
	SHA256      string    `json:"sha256"` // of the data as published
	Act         *Act      `json:"act,omitempty"`
}

// EventRecorded carries the audit entries of the events that one call published.
type EventRecorded struct {
	Entries []AuditEntry `json:"entries"`
}

// Type implements Fact.
func (EventRecorded) Type() string { return TypeEventRecorded }

// Subject implements Fact.
func (EventRecorded) Subject() string { return "audit" }

// Identity implements Fact.
func (f EventRecorded) Identity() string {
	ids := make([]string, len(f.Entries))
	for i, e := range f.Entries {
		ids[i] = e.ID
	}
	return strings.Join(ids, " ")
}

// Check implements Fact.
func (f EventRecorded) Check() error {
	if len(f.Entries) == 0 {
		return fault.Invalidf("entries", "fact_invalid", "is empty")
	}
	for i, e := range f.Entries {
		if e.ID == "" || e.Type == "" || e.Source == "" || e.Subject == "" || e.Time.IsZero() || e.Bytes < 0 || !isDigest(e.SHA256) {
			return fault.Invalidf(fmt.Sprintf("entries[%d]", i), "fact_invalid", "is not complete")
		}
		if e.Act == nil {
			continue
		}
		if err := e.Act.Check(fmt.Sprintf("entries[%d].act", i)); err != nil {
			return err
		}
	}
	return nil
}

// entryOf is what the trail keeps of an event. Of data that is claimed already the length is not known.
func entryOf(e Event, spec Spec) (entry AuditEntry, err error) {
	entry = AuditEntry{
		ID: e.ID, Type: e.Type, Source: e.Source, Subject: e.Subject, Time: e.Time.UTC(),
		TraceParent: e.TraceParent, CausationID: e.CausationID, Bytes: len(e.Data),
	}
	if _, sum, err := parseClaim(e.DataRef); err == nil {
		entry.SHA256 = sum
	} else {
		entry.SHA256 = digest(e.Data)
	}
	entry.Act, err = actOf(e, spec)
	return entry, err
}
